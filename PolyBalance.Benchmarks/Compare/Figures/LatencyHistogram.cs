using System.Numerics;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>
/// Counts latencies in fixed buckets: 128 for each doubling, so that a value is known to better than 1 %. Recording
/// allocates nothing. Not thread-safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int FineBits = 7;
    private const int Fine = 1 << FineBits;

    // 2^40 ns are 18 minutes: whatever takes longer counts as that long.
    private const int BitsMax = 40;
    private const long NanosMax = (1L << BitsMax) - 1;

    private readonly long[] _counts = new long[(BitsMax - FineBits + 1) * Fine];

    /// <summary>How many were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>The longest of all, exactly. Unit: nanoseconds.</summary>
    public long Max { get; private set; }

    /// <summary>Adds one latency.</summary>
    /// <param name="nanos">Unit: nanoseconds; what is negative counts as 0.</param>
    public void Record(long nanos)
    {
        nanos = Math.Clamp(nanos, 0, NanosMax);
        _counts[IndexOf(nanos)]++;
        Count++;
        Max = Math.Max(Max, nanos);
    }

    /// <summary>Forgets everything: a warm-up is over.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        Count = 0;
        Max = 0;
    }

    /// <summary>The value that this share of the recorded ones do not exceed. Unit: nanoseconds.</summary>
    /// <param name="percent">From 0 to 100.</param>
    public long Percentile(double percent)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        var seen = 0L;
        for (var index = 0; index < _counts.Length; index++)
        {
            seen += _counts[index];
            if (seen >= wanted)
                return Math.Min(HighestOf(index), Max);
        }

        return Max;
    }

    // Below 2^FineBits each value has a bucket of its own; above, the highest bits choose it.
    private static int IndexOf(long nanos)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)nanos | 1) - FineBits);
        return shift * Fine + (int)(nanos >> shift);
    }

    private static long HighestOf(int index)
    {
        if (index < 2 * Fine)
            return index;

        var shift = index / Fine - 1;
        return ((long)(index - shift * Fine) << shift) + (1L << shift) - 1;
    }
}
