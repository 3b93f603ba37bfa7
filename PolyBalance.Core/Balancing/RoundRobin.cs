using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>
/// Each eligible backend in turn, whatever its weight or load. Exact: N requests differ by at most one.
/// </summary>
internal sealed class RoundRobin : IBalancingAlgorithm
{
    /// <inheritdoc/>
    public string Name => "round_robin";

    /// <inheritdoc/>
    public Selector Build(ImmutableArray<Candidate> eligible, Selector? previous)
        => new Turns(eligible, (previous as Turns)?.Counter ?? new());

    // Shared with the selectors before and after: whoever picks with an old one moves the sequence on all the same.
    private sealed class TurnCounter
    {
        // Starts anywhere: proxies restarted together must not all favour the first backend.
        private ulong _turn = (ulong)Random.Shared.Next();

        // 2^64 turns take longer than the sun has: the counter never wraps in the middle of a cycle.
        public ulong Next() => Interlocked.Increment(ref _turn);
    }

    private sealed class Turns(ImmutableArray<Candidate> candidates, TurnCounter counter) : Selector
    {
        public TurnCounter Counter { get; } = counter;

        public override Backend? Pick(in SelectionContext context)
        {
            if (candidates.Length == 0)
                return null;

            var turn = Counter.Next();
            for (var step = 0u; step < candidates.Length; step++)
            {
                var backend = candidates[(int)((turn + step) % (ulong)candidates.Length)].Backend;
                if (context.Accepts(backend))
                    return backend;
            }

            return null;
        }
    }
}
