using System.Collections.Immutable;

namespace PolyBalance.Balancing;

/// <summary>Draws candidates at random, by weight. A draw costs the same however many there are.</summary>
/// <remarks>
/// The alias method of A. J. Walker, built as M. D. Vose describes it: as many cells as candidates, each shared by at
/// most two. Immutable; any thread.
/// </remarks>
internal sealed class Lottery
{
    private const int Tries = 8;
    private const int ChanceBits = 31;

    private readonly ImmutableArray<Candidate> _candidates;
    private readonly Cell[]? _cells;        // null: all weigh the same

    /// <summary>Prepares the draws.</summary>
    /// <param name="candidates">Weights of at least 1; may be empty.</param>
    public Lottery(ImmutableArray<Candidate> candidates)
    {
        _candidates = candidates;
        foreach (var candidate in candidates)
        {
            if (candidate.Weight == candidates[0].Weight)
                continue;

            _cells = Divide(candidates);
            return;
        }
    }

    /// <summary>Draws one that the exchange may go to.</summary>
    /// <param name="context">What the exchange has tried.</param>
    /// <param name="draws">Where random numbers come from; a second draw of the same pick goes on with them.</param>
    /// <param name="except">One that was drawn already, or -1.</param>
    /// <returns>An index into the candidates, or -1 when none is left.</returns>
    public int Draw(in SelectionContext context, ref Draws draws, int except = -1)
    {
        if (_candidates.IsEmpty)
            return -1;

        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var index = IndexAt(draws.Next());
            if (index != except && context.Accepts(_candidates[index].Backend))
                return index;
        }

        return DrawFromRest(context, ref draws, except);
    }

    // Of 64 random bits the upper half chooses a cell, the lower one of the two that share it.
    private int IndexAt(ulong bits)
    {
        var index = (int)(((bits >> 32) * (ulong)_candidates.Length) >> 32);
        if (_cells is null)
            return index;

        ref readonly var cell = ref _cells[index];
        return (bits & ((1UL << ChanceBits) - 1)) < cell.OwnChance ? index : cell.Other;
    }

    // Most are out of the question: look at all of them. Shares among the rest stay as their weights say.
    private int DrawFromRest(in SelectionContext context, ref Draws draws, int except)
    {
        var total = 0L;
        for (var index = 0; index < _candidates.Length; index++)
        {
            if (index != except && context.Accepts(_candidates[index].Backend))
                total += _candidates[index].Weight;
        }

        var last = -1;
        var left = total == 0 ? 0 : draws.Below(total);
        for (var index = 0; index < _candidates.Length && left >= 0; index++)
        {
            if (index == except || !context.Accepts(_candidates[index].Backend))
                continue;

            last = index;
            left -= _candidates[index].Weight;
        }

        return last;
    }

    private static Cell[] Divide(ImmutableArray<Candidate> candidates)
    {
        var total = 0L;
        foreach (var candidate in candidates)
            total += candidate.Weight;

        // In units in which the average is one cell: who has less than that shares a cell with one who has more.
        var shares = new double[candidates.Length];
        var poor = new Stack<int>();
        var rich = new Stack<int>();
        for (var index = 0; index < shares.Length; index++)
        {
            shares[index] = (double)candidates[index].Weight * candidates.Length / total;
            (shares[index] < 1 ? poor : rich).Push(index);
        }

        var cells = new Cell[candidates.Length];
        while (poor.Count > 0 && rich.Count > 0)
        {
            var (small, large) = (poor.Pop(), rich.Pop());
            cells[small] = new((uint)(shares[small] * (1L << ChanceBits)), large);
            shares[large] -= 1 - shares[small];
            (shares[large] < 1 ? poor : rich).Push(large);
        }

        // What is left over is one whole cell, but for rounding.
        foreach (var index in poor)
            cells[index] = new(1U << ChanceBits, index);
        foreach (var index in rich)
            cells[index] = new(1U << ChanceBits, index);
        return cells;
    }

    private readonly record struct Cell(uint OwnChance, int Other);
}
