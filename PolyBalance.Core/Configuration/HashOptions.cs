namespace PolyBalance.Configuration;

/// <summary>Which part of a request decides where it goes.</summary>
public enum HashKeyKind
{
    /// <summary>The client's address.</summary>
    ClientAddress,

    /// <summary>The path, without the query.</summary>
    Path,

    /// <summary>The Host that the client asks for.</summary>
    Host,

    /// <summary>A field of the request.</summary>
    Field,

    /// <summary>A cookie.</summary>
    Cookie,

    /// <summary>A parameter of the query.</summary>
    Query,
}

/// <summary>What requests that belong together have in common. Config key <c>hash.key</c>.</summary>
/// <param name="Kind">Which part of the request.</param>
/// <param name="Name">Name of the field, cookie or parameter; empty for the other kinds.</param>
public sealed record HashKey(HashKeyKind Kind, string Name)
{
    /// <summary>The client's address.</summary>
    public static readonly HashKey ClientAddress = new(HashKeyKind.ClientAddress, "");

    /// <summary>Reads a keyword, or a keyword and a name.</summary>
    /// <param name="text">What the user wrote.</param>
    internal static Parsed<HashKey> Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var word = colon < 0 ? text : text[..colon];
        var name = colon < 0 ? "" : text[(colon + 1)..];
        HashKeyKind? kind = word switch
        {
            "client_ip" => HashKeyKind.ClientAddress,
            "path" => HashKeyKind.Path,
            "host" => HashKeyKind.Host,
            "header" => HashKeyKind.Field,
            "cookie" => HashKeyKind.Cookie,
            "query" => HashKeyKind.Query,
            _ => null,
        };
        if (kind is not { } known)
        {
            return new Flaw($"{Flaw.Show(text)} is nothing to hash",
                NearestName.Suggest(text, HashOptions.Keys, "write one of"));
        }

        var isNamed = known is HashKeyKind.Field or HashKeyKind.Cookie or HashKeyKind.Query;
        if (!isNamed)
            return colon < 0 ? new HashKey(known, "") : new Flaw($"`{word}` takes no name", $"write `{word}`");
        if (name.Length == 0)
            return new Flaw($"`{word}` needs a name", $"write `{word}:NAME`");

        return IsName(known, name)
            ? new HashKey(known, name)
            : new Flaw($"{Flaw.Show(name)} cannot be the name of a {word}", $"write `{word}:NAME`");
    }

    // RFC 9110 §5.6.2, which RFC 6265 §4.1.1 takes over for cookies; of a query whatever is not a separator in it.
    private static bool IsName(HashKeyKind kind, string name)
        => name.Length <= 256 && name.All(c => char.IsAsciiLetterOrDigit(c)
            || (kind == HashKeyKind.Query ? "!$'()*+,-./:;?@[]_~%" : "!#$%&'*+-.^_`|~").Contains(
                c, StringComparison.Ordinal));
}

/// <summary>What the algorithm <c>hash</c> goes by. Config section <c>hash</c>.</summary>
public sealed record HashOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly HashOptions Default = new();

    /// <summary>The algorithm that the section is for.</summary>
    internal const string Algorithm = "hash";

    /// <summary>The other name of the same algorithm, with the client's address as its key.</summary>
    internal const string AddressAlgorithm = "ip_hash";

    /// <summary>What may be written for <c>key</c>.</summary>
    internal static readonly EquatableArray<string> Keys =
        ["client_ip", "path", "host", "header:NAME", "cookie:NAME", "query:NAME"];

    private const int LoadPercentMin = 101;
    private const int LoadPercentMax = 1_000;

    private static readonly ConfigForm KeyForm = new(string.Join('|', Keys))
    {
        Choices = [.. Keys.Where(key => !key.Contains(':', StringComparison.Ordinal))],
        Text = new("hash_key", "Write `client_ip`, `path`, `host`, `header:NAME`, `cookie:NAME` or `query:NAME`.",
            "(?:header|cookie|query):[!-~]{1,256}"),
    };

    private static readonly ConfigForm LoadForm = new ConfigForm("percentage, 101% to 1000%")
    {
        Text = new("load", "Write a percentage from `101%` to `1000%`, or `off`.",
            "(?:10[1-9]|1[1-9][0-9]|[2-9][0-9]{2}|1000)%"),
    }.Or("off", "percentage, 101% to 1000%, or off");

    /// <summary>Which part of a request decides where it goes.</summary>
    public HashKey Key { get; init; } = HashKey.ClientAddress;

    /// <summary>
    /// How many requests in flight a backend may have, compared with the average by weight, before others take what
    /// would be its own; 0 for any number. Unit: percent. Config key <c>load</c>.
    /// </summary>
    public int LoadPercent { get; init; } = 125;

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static HashOptions BindFrom(ConfigSection section) => new()
    {
        Key = section.Value("key", Default.Key, KeyForm, Keys[0],
            "Which part of a request decides where it goes; without it, the client's address.", HashKey.Parse),
        LoadPercent = section.Value("load", Default.LoadPercent, LoadForm, "125%",
            "How much of the average load one backend may have before others take over.", ParseLoad),
    };

    /// <summary>
    /// Makes algorithm and section of a cluster fit each other, and warns of what is probably not meant.
    /// </summary>
    /// <param name="cluster">What was bound.</param>
    /// <param name="section">Where it was bound from.</param>
    internal static ClusterOptions Settle(ClusterOptions cluster, ConfigSection section)
    {
        var isByAddress = cluster.Algorithm == AddressAlgorithm;
        if (isByAddress && cluster.Hash.Key != HashKey.ClientAddress)
        {
            section.Report.Error(section.PositionOf("hash"),
                $"`algorithm: {AddressAlgorithm}` hashes the client's address and nothing else",
                $"write `algorithm: {Algorithm}`");
        }

        if (isByAddress)
            cluster = cluster with { Algorithm = Algorithm };

        if (cluster.Algorithm != Algorithm && section.IsWritten("hash") && !section.IsUnreadable("algorithm"))
        {
            section.Report.Warning(section.PositionOf("hash"),
                $"`hash` has no effect with `algorithm: {cluster.Algorithm}`", $"write `algorithm: {Algorithm}`");
        }

        // Who writes the key has thought of it.
        if (cluster.Algorithm == Algorithm && (isByAddress || !section.KeysOf("hash").Contains("key")))
        {
            section.Report.Warning(section.PositionOf("algorithm"),
                "many clients behind one address (NAT) go to one backend",
                isByAddress
                    ? "consider `sticky`"
                    : "consider `sticky`, or write `hash: { key: client_ip }` if it is meant");
        }

        return cluster;
    }

    private static Parsed<int> ParseLoad(string text)
    {
        if (text == "off")
            return 0;
        if (!text.EndsWith('%') || text.Length > 6
            || Quantity.Count(text[..^1], 0, int.MaxValue) is not { Flaw: null } load)
            return new Flaw($"{Flaw.Show(text)} is not a percentage", "write one such as `125%`, or `off`");

        return load.Value is >= LoadPercentMin and <= LoadPercentMax
            ? load.Value
            : new Flaw($"{text} is outside {LoadPercentMin}% to {LoadPercentMax}%",
                load.Value < LoadPercentMin
                    ? "the average itself is 100%, and somebody must be above it; write more, or `off`"
                    : $"write at most `{LoadPercentMax}%`, or `off`");
    }
}
