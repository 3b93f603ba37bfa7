using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>What every client connection of one listener shares. Immutable.</summary>
/// <param name="Handler">Answers its exchanges.</param>
/// <param name="Rules">Its limits and timeouts.</param>
/// <param name="Sink">Hears of every finished exchange; null: nobody wants to.</param>
/// <param name="Heartbeat">The clock.</param>
/// <param name="Exchanges">Where exchanges are rented.</param>
/// <param name="Logger">For bugs.</param>
/// <param name="Metrics">Counts every finished exchange; null: nobody does.</param>
internal sealed record ListenerWiring(
    IExchangeHandler Handler,
    ClientRules Rules,
    IExchangeSink? Sink,
    Heartbeat Heartbeat,
    ObjectPool<Exchange> Exchanges,
    ILogger Logger,
    GatewayMetrics? Metrics = null);
