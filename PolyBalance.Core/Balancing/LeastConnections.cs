using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>
/// The backend with the fewest requests in flight for its weight: (in flight + 1) / weight. Those that are equal take
/// turns; while nobody has anything to do all of them do, by their weights.
/// </summary>
/// <remarks>Looks at every candidate: with hundreds of them <see cref="PowerOfTwo"/> costs less.</remarks>
internal sealed class LeastConnections : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "least_connections";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw)
        => new Fewest(eligible, TurnCounter.After(previous, draw));

    private sealed class Fewest(ImmutableArray<Candidate> candidates, TurnCounter counter) : Selector, ITakesTurns
    {
        private const int TiedMax = 32;

        private readonly Turns _idle = new(candidates, counter);

        public TurnCounter Counter { get; } = counter;

        public override Backend? Pick(in SelectionContext context)
        {
            Span<int> tied = stackalloc int[TiedMax];
            var tiedCount = 0;
            var best = default(Load);
            var isIdle = true;

            // With more than can tie, from anywhere, so that the same ones are not remembered every time.
            var index = candidates.Length > TiedMax ? (int)new Draws(context.Draw).Below(candidates.Length) : 0;
            for (var step = 0; step < candidates.Length; step++, index++)
            {
                if (index == candidates.Length)
                    index = 0;
                if (!context.Accepts(candidates[index].Backend))
                    continue;

                var load = Load.Of(candidates[index]);
                isIdle &= load.IsIdle;
                if (tiedCount == 0 || load.IsBelow(best))
                {
                    best = load;
                    tied[0] = index;
                    tiedCount = 1;
                }
                else if (tiedCount < TiedMax && !best.IsBelow(load))
                    tied[tiedCount++] = index;
            }

            if (tiedCount == 0)
                return null;
            if (isIdle)
                return _idle.Pick(context);

            return candidates[tied[tiedCount == 1 ? 0 : (int)(Counter.Next(context) % (ulong)tiedCount)]].Backend;
        }

        public override string[] Weigh(in SelectionContext context)
        {
            var isIdle = true;
            foreach (var candidate in candidates)
                isIdle &= Load.Of(candidate).IsIdle;
            return isIdle ? _idle.Weigh(context) : Remark.OfEach(candidates, Remark.OfLoad);
        }
    }
}
