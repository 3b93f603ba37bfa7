namespace PolyBalance.Discovery;

/// <summary>What a record says. RFC 1035 §3.2.2; the RFCs' names in brackets.</summary>
internal enum RecordKind : ushort
{
    /// <summary>An IPv4 address (<c>A</c>).</summary>
    Address4 = 1,

    /// <summary>Who knows a zone (<c>NS</c>).</summary>
    Delegation = 2,

    /// <summary>The name is another one's alias (<c>CNAME</c>).</summary>
    Alias = 5,

    /// <summary>Where a zone begins, and how long its silence holds (<c>SOA</c>).</summary>
    Zone = 6,

    /// <summary>An IPv6 address (<c>AAAA</c>). RFC 3596.</summary>
    Address6 = 28,

    /// <summary>A host and a port (<c>SRV</c>). RFC 2782.</summary>
    Place = 33,

    /// <summary>What a peer understands beyond RFC 1035 (<c>OPT</c>). RFC 6891.</summary>
    Extension = 41,
}
