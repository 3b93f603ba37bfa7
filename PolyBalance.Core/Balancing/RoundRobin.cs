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
    public Selector Build(ImmutableArray<Backend> eligible) => new Turns(eligible);

    private sealed class Turns(ImmutableArray<Backend> backends) : Selector
    {
        // Starts anywhere: proxies restarted together must not all favour the first backend.
        private ulong _turn = (ulong)Random.Shared.Next();

        public override Backend? Pick(in SelectionContext context)
        {
            if (backends.Length == 0)
                return null;

            // 2^64 turns take longer than the sun has: the counter never wraps in the middle of a cycle.
            var turn = Interlocked.Increment(ref _turn);
            for (var step = 0u; step < backends.Length; step++)
            {
                var backend = backends[(int)((turn + step) % (ulong)backends.Length)];
                if (!context.IsExcluded(backend))
                    return backend;
            }

            return null;
        }
    }
}
