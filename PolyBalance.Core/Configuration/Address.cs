using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolyBalance.Configuration;

/// <summary>Where to listen or whom to reach: a TCP host and port, or the path of a Unix socket.</summary>
public sealed record Address
{
    private const string UnixPrefix = "unix:";
    private const string UnixPattern = @"unix:/[^\u0000]*";

    /// <summary>A host beside a port: a name, an IPv4 address, or an IPv6 address in brackets.</summary>
    internal const string HostPattern = @"(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])";

    /// <summary>A port from 1 to 65535.</summary>
    internal const string PortPattern =
        "(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

    /// <summary>What <see cref="ParseListener"/> reads in a file.</summary>
    internal static readonly ConfigForm ListenerForm = new("address")
    {
        Text = new("listener_address", "Write `:port` for every address, `host:port`, `[v6]:port` or `unix:/path`.",
            $"{UnixPattern}|{HostPattern}?:{PortPattern}"),
    };

    /// <summary>What <see cref="ParseBackend"/> reads.</summary>
    internal static readonly ConfigForm BackendForm = new("address")
    {
        Text = new("backend_address", "Write `host:port`, `[v6]:port` or `unix:/path`.",
            $"{UnixPattern}|{HostPattern}:{PortPattern}|[hH][tT]{{2}}[pP]://{HostPattern}(?::{PortPattern})?/?"),
    };

    // What the kernel's address structure holds, without the terminating zero.
    private const int UnixPathBytesMax = 107;

    private Address(string host, int port, string path) => (Host, Port, Path) = (host, port, path);

    /// <summary>
    /// A name in lower case, an IPv4 address, or an IPv6 address without brackets; empty for a listener on every
    /// address, both
    /// IPv4 and IPv6, and for a Unix socket.
    /// </summary>
    public string Host { get; }

    /// <summary>
    /// 1 to 65535; 0 lets the operating system choose one for a listener, and stands in a Unix address.
    /// </summary>
    public int Port { get; }

    /// <summary>The absolute path of a Unix socket; empty for TCP.</summary>
    public string Path { get; }

    /// <summary>Whether this is the path of a Unix socket.</summary>
    public bool IsUnix => Path.Length > 0;

    /// <summary>
    /// Whether only this machine can reach it: a Unix socket, <c>localhost</c>, or a loopback address.
    /// </summary>
    public bool IsLoopback
        => IsUnix || Host == "localhost"
            || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>A TCP address that is known to be well formed.</summary>
    /// <param name="host">A name or an IP address without brackets; empty for every address of this machine.</param>
    /// <param name="port">0 to 65535.</param>
    public static Address Tcp(string host, int port) => new(host, port, "");

    /// <summary>The address of a Unix socket.</summary>
    /// <param name="path">Absolute.</param>
    public static Address Unix(string path) => new("", 0, path);

