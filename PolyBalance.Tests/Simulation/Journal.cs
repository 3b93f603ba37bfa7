using System.Text;

namespace PolyBalance.Tests.Simulation;

/// <summary>What happens in a simulation.</summary>
internal enum Happening
{
    Arrives,
    Begins,
    Resends,
    Waits,
    IsOver,
    TimeIsOver,
    Ends,
    Answered,
    ClientLeaves,
    MoodChanges,
    ProbeBegins,
    ProbeEnds,
    Refreshes,
    Reloads,
    Watches,
    Sweeps,
    CountsRequests,
}

/// <summary>Everything that happened: its hash, and the latest of it to read.</summary>
internal sealed class Journal
{
    private const int Kept = 12;

    private readonly (long Time, Happening What, long Who, long Detail)[] _latest =
        new (long, Happening, long, long)[Kept];

    private ulong _hash = 0xCBF2_9CE4_8422_2325;

    /// <summary>How many entries there are.</summary>
    public long Count { get; private set; }

    /// <summary>The same for two simulations in which the same happened at the same times.</summary>
    public ulong Hash => _hash;

    /// <summary>Writes an entry.</summary>
    /// <param name="time">Unit: ticks of <see cref="TimeSpan"/>.</param>
    /// <param name="what">What happened.</param>
    /// <param name="who">Number of the exchange or of the backend.</param>
    /// <param name="detail">What else there is to say, as a number.</param>
    public void Note(long time, Happening what, long who, long detail)
    {
        _latest[Count++ % Kept] = (time, what, who, detail);
        Add((ulong)time);
        Add((ulong)what);
        Add((ulong)who);
        Add((ulong)detail);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (var index = Math.Max(0, Count - Kept); index < Count; index++)
        {
            var (time, what, who, detail) = _latest[index % Kept];
            text.Append(FormattableString.Invariant($"  {TimeSpan.FromTicks(time).TotalSeconds,9:F4} s  {what,-14} "))
                .Append(FormattableString.Invariant($"{who,5} {detail,6}\n"));
        }

        return text.ToString();
    }

    private void Add(ulong word) => _hash = (_hash ^ word) * 0x0000_0100_0000_01B3;
}
