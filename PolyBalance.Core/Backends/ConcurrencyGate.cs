namespace PolyBalance.Backends;

/// <summary>That an attempt may begin, and what has to be known when it ends.</summary>
/// <param name="IsCounted">Whether it holds a place in the <see cref="ConcurrencyGate"/>.</param>
/// <param name="Era">The era of <see cref="PassiveHealth"/> in which it began.</param>
internal readonly record struct Admission(bool IsCounted, int Era);

/// <summary>How many exchanges may be at one backend at once.</summary>
/// <remarks>
/// Any thread, no lock. Two bounds. The hard one, <c>pool.max_connections</c>, holds always. The soft one protects a
/// backend that is on trial or starts slowly; it yields when a request would otherwise be refused, because an error for
/// certain is worse than a request too many. Without a bound nothing is counted and nothing is written: exchanges that
/// began then stay uncounted to their end, so a new soft bound counts only what comes after it.
/// </remarks>
internal sealed class ConcurrencyGate
{
    private readonly int _max;
    private volatile int _limit;        // the smaller of both bounds; 0 for none
    private int _count;

    /// <summary>Makes a gate without a soft bound.</summary>
    /// <param name="max">The hard bound; 0 for none.</param>
    public ConcurrencyGate(int max) => _limit = _max = max;

    /// <summary>Whether neither bound has room. A glance.</summary>
    public bool IsFull => _limit is > 0 and var limit && Volatile.Read(ref _count) >= limit;

    /// <summary>Whether the hard bound has no room. A glance.</summary>
    public bool IsAtMax => _max > 0 && Volatile.Read(ref _count) >= _max;

    /// <summary>Whether the soft bound is in force.</summary>
    public bool IsProtected => _limit != _max;

    /// <summary>Exchanges that hold a place.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The bound in force; 0 for none.</summary>
    public int Limit => _limit;

    /// <summary>Sets the soft bound; 0 takes it away. Exchanges beyond a new bound go on.</summary>
    public void SetSoftLimit(int soft)
        => _limit = _max > 0 && soft > 0 ? Math.Min(_max, soft) : Math.Max(_max, soft);

    /// <summary>Takes a place where places are counted.</summary>
    /// <param name="isLastResort">There is nowhere else to go: only the hard bound counts.</param>
    /// <param name="isCounted">Whether <see cref="Leave"/> must follow.</param>
    /// <returns>False when there is no room.</returns>
    public bool TryEnter(bool isLastResort, out bool isCounted)
    {
        var limit = _limit;
        isCounted = limit > 0;
        if (!isCounted)
            return true;

        limit = isLastResort ? _max : limit;
        while (true)
        {
            var count = Volatile.Read(ref _count);
            if (limit > 0 && count >= limit)
                return isCounted = false;
            if (Interlocked.CompareExchange(ref _count, count + 1, count) == count)
                return true;
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);
}