    /// <summary>
    /// Reads <c>host:port</c>, <c>[v6]:port</c>, <c>:port</c> or <c>unix:/path</c>: everything that <see
    /// cref="ToString"/> writes,
    /// port 0 included.
    /// </summary>
    /// <param name="text">What to read.</param>
    /// <param name="address">What it means.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out Address? address)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parsed = ParseListener(text, portMin: 0);
        address = parsed.Flaw is null ? parsed.Value : null;
        return address is not null;
    }

    /// <summary>Reads the address of a listener: <c>host:port</c>, <c>[v6]:port</c>, <c>:port</c>, <c>unix:/path</c>.
    /// </summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="problem">What is wrong and what to write instead, when the result is null.</param>
    public static Address? Parse(string text, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parsed = ParseListener(text, portMin: 1);
        problem = parsed.Flaw is { } flaw ? $"{flaw.Problem}; {flaw.Remedy}" : "";
        return parsed.Flaw is null ? parsed.Value : null;
    }

    /// <summary>Reads where to listen.</summary>
    /// <param name="text"><c>host:port</c>, <c>[v6]:port</c>, <c>:port</c> or <c>unix:/path</c>.</param>
    /// <param name="portMin">1, or 0 where the operating system may choose the port.</param>
    internal static Parsed<Address> ParseListener(string text, int portMin)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return ParseUnix(text[UnixPrefix.Length..]);
        if (text.StartsWith(':') && !text.StartsWith("::", StringComparison.Ordinal))
            return ParseTcp("", text[1..], portMin);
        if (text.StartsWith("*:", StringComparison.Ordinal))
            return new Flaw($"{Flaw.Show(text)} is no address", $"write `{text[1..]}` to listen on every address");
        if (text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var slashes)
        {
            var bare = text[(slashes + 3)..].TrimEnd('/');
            return new Flaw($"{Flaw.Show(text)} is a URL, not an address",
                ParseAuthority(bare, portMin, portDefault: 0).Flaw is null ? $"write `{bare}`" : "write `host:port`");
        }

        if (IsPort(text))
            return new Flaw($"{Flaw.Show(text)} is a port, not an address",
                $"write `:{text}` to listen on every address");

        return ParseAuthority(text, portMin, portDefault: 0);
    }

    /// <summary>Reads whom to reach.</summary>
    /// <param name="text"><c>host:port</c>, <c>[v6]:port</c>, either with <c>http://</c> before it, or
    /// <c>unix:/path</c>.</param>
    internal static Parsed<Address> ParseBackend(string text)
    {
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return ParseUnix(text[UnixPrefix.Length..]);

        var slashes = text.IndexOf("://", StringComparison.Ordinal);
        if (slashes < 0)
        {
            return IsPort(text) || (text.StartsWith(':') && IsPort(text[1..]))
                ? new Flaw($"{Flaw.Show(text)} names no host", $"write `127.0.0.1:{text.TrimStart(':')}`")
                : ParseAuthority(text, portMin: 1, portDefault: 0);
        }

        var scheme = text[..slashes].ToLowerInvariant();
        if (scheme == "https")
            return new Flaw("TLS to backends is not part of this version",
                "write `http://…` and the backend's plain port");
        if (scheme != "http")
            return new Flaw($"{Flaw.Show(scheme)} is no scheme for a backend",
                "write `http://host:port`, or just `host:port`");

        var authority = text[(slashes + 3)..];
        var end = authority.AsSpan().IndexOfAny("/?#");
        if (end >= 0 && authority[end..] != "/")
        {
            return new Flaw($"{Flaw.Show(text)} has a path, but requests are forwarded with their own",
                $"leave out {Flaw.Show(authority[end..])}");
        }

        return ParseAuthority(end < 0 ? authority : authority[..end], portMin: 1, portDefault: 80);
    }

    /// <summary>Reads a host without port: a name, an IPv4 address, or an IPv6 address without brackets.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <returns>Its canonical form: lower case, and the shortest one of an IPv6 address.</returns>
    internal static Parsed<string> ParseHost(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal))
        {
            return !text.Contains('%', StringComparison.Ordinal)
                && IPAddress.TryParse(text, out var v6) && v6.AddressFamily == AddressFamily.InterNetworkV6
                ? v6.ToString()
                : new Flaw($"{Flaw.Show(text)} is no IPv6 address", "write one such as `[::1]`");
        }

        // A last label of digits makes a name an IPv4 address to every resolver, however many dots it has.
        var labels = text.TrimEnd('.').Split('.');
        if (labels[^1].Length > 0 && labels[^1].All(char.IsAsciiDigit))
        {
            return labels.Length == 4 && text[^1] != '.' && labels.All(IsByte)
                ? text
                : new Flaw($"{Flaw.Show(text)} is no IPv4 address",
                    "write four numbers from 0 to 255, such as `10.0.0.1`");
        }

        return text.Length <= 253 && !text.EndsWith("..", StringComparison.Ordinal) && labels.All(IsLabel)
            ? text.ToLowerInvariant()
            : new Flaw($"{Flaw.Show(text)} is no host name", "use letters, digits, `-` and dots");
    }

    /// <summary>Whether a listener on each of both addresses would be refused by the operating system.</summary>
    /// <param name="other">Another listener's address.</param>
    internal bool Overlaps(Address other)
    {
        if (IsUnix || other.IsUnix)
            return Path == other.Path;

        return Port == other.Port && Port != 0 && (Host == other.Host || Covers(other) || other.Covers(this));
    }

    /// <summary>The form that <see cref="TryParse"/> reads.</summary>
    public override string ToString()
    {
        if (IsUnix)
            return UnixPrefix + Path;

        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return $"{host}:{Quantity.Write(Port)}";
    }

    private bool Covers(Address other)
    {
        var otherIsV6 = other.Host.Contains(':', StringComparison.Ordinal);
        return Host switch
        {
            "" => true,
            "0.0.0.0" => !otherIsV6,
            "::" => otherIsV6,
            _ => false,
        };
    }

    private static Parsed<Address> ParseUnix(string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
            return new Flaw($"the socket path {Flaw.Show(path)} is not absolute", "write `unix:/run/name.sock`");

        return Encoding.UTF8.GetByteCount(path) > UnixPathBytesMax
            ? new Flaw($"the socket path is longer than {UnixPathBytesMax} bytes", "use a shorter one")
            : Unix(path);
    }

    // A port default of 0 means that a port is required.
    private static Parsed<Address> ParseAuthority(string text, int portMin, int portDefault)
    {
        if (text.StartsWith('['))
        {
            var close = text.IndexOf(']', StringComparison.Ordinal);
            if (close < 0)
                return new Flaw($"{Flaw.Show(text)} lacks a `]`", "write `[v6]:port`");

            var inside = text[1..close];
            if (!inside.Contains(':', StringComparison.Ordinal))
                return new Flaw($"{Flaw.Show(inside)} is no IPv6 address", "brackets are for IPv6 addresses only");

            var rest = text[(close + 1)..];
            return rest.Length == 0 ? WithoutPort(inside, text, portDefault)
                : rest[0] == ':' ? ParseTcp(inside, rest[1..], portMin)
                : new Flaw($"{Flaw.Show(text)} is no address", "write `[v6]:port`");
        }

        var colon = text.LastIndexOf(':');
        if (colon < 0)
            return WithoutPort(text, text, portDefault);
        if (text.IndexOf(':', StringComparison.Ordinal) != colon)
        {
            // `::1:8000` may be either; who writes a port that needs no leading zeros probably means one.
            var isV6 = IPAddress.TryParse(text, out _);
            var isV6AndPort = IPAddress.TryParse(text[..colon], out _)
                && Quantity.Count(text[(colon + 1)..], 1, ushort.MaxValue).Flaw is null;
            return isV6AndPort ? new Flaw($"{Flaw.Show(text)} is an IPv6 address without brackets",
                    $"write `[{text[..colon]}]:{text[(colon + 1)..]}`")
                : isV6 ? new Flaw($"{Flaw.Show(text)} is an IPv6 address without port", $"write `[{text}]:port`")
                : new Flaw($"{Flaw.Show(text)} is no address", "write `host:port`, or `[v6]:port`");
        }

        return colon == 0
            ? new Flaw($"{Flaw.Show(text)} names no host", "write `host:port`")
            : ParseTcp(text[..colon], text[(colon + 1)..], portMin);
    }

    private static Parsed<Address> WithoutPort(string host, string text, int portDefault)
    {
        var parsed = ParseHost(host);
        if (parsed.Flaw is { } flaw)
            return flaw;

        return portDefault == 0
            ? new Flaw($"{Flaw.Show(text)} has no port", $"write `{text}:80`")
            : Tcp(parsed.Value, portDefault);
    }

    private static Parsed<Address> ParseTcp(string host, string port, int portMin)
    {
        var number = Quantity.Count(port, portMin, ushort.MaxValue);
        if (number.Flaw is { } flaw)
        {
            return IsPort(port) && (port == "0" || port[0] != '0')
                ? new Flaw($"the port {Flaw.Show(port)} is outside 1 to 65535", flaw.Remedy)
                : new Flaw($"{Flaw.Show(port)} is no port", "write a number from 1 to 65535");
        }

        if (host.Length == 0)
            return Tcp("", number.Value);

        var parsed = ParseHost(host);
        return parsed.Flaw is null ? Tcp(parsed.Value, number.Value) : parsed.Flaw;
    }

    private static bool IsPort(string text) => text.Length > 0 && text.All(char.IsAsciiDigit);

    private static bool IsByte(string label) => byte.TryParse(label, out var number) && number.ToString() == label;

    // Underscores are no part of host names, but container networks give them to containers.
    private static bool IsLabel(string label)
        => label.Length is > 0 and <= 63
            && label[0] != '-' && label[^1] != '-'
            && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
