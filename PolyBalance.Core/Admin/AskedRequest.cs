using System.Buffers;
using System.Net;
using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Http;

namespace PolyBalance.Admin;

/// <summary>A request that nobody has sent: an operator wants to know what would become of it.</summary>
/// <param name="Method">The method.</param>
/// <param name="Target">The request target.</param>
/// <param name="ClientAddress">Whose it is taken to be.</param>
/// <param name="Lines">Its field lines.</param>
internal sealed record AskedRequest(string Method, string Target, string ClientAddress, IReadOnlyList<string> Lines)
{
    /// <summary>Reads what an operator describes.</summary>
    public static AskedRequest BindFrom(ConfigSection section)
    {
        var method = section.Text("method", "GET", ConfigForm.Anything, "Its method.", Plain)!;
        var wanted = section.Required(
            "url", ConfigForm.Anything, "What is asked for: a URL or a path.", "write a path such as `/api/users`",
            Plain);
        var client = section.Text(
            "client_ip", "127.0.0.1", ConfigForm.Anything, "The client's address, as the access log would show it.",
            ClientAddressOf)!;
        var lines = section.List("headers", ConfigForm.Anything, "Its fields, as they are sent.", FieldLine);
        var (host, target) = Split(wanted ?? "/");

        // A Host that is given counts, as with other tools; two of them are refused, as they would be.
        return new(method, target, client, lines.Any(IsHost) ? [.. lines] : [$"Host: {host}", .. lines]);
    }

    /// <summary>Parses it as if it had come over a connection.</summary>
    /// <param name="limits">What applies to heads.</param>
    /// <param name="head">Where it goes; as far as it could be read.</param>
    /// <param name="framing">How its body ends.</param>
    /// <returns>Why it would be refused at once; <see cref="FailureKind.None"/>: it would not.</returns>
    public FailureKind Parse(LimitOptions limits, RequestHead head, out BodyFraming framing)
    {
        var text = new StringBuilder($"{Method} {Target} HTTP/1.1\r\n");
        foreach (var line in Lines)
            text.Append(line).Append("\r\n");
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text.Append("\r\n").ToString()));

        framing = default;
        var bounds = new HeadLimits(limits.HeadBytesMax, limits.FieldLinesMax);
        var scanned = 0L;
        var status = HeadParser.FindRequestEnd(bytes, ref scanned, bounds, out var length, out var failure);
        if (status != HeadSearchStatus.Found)
            return failure;

        head.Take(bytes.Slice(0, length));
        if (HeadParser.TryParseRequest(head, bounds, out failure))
            BodyFraming.TryDecide(head, out framing, out failure);
        return failure;
    }

    // "https://host/path" is host and path; everything else is a request target already.
    private static (string Host, string Target) Split(string asked)
    {
        foreach (var scheme in (string[])["http://", "https://"])
        {
            if (!asked.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
                continue;

            var rest = asked[scheme.Length..];
            var end = rest.IndexOfAny(['/', '?', '#']);
            var path = end < 0 ? "" : rest[end..].Split('#')[0];
            return (end < 0 ? rest : rest[..end], path.StartsWith('/') ? path : "/" + path);
        }

        return ("localhost", asked);
    }

    private static bool IsHost(string line) => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase);

    private static Parsed<string> ClientAddressOf(string text)
        => IPAddress.TryParse(text, out _)
            ? text
            : new Flaw($"{Flaw.Show(text)} is no IP address", "write one such as `192.0.2.7`");

    // A line end would make two fields of one.
    private static Parsed<string> Plain(string text)
        => text.AsSpan().IndexOfAny('\r', '\n', '\0') < 0
            ? text
            : new Flaw($"{Flaw.Show(text)} has a line end in it", "leave it out");

    private static Parsed<string> FieldLine(string text)
        => text.IndexOf(':', StringComparison.Ordinal) > 0
            ? Plain(text)
            : new Flaw($"{Flaw.Show(text)} is no field line", "write `Name: value`");
}
