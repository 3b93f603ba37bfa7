using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>
/// Any eligible backend, as often as its weight says on average. Knows nothing and writes nothing: many gateways, or
/// many threads, do not get into step.
/// </summary>
internal sealed class RandomChoice : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "random";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous) => new Draws(eligible);

    private sealed class Draws(ImmutableArray<Candidate> candidates) : Selector
    {
        private readonly Lottery _lottery = new(candidates);

        public override Backend? Pick(in SelectionContext context)
        {
            var index = _lottery.Draw(context);
            return index < 0 ? null : candidates[index].Backend;
        }
    }
}
