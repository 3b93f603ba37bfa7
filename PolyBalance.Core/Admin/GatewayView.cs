using Microsoft.Extensions.Logging;
using PolyBalance.Discovery;
using PolyBalance.Health;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Admin;

/// <summary>What operators may look at and order: handed down by whoever put the gateway together.</summary>
/// <param name="Store">The snapshot in force.</param>
/// <param name="Builder">Makes the next one.</param>
/// <param name="Health">What probes know.</param>
/// <param name="Metrics">What is counted for the gateway as a whole.</param>
/// <param name="Transport">How bytes move.</param>
/// <param name="Logger">Hears of what operators change.</param>
internal sealed record GatewayView(
    SnapshotStore Store,
    SnapshotBuilder Builder,
    Func<IReadOnlyList<HealthView>> Health,
    GatewayMetrics Metrics,
    ITransport Transport,
    ILogger Logger)
{
    /// <summary>What was found for every name.</summary>
    public required Func<IReadOnlyList<NameView>> Names { get; init; }

    /// <summary>What time it is.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>How many client connections are open.</summary>
    public required Func<int> ClientConnections { get; init; }

    /// <summary>Whether the gateway has been told to stop.</summary>
    public required Func<bool> IsLeaving { get; init; }

    /// <summary>Whether another process is about to take over, and nothing may be changed here any more.</summary>
    public required Func<bool> IsHandingOver { get; init; }

    /// <summary>Has another process take over.</summary>
    public required Func<Task<UpgradeOutcome>> UpgradeAsync { get; init; }

    /// <summary>How many lines of the access log were lost.</summary>
    public required Func<long> LinesDropped { get; init; }

    /// <summary>How many spans of traces were lost.</summary>
    public required Func<long> SpansDropped { get; init; }

    /// <summary>Takes up the configuration anew.</summary>
    public required Func<Task<ReloadOutcome>> ReloadAsync { get; init; }

    /// <summary>What a reload would do, now or with another text, which errors call by the second one.</summary>
    public required Func<string?, string?, Task<ReloadOutcome>> PlanAsync { get; init; }

    /// <summary>Ends with the gateway.</summary>
    public required CancellationToken Stop { get; init; }
}
