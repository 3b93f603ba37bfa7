namespace PolyBalance.Backends;

/// <summary>How long the next ejection lasts: longer each time, and shorter again after good times. Pure.</summary>
/// <remarks>
/// The n-th ejection lasts n times the base time. Each full base time in service without an ejection takes one off n,
/// so that a backend that fails once a day always starts anew, and one that fails again right after its return does
/// not. Owned by the store's loop.
/// </remarks>
internal struct EjectionTime
{
    private int _count;
    private long _returned;

    /// <summary>How many ejections count for how long the next one lasts.</summary>
    public readonly int Count => _count;

    /// <summary>After so many, good times begin.</summary>
    public static EjectionTime After(int count, long now) => new() { _count = count, _returned = now };

    /// <summary>An ejection begins.</summary>
    /// <param name="now">In heartbeat time, as everything here.</param>
    /// <param name="baseTime">How long the first one lasts.</param>
    /// <param name="timeMax">How long any lasts at most.</param>
    /// <returns>How long this one lasts.</returns>
    public long Begin(long now, long baseTime, long timeMax)
    {
        var goodTimes = (now - _returned) / Math.Max(baseTime, 1);
        _count = (int)Math.Max(_count - goodTimes, 0) + 1;

        // The count stops where it makes no difference any more: good times count from there.
        _count = (int)Math.Min(_count, (timeMax + baseTime - 1) / Math.Max(baseTime, 1));
        _returned = now;
        return Math.Min(baseTime * _count, timeMax);
    }

    /// <summary>The backend is in service again: good times begin.</summary>
    public void Return(long now) => _returned = now;

    /// <summary>
    /// A trial failed: the same ejection goes on, longer. Time out of service is no good time.
    /// </summary>
    public long Prolong(long now, long baseTime, long timeMax)
    {
        _returned = now;
        return Begin(now, baseTime, timeMax);
    }
}
