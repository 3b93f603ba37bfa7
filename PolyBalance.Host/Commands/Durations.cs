using System.Globalization;

namespace PolyBalance.Host.Commands;

/// <summary>Durations on the command line: <c>500ms</c>, <c>10s</c>, <c>5m</c>, <c>1h</c>, or bare seconds.</summary>
internal static class Durations
{
    // Longest unit first among those that share a last letter.
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("ms", TimeSpan.TicksPerMillisecond),
        ("s", TimeSpan.TicksPerSecond),
        ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour),
        ("", TimeSpan.TicksPerSecond),
    ];

    /// <summary>Reads one duration of at most 24 hours.</summary>
    /// <param name="text">As the user wrote it.</param>
    /// <param name="duration">0 or more.</param>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        foreach (var (unit, ticks) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.Ordinal))
                continue;

            var number = text.AsSpan(0, text.Length - unit.Length);
            if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
                || count > TimeSpan.TicksPerDay / ticks)
            {
                return false;
            }

            duration = TimeSpan.FromTicks((long)(count * ticks));
            return true;
        }

        return false;
    }
}
