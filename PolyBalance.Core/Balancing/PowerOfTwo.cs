using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>
/// Of two different backends drawn by weight, the one with less to do. Nearly as even as looking at all of them, costs
/// the same however many there are, and no crowd runs to the one that happens to be the least busy.
/// </summary>
internal sealed class PowerOfTwo : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "power_of_two";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw) => new Pairs(eligible);

    private sealed class Pairs(ImmutableArray<Candidate> candidates) : Selector
    {
        private readonly Lottery _lottery = new(candidates);

        public override Backend? Pick(in SelectionContext context)
        {
            var draws = new Draws(context.Draw);
            var first = _lottery.Draw(context, ref draws);
            if (first < 0)
                return null;

            // Nobody has less to do than nothing, and the draw has weighed the weights already.
            var load = Load.Of(candidates[first]);
            if (load.IsIdle)
                return candidates[first].Backend;

            var second = _lottery.Draw(context, ref draws, except: first);
            return candidates[second >= 0 && Load.Of(candidates[second]).IsBelow(load) ? second : first].Backend;
        }

        public override string[] Weigh(in SelectionContext context)
        {
            var all = candidates;
            return Remark.OfEach(all, one => $"{Remark.OfChance(one, all)}; {Remark.OfLoad(one)}");
        }
    }
}
