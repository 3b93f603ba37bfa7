namespace PolyBalance.Telemetry;

/// <summary>Counts what happens rarely, by kind. Any thread.</summary>
/// <param name="kinds">How many kinds there are.</param>
internal sealed class EventCounters(int kinds)
{
    private readonly long[] _counts = new long[kinds];

    /// <summary>What was counted of one kind.</summary>
    public long this[int kind] => Interlocked.Read(ref _counts[kind]);

    /// <summary>Counts one.</summary>
    public void Add(int kind) => Interlocked.Increment(ref _counts[kind]);

    /// <summary>Counts several.</summary>
    public void Add(int kind, long count) => Interlocked.Add(ref _counts[kind], count);
}
