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
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw) => new AnyOf(eligible);

    private sealed class AnyOf(ImmutableArray<Candidate> candidates) : Selector
    {
        private readonly Lottery _lottery = new(candidates);

        public override Backend? Pick(in SelectionContext context)
        {
            var draws = new Draws(context.Draw);
            var index = _lottery.Draw(context, ref draws);
            return index < 0 ? null : candidates[index].Backend;
        }

        public override string[] Weigh(in SelectionContext context)
        {
            var all = candidates;
            return Remark.OfEach(all, candidate => Remark.OfChance(candidate, all));
        }
    }
}
