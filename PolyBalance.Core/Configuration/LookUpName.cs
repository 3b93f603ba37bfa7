namespace PolyBalance.Configuration;

/// <summary>A name, and where its hosts listen.</summary>
/// <param name="Name">In lower case; a dot at its end says that it is short for nothing.</param>
/// <param name="Port">1 to 65535.</param>
internal sealed record HostAndPort(string Name, int Port);

/// <summary>The names that backends are looked up by. RFC 1035 §2.3.4 for lengths, RFC 2782 for services.</summary>
internal static class LookUpName
{
    private const int LabelLengthMax = 63;

    // With the lengths of its labels and the empty one at its end a name takes two bytes more than its text.
    private const int LengthMax = 253;

    private const string Letters = "[A-Za-z0-9_.-]+";

    /// <summary>What <see cref="ParseHost"/> reads.</summary>
    public static readonly ConfigForm HostForm = new("name:port")
    {
        Text = new("host_name", "Write a name and a port, such as `backend.default.svc:8080`.",
            $"{Letters}:{Address.PortPattern}"),
    };

    /// <summary>What <see cref="ParseService"/> reads.</summary>
    public static readonly ConfigForm ServiceForm = new("name of a service")
    {
        Text = new("service_name", "Write a service, a protocol and a name: `_http._tcp.backend.default.svc`.",
            $@"_{Letters}\._{Letters}"),
    };

    /// <summary>Reads a name with a port.</summary>
    public static Parsed<HostAndPort> ParseHost(string text)
    {
        if (text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var slashes)
        {
            return new Flaw($"{Flaw.Show(text)} is a URL, not a name",
                $"write `{text[(slashes + 3)..].TrimEnd('/')}`");
        }

        var colon = text.LastIndexOf(':');
        var name = colon < 0 ? text : text[..colon];
        if (text.StartsWith('[') || name.Contains(':', StringComparison.Ordinal) || IsAddress(name))
        {
            return new Flaw($"{Flaw.Show(text)} is an address, and needs no look-up",
                $"write `address: \"{text}\"`");
        }

        if (name.StartsWith('_'))
        {
            return new Flaw($"{Flaw.Show(text)} is the name of a service",
                $"write `srv: {name}`, whose records say the ports");
        }

        if (Check(name, text) is { } flaw)
            return flaw;
        if (colon < 0)
            return new Flaw($"{Flaw.Show(text)} has no port", $"write `{text}:80`");

        var port = Quantity.Count(text[(colon + 1)..], 1, ushort.MaxValue);
        return port.Flaw is null
            ? new HostAndPort(name.ToLowerInvariant(), port.Value)
            : new Flaw($"{Flaw.Show(text[(colon + 1)..])} is no port", "write a number from 1 to 65535");
    }

    /// <summary>Reads the name of a service.</summary>
    public static Parsed<string> ParseService(string text)
    {
        const string Remedy = "write `_service._protocol.name`, such as `_http._tcp.backend.default.svc`";
        var colon = text.LastIndexOf(':');
        if (colon >= 0)
        {
            return new Flaw($"{Flaw.Show(text)} has a port, and the records of a service say theirs",
                text.StartsWith('_') ? $"write `srv: {text[..colon]}`" : $"write `dns: \"{text}\"`, or {Remedy[6..]}");
        }

        if (Check(text, text) is { } flaw)
            return flaw;

        var labels = text.Split('.');
        return labels.Length >= 3 && labels[0].StartsWith('_') && labels[1].StartsWith('_')
            ? text.ToLowerInvariant()
            : new Flaw($"{Flaw.Show(text)} is no name of a service", Remedy);
    }

    private static Flaw? Check(string name, string written)
    {
        var bare = name.EndsWith('.') ? name[..^1] : name;
        if (bare.Length == 0)
            return new Flaw($"{Flaw.Show(written)} has no name", "write one such as `backend.default.svc:8080`");

        var labels = bare.Split('.');
        if (bare.Length > LengthMax)
            return new Flaw($"the name {Flaw.Show(bare)} is longer than {LengthMax} characters", "use a shorter one");
        if (Array.Find(labels, label => label.Length > LabelLengthMax) is { } longest)
        {
            return new Flaw($"the part {Flaw.Show(longest)} of the name is longer than {LabelLengthMax} characters",
                "use a shorter one");
        }

        return Array.TrueForAll(labels, IsLabel)
            ? null
            : new Flaw($"{Flaw.Show(bare)} is no name", "use letters, digits, `-`, `_` and dots");
    }

    // Names of other scripts are looked up in their ASCII form.
    private static bool IsLabel(string label)
        => label.Length > 0 && label[0] != '-' && label[^1] != '-'
            && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    // A last label of digits makes a name an IPv4 address to every resolver.
    private static bool IsAddress(string name)
    {
        var last = name.TrimEnd('.').Split('.')[^1];
        return last.Length > 0 && last.All(char.IsAsciiDigit);
    }
}
