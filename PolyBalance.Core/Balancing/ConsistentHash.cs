using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Balancing;

/// <summary>
/// The same backend for the same key, on every instance and after every restart; when a backend comes or goes, only its
/// own keys move. One that has more than its bounded share of the requests in flight is passed over.
/// </summary>
/// <remarks>
/// Weighted rendezvous hashing: each key ranks all backends, and goes to the first in its ranking.
/// See decisions/0030-rendezvous-instead-of-a-ring.md.
/// </remarks>
/// <param name="loadPercent">
/// How much of the average load by weight a backend may have. Unit: percent; 0 for any.
/// </param>
internal sealed class ConsistentHash(int loadPercent) : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => HashOptions.Algorithm;

    /// <inheritdoc/>
    public IBalancingAlgorithm For(ClusterOptions options)
        => options.Hash.LoadPercent == loadPercent ? this : new ConsistentHash(options.Hash.LoadPercent);

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw)
        => new Ranking(eligible, loadPercent);

    private sealed class Ranking : Selector
    {
        private readonly ImmutableArray<Candidate> _candidates;
        private readonly int _loadPercent;
        private readonly ulong[] _seeds;
        private readonly bool _isEven = true;

        public Ranking(ImmutableArray<Candidate> candidates, int loadPercent)
        {
            _candidates = candidates;
            _loadPercent = loadPercent;
            _seeds = new ulong[candidates.Length];
            for (var index = 0; index < _seeds.Length; index++)
            {
                _seeds[index] = StableHash.Mix(StableHash.Of(candidates[index].Backend.Address));
                _isEven &= candidates[index].Weight == candidates[0].Weight;
            }
        }

        public override Backend? Pick(in SelectionContext context)
        {
            // Without a key any will do, and nobody must be meant by it.
            var key = context.Key == 0 ? new Draws(context.Draw).Next() : context.Key;
            var first = FirstOf(key, context, default);
            if (first < 0)
                return null;

            // Who has nothing to do is always below the bound; only else the others have to be looked at.
            if (_loadPercent > 0 && Load.Of(_candidates[first]) is { IsIdle: false } load)
            {
                var bound = BoundAmong(context);
                if (!bound.HasRoom(load) && FirstOf(key, context, bound) is >= 0 and var other)
                    first = other;
            }

            return _candidates[first].Backend;
        }

        public override string[] Weigh(in SelectionContext context)
        {
            var key = context.Key == 0 ? new Draws(context.Draw).Next() : context.Key;
            var bound = _loadPercent > 0 ? BoundAmong(context) : default;
            var scores = new double[_seeds.Length];
            for (var index = 0; index < scores.Length; index++)
                scores[index] = Score(StableHash.Mix(key ^ _seeds[index]), index);

            var remarks = new string[_seeds.Length];
            for (var index = 0; index < remarks.Length; index++)
            {
                var rank = 1;
                foreach (var score in scores)
                    rank += score > scores[index] ? 1 : 0;
                var load = Load.Of(_candidates[index]);
                var whose = context.Key == 0 ? "a key drawn for lack of one" : "this key";
                remarks[index] = Remark.OfRank(rank, whose)
                    + (bound.IsNone || load.IsIdle || bound.HasRoom(load)
                        ? "" : $"; it has its bounded share: {Remark.OfLoad(_candidates[index])}");
            }

            return remarks;
        }

        // The best of the key's ranking that the exchange may go to and that has room; -1: nobody.
        private int FirstOf(ulong key, in SelectionContext context, Bound bound)
        {
            var first = -1;
            var best = double.NegativeInfinity;
            for (var index = 0; index < _seeds.Length; index++)
            {
                var score = Score(StableHash.Mix(key ^ _seeds[index]), index);
                if (score > best && context.Accepts(_candidates[index].Backend)
                    && (bound.IsNone || bound.HasRoom(Load.Of(_candidates[index]))))
                {
                    first = index;
                    best = score;
                }
            }

            return first;
        }

        // With u even between 0 and 1, -ln(u)/w is smallest as often as w says. Equal weights need no logarithm.
        private double Score(ulong hash, int index)
        {
            var even = ((hash >> 11) + 1) * (1.0 / (1L << 53));
            return _isEven ? even : Math.Log(even) / _candidates[index].Weight;
        }

        private Bound BoundAmong(in SelectionContext context)
        {
            var inFlight = 1L;      // the request that is being placed
            var weight = 0L;
            foreach (var candidate in _candidates)
            {
                if (!context.Accepts(candidate.Backend))
                    continue;

                inFlight += Load.Of(candidate).InFlight;
                weight += candidate.Weight;
            }

            return new(inFlight * _loadPercent, weight * 100);
        }
    }

    /// <summary>How many requests in flight a weight of one may have, as a fraction.</summary>
    private readonly record struct Bound(long Numerator, long Denominator)
    {
        public bool IsNone => Denominator == 0;

        public bool HasRoom(Load load) => load.InFlight * Denominator < Numerator * load.Weight;
    }
}
