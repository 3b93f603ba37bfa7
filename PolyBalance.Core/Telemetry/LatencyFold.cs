namespace PolyBalance.Telemetry;

/// <summary>What one or several histograms have counted, at one glance. Owned by whoever looks.</summary>
/// <remarks>
/// The count is that of the buckets themselves, so it never contradicts them; the sum is read after them and may be
/// ahead by what came in between.
/// </remarks>
internal sealed class LatencyFold
{
    private readonly long[] _counts = new long[LatencyScale.BucketCount];
    private long _ticks;

    /// <summary>How many durations were counted.</summary>
    public long Count { get; private set; }

    /// <summary>All of them together. Unit: seconds.</summary>
    public double Seconds => (double)_ticks / TimeSpan.TicksPerSecond;

    /// <summary>The same, exactly. Unit: <see cref="TimeSpan"/> ticks.</summary>
    public long Ticks => _ticks;

    /// <summary>How many there were of each length, shortest first.</summary>
    public IEnumerable<(long Ticks, long Count)> Counts()
    {
        for (var index = 0; index < _counts.Length; index++)
        {
            if (_counts[index] > 0)
                yield return (LatencyScale.MiddleOf(index), _counts[index]);
        }
    }

    /// <summary>Forgets everything, for the next look.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        Count = _ticks = 0;
    }

    /// <summary>Adds counters of buckets that follow each other.</summary>
    /// <param name="offset">Which bucket the first of them belongs to.</param>
    /// <param name="counts">Others may be counting with them.</param>
    public void Add(int offset, long[] counts)
    {
        for (var index = 0; index < counts.Length; index++)
        {
            var count = Interlocked.Read(ref counts[index]);
            _counts[offset + index] += count;
            Count += count;
        }
    }

    /// <summary>Adds to the sum.</summary>
    public void Add(long ticks) => _ticks += ticks;

    /// <summary>What has come since an earlier look at the same histograms.</summary>
    /// <param name="earlier">The earlier look.</param>
    public LatencyFold Since(LatencyFold earlier)
    {
        var since = new LatencyFold { _ticks = Math.Max(_ticks - earlier._ticks, 0) };
        for (var index = 0; index < _counts.Length; index++)
        {
            // One that was made anew begins at zero.
            since._counts[index] = Math.Max(_counts[index] - earlier._counts[index], 0);
            since.Count += since._counts[index];
        }

        return since;
    }

    /// <summary>How many durations were no longer than each of <see cref="LatencyScale.Bounds"/>: exact.</summary>
    /// <param name="counts">One place for each.</param>
    public void CountAtBounds(Span<long> counts)
    {
        var ends = LatencyScale.EndsOfBounds;
        var sum = 0L;
        for (var (bound, index) = (0, 0); bound < ends.Length; bound++)
        {
            while (index < ends[bound])
                sum += _counts[index++];
            counts[bound] = sum;
        }
    }

    /// <summary>
    /// The duration that a share of all did not exceed: 1 % off at most from 10 µs to 250 s, half a tick below.
    /// </summary>
    /// <param name="share">From 0 to 1.</param>
    /// <returns>Null: nothing was counted.</returns>
    public TimeSpan? Quantile(double share)
    {
        if (Count == 0)
            return null;

        var rank = Math.Max((long)Math.Ceiling(share * Count), 1);
        var index = 0;
        for (var seen = _counts[0]; seen < rank; seen += _counts[index])
            index++;
        return TimeSpan.FromTicks(LatencyScale.MiddleOf(index));
    }
}
