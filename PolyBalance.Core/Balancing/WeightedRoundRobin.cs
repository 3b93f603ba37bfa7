using System.Collections.Immutable;

namespace PolyBalance.Balancing;

/// <summary>
/// <see cref="RoundRobin"/> by another name: who writes weights expects them to count, and who looks for the name that
/// other proxies have finds it.
/// </summary>
internal sealed class WeightedRoundRobin : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "weighted_round_robin";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw)
        => new Turns(eligible, TurnCounter.After(previous, draw));
}
