using System.Collections.Immutable;

namespace PolyBalance.Balancing;

/// <summary>
/// Each eligible backend in turn, whatever its load, as often as its weight says. Exact: over a round nobody gets one
/// more or less, and without weights N requests differ by at most one.
/// </summary>
internal sealed class RoundRobin : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "round_robin";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw)
        => new Turns(eligible, TurnCounter.After(previous, draw));
}
