using PolyBalance.Backends;

namespace PolyBalance.Health;

/// <summary>What probes know of one backend at one instant, for operators.</summary>
/// <param name="Cluster">Where the backend belongs.</param>
/// <param name="Backend">Its name.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Verdict">What counts for traffic.</param>
/// <param name="LastCheck">When the latest probe began; null: there was none.</param>
/// <param name="ConsecutivePasses">Passes since the last failure.</param>
/// <param name="ConsecutiveFailures">Failures since the last pass.</param>
/// <param name="LastError">Why the last failure failed; null: none has.</param>
/// <param name="NextCheck">When the next probe is due; null: it runs or waits already, or probing is off.</param>
/// <param name="History">The latest results, the oldest first.</param>
internal sealed record HealthView(
    string Cluster, string Backend, string Address, Verdict Verdict, DateTimeOffset? LastCheck, int ConsecutivePasses,
    int ConsecutiveFailures, string? LastError, DateTimeOffset? NextCheck, ProbeResult[] History);
