namespace PolyBalance;

/// <summary>
/// A few counters that many threads count with: each thread has a cache line of its own, so that none waits for
/// another's core.
/// </summary>
/// <remarks>Any thread. A sum is exact while nothing moves.</remarks>
internal sealed class LaneCounters
{
    /// <summary>How many counters fit: one cache line of 64 bytes.</summary>
    public const int Max = 8;

    // A line in front, because the array itself need not begin with one.
    private readonly long[] _cells = new long[(ThreadLane.Count + 1) * Max];

    /// <summary>Adds to a counter.</summary>
    /// <param name="counter">Which, from 0 to below <see cref="Max"/>.</param>
    /// <param name="change">How much.</param>
    public void Add(int counter, long change)
        => Interlocked.Add(ref _cells[(ThreadLane.Own + 1) * Max + counter], change);

    /// <summary>What all threads have counted together.</summary>
    public long Sum(int counter)
    {
        var sum = 0L;
        for (var cell = Max + counter; cell < _cells.Length; cell += Max)
            sum += Interlocked.Read(ref _cells[cell]);
        return sum;
    }
}
