namespace PolyBalance.Telemetry;

/// <summary>How long something took, over and over: counted where it happens, folded only when somebody asks.</summary>
/// <remarks>
/// Any thread; no lock. Each lane has counters of its own, so that threads do not meet on a cache line, and makes those
/// of a segment when the first value falls into it: most histograms see a few milliseconds of the whole scale, and
/// hold some hundred bytes per lane. Nothing is allocated after that.
/// </remarks>
internal sealed class LatencyHistogram
{
    private readonly long[]?[]?[] _lanes = new long[ThreadLane.Count][][];
    private readonly LaneCounters _ticks = new();

    /// <summary>Counts one duration.</summary>
    public void Record(TimeSpan duration)
    {
        var ticks = Math.Max(duration.Ticks, 0);
        Interlocked.Increment(ref BucketOf(ticks));
        _ticks.Add(0, ticks);
    }

    /// <summary>Counts several durations of about the same length, without adding to the sum.</summary>
    /// <param name="ticks">The length, in <see cref="TimeSpan"/> ticks.</param>
    /// <param name="count">How many.</param>
    public void Add(long ticks, long count) => Interlocked.Add(ref BucketOf(ticks), count);

    /// <summary>Adds to the sum of all durations. Unit: <see cref="TimeSpan"/> ticks.</summary>
    public void AddTotal(long ticks) => _ticks.Add(0, ticks);

    /// <summary>
    /// Makes all counters now, 11 KiB per lane: for a histogram that there is once, so that no request pays for it.
    /// </summary>
    public void Prepare()
    {
        foreach (ref var lane in _lanes.AsSpan())
        {
            var segments = Make(ref lane, LatencyScale.Segments);
            for (var segment = 0; segment < segments.Length; segment++)
                Make(ref segments[segment], LatencyScale.CountOf(segment));
        }
    }

    /// <summary>Adds what all lanes have counted. Exact while nothing moves.</summary>
    public void FoldInto(LatencyFold fold)
    {
        foreach (ref var lane in _lanes.AsSpan())
        {
            if (Volatile.Read(ref lane) is not { } segments)
                continue;

            for (var segment = 0; segment < segments.Length; segment++)
            {
                if (Volatile.Read(ref segments[segment]) is { } counts)
                    fold.Add(LatencyScale.OffsetOf(segment), counts);
            }
        }

        fold.Add(_ticks.Sum(0));
    }

    /// <summary>What was counted so far, in a fold of its own.</summary>
    public LatencyFold Fold()
    {
        var fold = new LatencyFold();
        FoldInto(fold);
        return fold;
    }

    private ref long BucketOf(long ticks)
    {
        var segment = LatencyScale.SegmentOf(ticks, out var bucket);
        ref var own = ref _lanes[ThreadLane.Own];
        var lane = Volatile.Read(ref own) ?? Make(ref own, LatencyScale.Segments);
        var counts = Volatile.Read(ref lane[segment]) ?? Make(ref lane[segment], LatencyScale.CountOf(segment));
        return ref counts[bucket];
    }

    // Two threads of one lane may both make one: the first one put in place is everybody's.
    private static T[] Make<T>(ref T[]? place, int length)
    {
        var made = new T[length];
        return Interlocked.CompareExchange(ref place, made, null) ?? made;
    }
}
