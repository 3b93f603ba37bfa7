using System.Net;

namespace PolyBalance.Discovery;

/// <summary>What an answer to a question comes to.</summary>
internal enum ReplyKind : byte
{
    /// <summary>There are records of the wanted kind.</summary>
    Records,

    /// <summary>The name is an alias, and the answer has no records of its target: that is to be asked for.</summary>
    Alias,

    /// <summary>There is no such name (<c>NXDOMAIN</c>). RFC 2308 §2.1.</summary>
    NoSuchName,

    /// <summary>The name has no records of this kind (<c>NODATA</c>). RFC 2308 §2.2.</summary>
    NoRecords,

    /// <summary>There is more than a datagram holds: to be asked again over TCP. RFC 7766 §5.</summary>
    Truncated,

    /// <summary>The server does not understand questions like this one (<c>FORMERR</c>, <c>NOTIMP</c>).</summary>
    NotUnderstood,

    /// <summary>The server does not answer questions of ours (<c>REFUSED</c>).</summary>
    Refused,

    /// <summary>The server cannot find it out now (<c>SERVFAIL</c>), or only knows who might.</summary>
    ServerFailed,

    /// <summary>It answers our question, and what it says cannot be read.</summary>
    Malformed,

    /// <summary>It does not answer our question at all. RFC 5452 §9.1.</summary>
    Stray,

    /// <summary>There was none in time.</summary>
    TimedOut,

    /// <summary>The server could not be reached, or hung up.</summary>
    Unreachable,
}

/// <summary>One record of a service: a host and a port. RFC 2782.</summary>
/// <param name="Priority">Those of the lowest number are asked first.</param>
/// <param name="Weight">Its share among those of the same priority.</param>
/// <param name="Port">Where to connect to.</param>
/// <param name="Target">Whose addresses.</param>
internal readonly record struct PlaceRecord(ushort Priority, ushort Weight, ushort Port, DnsName Target);

/// <summary>What a message says in answer to a question. A value.</summary>
/// <param name="Kind">What it comes to.</param>
internal sealed record DnsReply(ReplyKind Kind)
{
    /// <summary>The addresses that were asked for, in the order of the message.</summary>
    public IReadOnlyList<IPAddress> Addresses { get; init; } = [];

    /// <summary>The places that were asked for, in the order of the message.</summary>
    public IReadOnlyList<PlaceRecord> Places { get; init; } = [];

    /// <summary>Addresses of places, which servers add unasked. RFC 2782.</summary>
    public ILookup<DnsName, IPAddress> Hosts { get; init; } = NoHosts;

    /// <summary>The name to ask for next; only with <see cref="ReplyKind.Alias"/>.</summary>
    public DnsName? Target { get; init; }

    /// <summary>Aliases on the way.</summary>
    public int Aliases { get; init; }

    /// <summary>How long it holds: the least of everything it is made of. Zero where nothing says so.</summary>
    public TimeSpan TimeToLive { get; init; }

    private static readonly ILookup<DnsName, IPAddress> NoHosts = Array.Empty<(DnsName Name, IPAddress Address)>()
        .ToLookup(host => host.Name, host => host.Address);
}
