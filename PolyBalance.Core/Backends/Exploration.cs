namespace PolyBalance.Backends;

/// <summary>
/// When a backend that is passed over for being slow is asked all the same: whom nobody asks cannot show that it is
/// fast again. Counts how often it was passed over, so that it finds out as soon at any rate of requests.
/// </summary>
/// <remarks>
/// Each time doubles the interval; an answer that contradicts what was expected brings it back. Any thread, no lock.
/// See decisions/0029-peak-ewma-that-heals.md.
/// </remarks>
internal sealed class Exploration
{
    /// <summary>How often it is passed over before it is asked for the first time.</summary>
    public const int IntervalMin = 16;

    /// <summary>The same for one that has been slow each time.</summary>
    public const int IntervalMax = 1_024;

    private int _interval = IntervalMin;
    private int _passedOver;
    private int _isAwaited;

    /// <summary>A pick is about to pass it over for one that is faster.</summary>
    /// <returns>Whether that would be once too often: the pick is its own.</returns>
    public bool IsDueWhenPassedOver()
    {
        var interval = Volatile.Read(ref _interval);
        if (Interlocked.Increment(ref _passedOver) < interval)
            return false;

        // Several threads may come this far; the first one takes the count away from the others.
        if (Interlocked.Exchange(ref _passedOver, 0) < interval)
            return false;

        // Not if an answer has just brought the interval back.
        Interlocked.CompareExchange(ref _interval, Math.Min(2 * interval, IntervalMax), interval);
        Volatile.Write(ref _isAwaited, 1);
        return true;
    }

    /// <summary>Whether <see cref="IsDueWhenPassedOver"/> would say so now. A glance.</summary>
    public bool WouldBeDue => Volatile.Read(ref _passedOver) + 1 >= Volatile.Read(ref _interval);

    /// <summary>An answer has come.</summary>
    /// <returns>
    /// Whether it was asked for to find out; when others are under way as well, one of them counts for it.
    /// </returns>
    public bool TakeAnswer()
        => Volatile.Read(ref _isAwaited) != 0 && Interlocked.Exchange(ref _isAwaited, 0) != 0;

    /// <summary>It may not be slow any more: the next exploration comes soon.</summary>
    public void Hasten()
    {
        if (Volatile.Read(ref _interval) != IntervalMin)
            Volatile.Write(ref _interval, IntervalMin);
    }
}
