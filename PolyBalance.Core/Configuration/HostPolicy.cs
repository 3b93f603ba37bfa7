namespace PolyBalance.Configuration;

/// <summary>Where the Host field of a forwarded request comes from.</summary>
public enum HostPolicyKind
{
    /// <summary>From the client, unchanged.</summary>
    Preserve,

    /// <summary>From the address of the backend that was picked.</summary>
    Backend,

    /// <summary>From the configuration.</summary>
    Literal,
}

/// <summary>What the Host field of a forwarded request says. Config key <c>host</c> of a cluster.</summary>
public sealed record HostPolicy
{
    /// <summary>A host, with or without a port.</summary>
    internal static readonly TextForm Literals = new("host_literal", "Write `host` or `host:port`.",
        $"{Address.HostPattern}(?::{Address.PortPattern})?");

    /// <summary>The client's own Host.</summary>
    public static readonly HostPolicy Preserve = new(HostPolicyKind.Preserve, "");

    /// <summary>The address of the backend that was picked.</summary>
    public static readonly HostPolicy Backend = new(HostPolicyKind.Backend, "");

    /// <summary>What may be written.</summary>
    internal static readonly ConfigForm Form = new("preserve|backend|host")
    {
        Choices = ["preserve", "backend"],
        Text = new("host_policy", "Write `preserve`, `backend`, or a literal `host:port`.",
            "(?!(?:preserve|backend)$)" + Literals.Pattern),
    };

    private HostPolicy(HostPolicyKind kind, string value) => (Kind, Value) = (kind, value);

    /// <summary>Where the field value comes from.</summary>
    public HostPolicyKind Kind { get; }

    /// <summary>The field value of <see cref="HostPolicyKind.Literal"/>; otherwise empty.</summary>
    public string Value { get; }

    /// <summary>Always the same Host.</summary>
    /// <param name="value">A well-formed <c>host[:port]</c>. RFC 9110 §7.2.</param>
    public static HostPolicy Literal(string value) => new(HostPolicyKind.Literal, value);

    /// <summary>Reads a keyword or a literal.</summary>
    /// <param name="text">What the user wrote.</param>
    internal static Parsed<HostPolicy> Parse(string text)
    {
        if (text is "preserve" or "backend")
            return text == "backend" ? Backend : Preserve;

        // One spelling of the two words must not become somebody's Host by accident.
        if (text.Equals("preserve", StringComparison.OrdinalIgnoreCase)
            || text.Equals("backend", StringComparison.OrdinalIgnoreCase))
            return new Flaw($"{Flaw.Show(text)} is neither a keyword nor a host", $"write `{text.ToLowerInvariant()}`");

        var colon = text.LastIndexOf(':');
        var isBracketed = text.StartsWith('[');
        var hasPort = colon > 0 && (!isBracketed || text[colon - 1] == ']');
        var host = hasPort ? text[..colon] : text;
        var bare = isBracketed && host.EndsWith(']') ? host[1..^1] : host;
        var isSound = Address.ParseHost(bare).Flaw is null
            && bare.Contains(':', StringComparison.Ordinal) == isBracketed
            && (!hasPort || Quantity.Count(text[(colon + 1)..], 1, ushort.MaxValue).Flaw is null);
        return isSound
            ? Literal(text.ToLowerInvariant())
            : new Flaw($"{Flaw.Show(text)} is no value for Host",
                "write `preserve`, `backend`, or a literal `host:port`");
    }
}
