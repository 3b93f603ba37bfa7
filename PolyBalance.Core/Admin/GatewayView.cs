using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Admin;

/// <summary>What operators may look at: handed down by whoever put the gateway together.</summary>
/// <param name="Store">The snapshot in force.</param>
/// <param name="Metrics">What is counted for the gateway as a whole.</param>
/// <param name="Transport">How bytes move.</param>
/// <param name="Sink">Where records go; null: nowhere.</param>
/// <param name="ClientConnections">How many client connections are open.</param>
/// <param name="IsLeaving">Whether the gateway has been told to stop.</param>
internal sealed record GatewayView(
    SnapshotStore Store,
    GatewayMetrics Metrics,
    ITransport Transport,
    IExchangeSink? Sink,
    Func<int> ClientConnections,
    Func<bool> IsLeaving);
