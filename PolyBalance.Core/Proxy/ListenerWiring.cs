using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>What every client connection of one listener shares.</summary>
/// <remarks>
/// Any thread. What a reload can change is replaced as a whole by <see cref="Follow"/>, and holds for every exchange
/// that begins afterwards, also on connections that are open already.
/// </remarks>
/// <param name="handler">Answers its exchanges.</param>
/// <param name="rules">Its limits and timeouts.</param>
/// <param name="sink">Hears of every finished exchange; null: nobody wants to.</param>
/// <param name="heartbeat">The clock.</param>
/// <param name="exchanges">Where exchanges are rented.</param>
/// <param name="logger">For bugs.</param>
/// <param name="metrics">Counts every finished exchange; null: nobody does.</param>
internal sealed class ListenerWiring(
    IExchangeHandler handler, ClientRules rules, IExchangeSink? sink, Heartbeat heartbeat,
    ObjectPool<Exchange> exchanges, ILogger logger, GatewayMetrics? metrics = null)
{
    private volatile IExchangeHandler _handler = handler;
    private volatile ClientRules _rules = rules;
    private volatile IExchangeSink? _sink = sink;

    /// <summary>Answers its exchanges.</summary>
    public IExchangeHandler Handler => _handler;

    /// <summary>Its limits and timeouts.</summary>
    public ClientRules Rules => _rules;

    /// <summary>Hears of every finished exchange; null: nobody wants to.</summary>
    public IExchangeSink? Sink => _sink;

    /// <summary>The clock.</summary>
    public Heartbeat Heartbeat { get; } = heartbeat;

    /// <summary>Where exchanges are rented.</summary>
    public ObjectPool<Exchange> Exchanges { get; } = exchanges;

    /// <summary>For bugs.</summary>
    public ILogger Logger { get; } = logger;

    /// <summary>Counts every finished exchange; null: nobody does.</summary>
    public GatewayMetrics? Metrics { get; } = metrics;

    /// <summary>Takes up what a reload has changed.</summary>
    /// <param name="handler">Answers exchanges from now on.</param>
    /// <param name="rules">Limits and timeouts from now on.</param>
    /// <param name="sink">Hears of exchanges from now on.</param>
    public void Follow(IExchangeHandler handler, ClientRules rules, IExchangeSink? sink)
    {
        _handler = handler;
        _rules = rules;
        _sink = sink;
    }
}
