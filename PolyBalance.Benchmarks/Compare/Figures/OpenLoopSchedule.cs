namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>
/// When each request of an open loop is due. The schedule does not know how the proxy is doing, and a latency counts
/// from it and not from the send: a proxy that stalls is charged for every request that had to wait (coordinated
/// omission).
/// </summary>
/// <param name="rate">Requests per second.</param>
/// <param name="seconds">How long requests come due.</param>
internal readonly struct OpenLoopSchedule(double rate, double seconds)
{
    private const double NanosPerSecond = 1e9;

    /// <summary>How many requests there are.</summary>
    public long Count { get; } = (long)(rate * seconds);

    /// <summary>When a request is due. Unit: nanoseconds after the start.</summary>
    /// <param name="index">0-based.</param>
    public long DueAt(long index) => (long)(index / rate * NanosPerSecond);

    /// <summary>Whether a request has come due and is to be sent as soon as a connection is free.</summary>
    /// <param name="index">0-based.</param>
    /// <param name="now">Nanoseconds after the start.</param>
    public bool IsDue(long index, long now) => index < Count && DueAt(index) <= now;

    /// <summary>What a request that was answered now took, from the moment it was due. Unit: nanoseconds.</summary>
    /// <param name="index">0-based.</param>
    /// <param name="now">Nanoseconds after the start.</param>
    public long LatencyOf(long index, long now) => now - DueAt(index);
}
