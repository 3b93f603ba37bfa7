namespace PolyBalance.Telemetry;

/// <summary>Counts by status code, on the way of every request.</summary>
/// <remarks>
/// Any thread; no lock. Eight neighbouring codes share the cache lines of one <see cref="LaneCounters"/>, which is made
/// when the first of them comes up.
/// </remarks>
internal sealed class StatusCounters
{
    /// <summary>How many codes there are: three digits are all that a status line can have.</summary>
    public const int Codes = 1000;

    private const int Groups = Codes / LaneCounters.Max;

    private readonly LaneCounters?[] _groups = new LaneCounters?[Groups];

    /// <summary>Counts one, or several.</summary>
    /// <param name="status">From 0 to 999.</param>
    /// <param name="count">How many.</param>
    public void Add(int status, long count = 1)
    {
        ref var group = ref _groups[status / LaneCounters.Max];
        (Volatile.Read(ref group) ?? Make(ref group)).Add(status % LaneCounters.Max, count);
    }

    /// <summary>The codes that came up and how often, in ascending order.</summary>
    public IEnumerable<(int Status, long Count)> Counts()
    {
        for (var status = 0; status < Groups * LaneCounters.Max; status++)
        {
            var group = Volatile.Read(ref _groups[status / LaneCounters.Max]);
            if (group?.Sum(status % LaneCounters.Max) is { } count and > 0)
                yield return (status, count);
        }
    }

    private static LaneCounters Make(ref LaneCounters? place)
    {
        var made = new LaneCounters();
        return Interlocked.CompareExchange(ref place, made, null) ?? made;
    }
}
