using System.Collections.Immutable;
using System.Globalization;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>
/// Of two different backends drawn by weight, the one that costs less: its response time, remembered by its peaks,
/// times what it has to do, by its weight. Finds out by itself that a backend is slow, and that it is not any more.
/// </summary>
/// <remarks>
/// Finagle's and Linkerd's algorithm, with care that nobody starves: decisions/0029-peak-ewma-that-heals.md.
/// </remarks>
internal sealed class PeakEwma : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "peak_ewma";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw) => new Costs(eligible);

    private sealed class Costs : Selector
    {
        // Less than this between two idle backends is chance: the draw decides, which knows the weights.
        private const float NoticeableRatio = 2;

        private const int MedianOf = 63;

        private readonly ImmutableArray<Candidate> _candidates;
        private readonly ResponseTime[] _times;
        private readonly Lottery _lottery;

        public Costs(ImmutableArray<Candidate> candidates)
        {
            _candidates = candidates;
            _lottery = new(candidates);
            _times = new ResponseTime[candidates.Length];
            for (var index = 0; index < _times.Length; index++)
                _times[index] = candidates[index].Backend.MeasureResponseTime();
        }

        public override Backend? Pick(in SelectionContext context)
        {
            var draws = new Draws(context.Draw);
            var first = _lottery.Draw(context, ref draws);
            if (first < 0)
                return null;

            var second = _lottery.Draw(context, ref draws, except: first);
            if (second < 0)
                return _candidates[first].Backend;

            var (firstTime, secondTime) = Expect(first, second, context.Now);
            var picked = IsBetter(second, secondTime, first, firstTime)
                ? OrExplore(first, firstTime, second, secondTime, context)
                : OrExplore(second, secondTime, first, firstTime, context);
            return _candidates[picked].Backend;
        }

        public override string[] Weigh(in SelectionContext context)
        {
            var remarks = Remark.OfEach(_candidates, Remark.OfLoad);
            for (var index = 0; index < remarks.Length; index++)
            {
                var estimate = _times[index].EstimateAt(context.Now);
                remarks[index] = estimate == 0
                    ? $"not heard of yet, so expected to answer like the others; {remarks[index]}"
                    : string.Create(
                        CultureInfo.InvariantCulture, $"expected to answer in {estimate:0.###} ms; {remarks[index]}");
            }

            return remarks;
        }

        private bool IsBetter(int second, float secondTime, int first, float firstTime)
        {
            var (firstLoad, secondLoad) = (Load.Of(_candidates[first]), Load.Of(_candidates[second]));
            if (firstLoad.IsIdle && secondLoad.IsIdle)
                return secondTime * NoticeableRatio < firstTime;

            return Cost(secondTime, secondLoad) < Cost(firstTime, firstLoad);
        }

        // The winner, unless the slower one has lost so often that it is time to find out whether it still is slower.
        private int OrExplore(
            int loser, float loserTime, int winner, float winnerTime, in SelectionContext context)
        {
            if (loserTime <= winnerTime)
                return winner;

            var exploration = _times[loser].Exploration;
            var isDue = context.Glance is null ? exploration.IsDueWhenPassedOver() : exploration.WouldBeDue;
            return isDue ? loser : winner;
        }

        private static float Cost(float time, Load load) => time * (load.InFlight + 1) / load.Weight;

        // Of one that nobody has heard of, what the others lead to expect: 0 would send everybody there.
        private (float First, float Second) Expect(int first, int second, long now)
        {
            var (firstTime, secondTime) = (_times[first].EstimateAt(now), _times[second].EstimateAt(now));
            if (firstTime == 0 || secondTime == 0)
            {
                var median = Median(now);
                firstTime = firstTime == 0 ? median : firstTime;
                secondTime = secondTime == 0 ? median : secondTime;
            }

            return (firstTime, secondTime);
        }

        // Of the known ones, or of enough of them. Only while somebody is unknown.
        private float Median(long now)
        {
            Span<float> known = stackalloc float[MedianOf];
            var count = 0;
            var step = 1 + (_times.Length - 1) / MedianOf;
            for (var index = 0; index < _times.Length; index += step)
            {
                if (_times[index].EstimateAt(now) is > 0 and var estimate)
                    known[count++] = estimate;
            }

            if (count == 0)
                return 1;

            known = known[..count];
            known.Sort();
            return known[count / 2];
        }
    }
}
