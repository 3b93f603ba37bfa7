using System.Net;
using PolyBalance.Configuration;
using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>What applies to every client of one listener: limits, timeouts, whom to believe. Immutable.</summary>
internal sealed class ClientRules
{
    /// <summary>
    /// A body that is slower than this, after <see cref="BodyRateGrace"/>, is given up. Unit: bytes per second.
    /// </summary>
    public const int BodyBytesPerSecondMin = 240;

    private readonly EquatableArray<IPNetwork> _trusted;

    /// <summary>Computes the rules of a listener in the units of its transport.</summary>
    public ClientRules(
        ClientTimeoutOptions timeouts, LimitOptions limits, ListenerOptions listener, Heartbeat heartbeat,
        TracingOptions? tracing = null)
    {
        Trace = tracing is null ? null : new(tracing);
        _trusted = listener.TrustedProxies;
        SendsServerTiming = listener.SendsServerTiming;
        Head = new(limits.HeadBytesMax, limits.FieldLinesMax);
        HeadTimeout = heartbeat.Ticks(timeouts.Head);
        IdleTimeout = heartbeat.Ticks(timeouts.Idle);
        BodyIdleTimeout = heartbeat.Ticks(timeouts.BodyIdle);
        BodyRateGrace = heartbeat.Ticks(TimeSpan.FromSeconds(5));
        TicksPerByteMax = heartbeat.Ticks(TimeSpan.FromSeconds(1)) / BodyBytesPerSecondMin;
        WriteTimeout = heartbeat.Ticks(timeouts.Write);
        TunnelIdleTimeout = heartbeat.Ticks(timeouts.TunnelIdle);
        LingerTimeout = heartbeat.Ticks(TimeSpan.FromSeconds(5));
        LastRequestTimeout = heartbeat.Ticks(TimeSpan.FromSeconds(1));
    }

    /// <summary>Bounds on a request head.</summary>
    public HeadLimits Head { get; }

    /// <summary>From the first byte of a head to its last. All times in heartbeat ticks.</summary>
    public long HeadTimeout { get; }

    /// <summary>From the end of an exchange to the first byte of the next.</summary>
    public long IdleTimeout { get; }

    /// <summary>Between two parts of a body.</summary>
    public long BodyIdleTimeout { get; }

    /// <summary>How long a body may be slower than <see cref="BodyBytesPerSecondMin"/>.</summary>
    public long BodyRateGrace { get; }

    /// <summary>The same rate the other way round.</summary>
    public long TicksPerByteMax { get; }

    /// <summary>How long the client may take nothing of a response.</summary>
    public long WriteTimeout { get; }

    /// <summary>How long a tunnel may carry nothing.</summary>
    public long TunnelIdleTimeout { get; }

    /// <summary>How long we go on reading from a client that we want to close. RFC 9112 §9.6.</summary>
    public long LingerTimeout { get; }

    /// <summary>
    /// How long after it has come, or was answered, a client may send one request although the gateway drains, in
    /// heartbeat ticks.
    /// </summary>
    public long LastRequestTimeout { get; }

    /// <summary>Whether clients that are trusted are told where the time went.</summary>
    public bool SendsServerTiming { get; }

    /// <summary>Which exchanges are recorded in traces; null: nobody traces.</summary>
    public TraceRules? Trace { get; }

    /// <summary>Whether what a peer says of others is believed.</summary>
    public bool Trusts(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        foreach (var network in _trusted)
        {
            if (network.Contains(plain))
                return true;
        }

        return false;
    }
}
