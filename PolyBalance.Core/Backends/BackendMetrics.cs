using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>What is counted of one backend for operators. Lives with it, so a reload keeps it.</summary>
/// <remarks>Any thread; no lock.</remarks>
/// <param name="gateway">What is counted for the gateway as a whole.</param>
internal sealed class BackendMetrics(GatewayMetrics gateway)
{
    private const int Yes = 1;

    private readonly EventCounters _probes = new(2);
    private readonly EventCounters _transitions = new(2);
    private long _idleLost;

    /// <summary>How long attempts took, from the pick to their ends; of a tunnel: to the switch.</summary>
    public LatencyHistogram Duration { get; } = new();

    /// <summary>How long they took to the head of the final response.</summary>
    public LatencyHistogram FirstByte { get; } = new();

    /// <summary>How long it took to establish connections; connects that failed are not among them.</summary>
    public LatencyHistogram Connect { get; } = new();

    /// <summary>
    /// Attempts by the status that the backend answered, or else that the failure of the attempt stands for.
    /// </summary>
    public StatusCounters Statuses { get; } = new();

    /// <summary>Attempts that failed because of the backend, by <see cref="FailureKind"/>.</summary>
    public EventCounters Errors { get; } = new(Failure.All.Length);

    /// <summary>Reads its counters, or adds to them.</summary>
    /// <param name="ledger">Where to, or what.</param>
    /// <param name="group">What the backend is called there.</param>
    public void Carry(CounterLedger ledger, string group)
    {
        ledger.Carry($"{group} duration", Duration);
        ledger.Carry($"{group} first byte", FirstByte);
        ledger.Carry($"{group} connect", Connect);
        ledger.Carry($"{group} statuses", Statuses);
        ledger.Carry($"{group} errors", Errors, GatewayMetrics.LabelsOfFailures);
        ledger.Carry($"{group} probes", _probes, ["failed", "passed"]);
        ledger.Carry($"{group} transitions", _transitions, ["down", "up"]);
        ledger.Carry(group, "idle lost", IdleLost, figure => Interlocked.Add(ref _idleLost, figure));
    }

    /// <summary>Takes note of an attempt that has ended.</summary>
    /// <param name="outcome">How.</param>
    /// <param name="heartbeat">Whose ticks its times are in.</param>
    public void Observe(in AttemptOutcome outcome, Heartbeat heartbeat)
    {
        ref readonly var failure = ref Failure.Of(outcome.Failure);
        Statuses.Add(outcome.Status > 0 ? outcome.Status : failure.Status);
        Duration.Record(heartbeat.Span(outcome.Duration));
        if (outcome.ResponseTime > 0 || outcome.Failure == FailureKind.None)
            FirstByte.Record(heartbeat.Span(outcome.ResponseTime));
        if (failure.Side == Side.Backend)
            Errors.Add((int)outcome.Failure);
    }

    /// <summary>Idle connections that the backend closed and that were seen before a request met them.</summary>
    public long IdleLost => Interlocked.Read(ref _idleLost);

    /// <summary>Takes note of one of them.</summary>
    public void ObserveIdleLost()
    {
        Interlocked.Increment(ref _idleLost);
        gateway.Stale.Add((int)StaleAction.Discarded);
    }

    /// <summary>Takes note of a probe that said something.</summary>
    public void ObserveProbe(bool passed) => _probes.Add(passed ? Yes : 0);

    /// <summary>Takes note of a verdict that was turned round.</summary>
    public void ObserveTransition(bool isHealthy) => _transitions.Add(isHealthy ? Yes : 0);

    /// <summary>Probes that passed, or that did not.</summary>
    public long Probes(bool passed) => _probes[passed ? Yes : 0];

    /// <summary>Changes from unhealthy to healthy, or the other way.</summary>
    public long Transitions(bool toHealthy) => _transitions[toHealthy ? Yes : 0];
}
