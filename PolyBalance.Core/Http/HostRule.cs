namespace PolyBalance.Http;

/// <summary>What the Host field of a forwarded request says: the config key <c>host</c>. RFC 9110 §7.2.</summary>
internal readonly struct HostRule
{
    private HostRule(bool isPreserved, ReadOnlyMemory<byte> value)
    {
        IsPreserved = isPreserved;
        Value = value;
    }

    /// <summary>Whether the client's own Host crosses when it sent one.</summary>
    public bool IsPreserved { get; }

    /// <summary>The value otherwise: <c>host[:port]</c>, valid and in ASCII.</summary>
    public ReadOnlyMemory<byte> Value { get; }

    /// <summary>What the client asked for. <c>host: preserve</c>.</summary>
    /// <param name="otherwise">
    /// For a client of HTTP/1.0 that named no host, since HTTP/1.1 requires one: usually the backend's address.
    /// </param>
    public static HostRule Preserve(ReadOnlyMemory<byte> otherwise) => new(true, otherwise);

    /// <summary>Always the same. <c>host: backend</c> and a literal.</summary>
    public static HostRule Literal(ReadOnlyMemory<byte> value) => new(false, value);
}
