namespace PolyBalance.Configuration;

/// <summary>Sends the requests that match to one cluster. An element of <c>routes</c>.</summary>
public sealed record RouteOptions
{
    private const long MaxBodyCeiling = 1L << 50;

    private static readonly ConfigForm Hosts = new("host or *.suffix")
    {
        Text = new("host_pattern", "Write a host name, or `*.` and a suffix.",
            @"(?:\*\.)?(?:[A-Za-z0-9_.-]+|\[?[0-9A-Fa-f:.]+\]?)"),
    };

    private static readonly ConfigForm Prefixes = new("request path")
    {
        Text = new("path_prefix", "Write the start of a path, such as `/v1/`; no `*` at its end.",
            @"/(?:[A-Za-z0-9/._~%!$&'()*+,;=:@-]*[A-Za-z0-9/._~%!$&'()+,;=:@-])?"),
    };

    private static readonly ConfigForm Sizes =
        Quantity.SizeForm(0, MaxBodyCeiling) with { Words = "size", Bounds = "" };

    /// <summary>
    /// A host name in lower case, or <c>*.</c> and a suffix that any deeper name matches; <see langword="null"/>
    /// matches every
    /// host.
    /// </summary>
    public string? Host { get; init; }

    /// <summary>A path prefix, matched on segment borders. Starts with a slash.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Name of the cluster that takes the request.</summary>
    public required string Cluster { get; init; }

    /// <summary>
    /// Longest request content that is forwarded; <see langword="null"/> for any length. Unit: bytes.
    /// </summary>
    public long? MaxBody { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static RouteOptions? BindFrom(ConfigSection section)
    {
        var (host, path) = section.Section("match", "Which requests the route takes; by default all.", match => (
            match.Text("host", null, Hosts, "Host that the client asked for.", ParseHost),
            match.Text("path", "/", Prefixes, "Prefix of the request's path, matched on segment borders.",
                ParsePath)!));
        section.RequireWritten("cluster", "name the cluster that takes the requests");
        var cluster = section.Text("cluster", null, ConfigName.Form,
            "Name of the cluster that takes the request.", ConfigName.Parse);
        var maxBody = section.Value<long?>("max_body", null, Sizes, null,
            "Longest request content that is forwarded.", text =>
        {
            var parsed = Quantity.Size(text, 0, MaxBodyCeiling);
            return new(parsed.Value, parsed.Flaw);
        });
        return cluster is null ? null : new() { Host = host, Path = path, Cluster = cluster, MaxBody = maxBody };
    }

    /// <summary>
    /// Whether every request that the other route matches is taken by this one, if this one comes first.
    /// </summary>
    /// <param name="other">A route that comes later.</param>
    internal bool Covers(RouteOptions other)
    {
        var coversHost = Host is null || Host == other.Host
            || (Host.StartsWith("*.", StringComparison.Ordinal) && other.Host is not null
                && other.Host.EndsWith(Host[1..], StringComparison.Ordinal));
        return coversHost && (Path == other.Path
            || other.Path.StartsWith(Path.EndsWith('/') ? Path : Path + "/", StringComparison.Ordinal));
    }

    private static Parsed<string> ParseHost(string text)
    {
        var isSuffix = text.StartsWith("*.", StringComparison.Ordinal);
        var name = isSuffix ? text[2..] : text;
        if (name.Contains('*', StringComparison.Ordinal))
            return new Flaw($"{Flaw.Show(text)} has a `*` where none can be",
                "write a host name, or `*.` and a suffix");
        if (name.IndexOf("://", StringComparison.Ordinal) is >= 0 and var slashes)
        {
            var rest = name[(slashes + 3)..].Split('/')[0];
            return new Flaw($"{Flaw.Show(text)} is a URL, not a host",
                rest.Length == 0 ? "write a host name, or `*.` and a suffix" : $"write `{rest}`");
        }

        if (name.Contains('/', StringComparison.Ordinal))
            return new Flaw($"{Flaw.Show(text)} is more than a host", "write the path into `path`");

        var bare = name.StartsWith('[') && name.EndsWith(']') ? name[1..^1] : name;
        var parsed = Address.ParseHost(bare);
        if (parsed.Flaw is null)
            return isSuffix ? "*." + parsed.Value : bare.Length < name.Length ? $"[{parsed.Value}]" : parsed.Value;

        var colon = name.LastIndexOf(':');
        return colon > 0 && Address.ParseHost(name[..colon]).Flaw is null
            ? new Flaw($"{Flaw.Show(text)} has a port, and routes match hosts only",
                $"write `{text[..text.LastIndexOf(':')]}`")
            : parsed.Flaw;
    }

    private static Parsed<string> ParsePath(string text)
        => text.EndsWith('*')
            ? new Flaw($"{Flaw.Show(text)} ends in `*`, but a path is a prefix anyway", $"write `{text.TrimEnd('*')}`")
            : ConfigName.RequestPath(text, allowed: "");
}
