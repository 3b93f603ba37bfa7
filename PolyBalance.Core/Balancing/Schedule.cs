using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>
/// In which order backends take their turns: each as often as its weight says, and as evenly spread as can be. Pure.
/// </summary>
/// <remarks>
/// A backend of weight w has its turns at (0 + p)/w, (1 + p)/w … of the round, and all turns are sorted by that.
/// Between two turns of the second heaviest lie at most ceil(w1/w2) turns of the heaviest, so there is no longer run.
/// See decisions/0028-turns-are-written-down.md.
/// </remarks>
internal static class Schedule
{
    /// <summary>Turns in one round, about: heavier sums of weights are scaled down to it.</summary>
    public const int TurnsMax = 64 * 1024;

    private const int IndexBits = 24;
    private const double PositionScale = 1L << 39;

    /// <summary>Writes one round.</summary>
    /// <param name="candidates">Weights of at least 1.</param>
    public static Backend[] Of(ImmutableArray<Candidate> candidates)
    {
        var turns = TurnsOf(candidates, out var total);
        var groupOf = GroupsByTurns(turns);
        var order = new ulong[total];
        var next = 0;
        for (var index = 0; index < turns.Length; index++)
        {
            // Those of equal weight share a phase out among them, so that they do not all come at once.
            var group = groupOf[turns[index]];
            var phase = (group.Placed++ + 0.5) / group.Count;
            for (var turn = 0; turn < turns[index]; turn++)
            {
                var position = (ulong)((turn + phase) / turns[index] * PositionScale + 0.5);
                order[next++] = (position << IndexBits) | (uint)index;
            }
        }

        Array.Sort(order);
        var schedule = new Backend[total];
        for (var turn = 0; turn < total; turn++)
            schedule[turn] = candidates[(int)(order[turn] & ((1 << IndexBits) - 1))].Backend;
        return schedule;
    }

    // How many turns of a round each candidate gets: the weights in lowest terms, or scaled down to fit.
    private static int[] TurnsOf(ImmutableArray<Candidate> candidates, out int total)
    {
        var divisor = 0;
        var sum = 0L;
        foreach (var candidate in candidates)
        {
            divisor = CommonDivisor(candidate.Weight, divisor);
            sum += candidate.Weight;
        }

        var fits = sum <= (long)TurnsMax * divisor;
        total = 0;
        var turns = new int[candidates.Length];
        for (var index = 0; index < turns.Length; index++)
        {
            var weight = candidates[index].Weight;
            turns[index] = fits
                ? weight / divisor
                : Math.Max(1, (int)((weight * (long)TurnsMax + sum / 2) / sum));
            total += turns[index];
        }

        return turns;
    }

    private static int CommonDivisor(int left, int right)
    {
        while (right != 0)
            (left, right) = (right, left % right);
        return left;
    }

    private static Dictionary<int, Group> GroupsByTurns(int[] turns)
    {
        var groups = new Dictionary<int, Group>();
        foreach (var count in turns)
        {
            if (!groups.TryGetValue(count, out var group))
                groups[count] = group = new();
            group.Count++;
        }

        return groups;
    }

    private sealed class Group
    {
        public int Count { get; set; }

        public int Placed { get; set; }
    }
}
