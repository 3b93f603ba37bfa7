using System.Numerics;

namespace PolyBalance.Telemetry;

/// <summary>The buckets that durations are counted in: fine enough for quantiles, aligned to what is shown.</summary>
/// <remarks>
/// Unit: <see cref="TimeSpan"/> ticks of 100 ns. Up to 10 µs each tick has its bucket. From there on a decade has three
/// segments, 1 to 2.5, 2.5 to 5 and 5 to 10, whose buckets are 2 % of the segment's start wide: the middle of a bucket
/// is off by 1 % at most. Every bound that operators see (<see cref="Bounds"/>) ends a bucket, so folding loses
/// nothing. A bucket includes its upper end and not its lower one, as Prometheus has it. 250 s and everything beyond
/// share the last bucket.
/// </remarks>
internal static class LatencyScale
{
    /// <summary>Segments: those of the seven decades, one before them and one behind.</summary>
    public const int Segments = 1 + (3 * Decades) + 1;

    private const int Decades = 7;
    private const uint FirstDecade = 100;

    private static readonly Segment[] Table = MakeTable();
    private static readonly byte[] SegmentByLog = MakeLogTable();
    private static readonly double[] BoundSeconds =
        [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30];

    private static readonly int[] BoundEnds = MakeBoundEnds();

    /// <summary>Upper bounds of the buckets that operators see, +Inf not among them. Unit: seconds.</summary>
    public static ReadOnlySpan<double> Bounds => BoundSeconds;

    /// <summary>For each of <see cref="Bounds"/>: how many fine buckets lie below it.</summary>
    public static ReadOnlySpan<int> EndsOfBounds => BoundEnds;

    /// <summary>Buckets of all segments together.</summary>
    public static int BucketCount => Table[^1].Offset + Table[^1].Count;

    /// <summary>How many buckets a segment has.</summary>
    public static int CountOf(int segment) => Table[segment].Count;

    /// <summary>How many buckets lie before a segment.</summary>
    public static int OffsetOf(int segment) => Table[segment].Offset;

    /// <summary>Where a duration is counted.</summary>
    /// <param name="ticks">The duration; a negative one counts as nothing at all.</param>
    /// <param name="bucket">Which bucket of the segment.</param>
    /// <returns>Which segment.</returns>
    public static int SegmentOf(long ticks, out int bucket)
    {
        // Less one, because the upper end belongs to the bucket.
        var value = (uint)Math.Clamp(ticks - 1, 0, Table[^1].End - 1);

        // Starts are a factor of two or more apart: no power of two reaches over more than one of them.
        var segment = (int)SegmentByLog[BitOperations.Log2(value | 1)];
        if (value >= Table[segment].End)
            segment++;
        ref readonly var found = ref Table[segment];
        bucket = (int)((value - found.Start) / found.Width);
        return segment;
    }

    /// <summary>What a bucket stands for: its middle. Unit: ticks.</summary>
    /// <param name="index">Counted over all segments.</param>
    public static long MiddleOf(int index)
    {
        var segment = Segments - 1;
        while (Table[segment].Offset > index)
            segment--;
        ref readonly var found = ref Table[segment];
        return found.Start + ((long)(index - found.Offset) * found.Width) + ((found.Width + 1) / 2);
    }

    private static Segment[] MakeTable()
    {
        var table = new Segment[Segments];
        table[0] = new(Start: 0, Width: 1, Count: (int)FirstDecade, Offset: 0);
        var unit = FirstDecade;
        for (var index = 1; index < Segments; index++)
        {
            var (start, width, count) = ((index - 1) % 3) switch
            {
                0 => (unit, unit / 50, 75),
                1 => (unit / 2 * 5, unit / 20, 50),
                _ => (unit * 5, unit / 10, 50),
            };
            table[index] = new(start, width, count, table[index - 1].Offset + table[index - 1].Count);
            if (index % 3 == 0)
                unit *= 10;
        }

        return table;
    }

    private static byte[] MakeLogTable()
    {
        var table = new byte[32];
        for (var log = 0; log < table.Length; log++)
        {
            while (table[log] < Segments - 1 && Table[table[log]].End <= 1u << log)
                table[log]++;
        }

        return table;
    }

    private static int[] MakeBoundEnds()
    {
        var ends = new int[BoundSeconds.Length];
        for (var index = 0; index < ends.Length; index++)
        {
            var ticks = (long)Math.Round(BoundSeconds[index] * TimeSpan.TicksPerSecond);
            var segment = SegmentOf(ticks, out var bucket);
            ends[index] = OffsetOf(segment) + bucket + 1;
        }

        return ends;
    }

    /// <summary>Buckets of one width.</summary>
    private readonly record struct Segment(uint Start, uint Width, int Count, int Offset)
    {
        public uint End => Start + (Width * (uint)Count);
    }
}
