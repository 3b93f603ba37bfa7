using System.Globalization;

namespace PolyBalance.Configuration;

/// <summary>Numbers with units, as the file writes them: counts, durations, sizes and percentages.</summary>
internal static class Quantity
{
    /// <summary>The least that a duration may be where zero makes no sense.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// The most that any duration may be: its milliseconds fit an <see cref="int"/>, as sockets want them.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(168);

    private const string DurationExamples = "write a number and a unit, such as `500ms`, `10s` or `1h30m`";
    private const string SizeExamples = "write bytes, or a number and a unit, such as `64KiB` or `10MiB`";

    // Digits as TryDigits takes them.
    private const string Digits = "(?:0|[1-9][0-9]{0,11})";
    private const string Durations = $"(?=[0-9])(?:{Digits}h)?(?:{Digits}m)?(?:{Digits}s)?(?:{Digits}ms)?";

    /// <summary>What <see cref="Percent"/> reads.</summary>
    public static readonly ConfigForm PercentForm = new("percentage, 0% to 100%")
    {
        Text = new("percentage", "Write a whole number from `0%` to `100%`.", "(?:100|[1-9]?[0-9])%"),
    };

    private static readonly TextForm CountText = new("count", "Write a whole number.", Digits);

    private static readonly TextForm SizeText = new("size",
        "Write bytes, or a number and a unit, such as `64KiB` or `10MiB`.", $"{Digits}(?:(?:[kKmMgGtT][iI]?)?[bB])?");

    private static readonly TextForm DurationOrZeroText = new("duration_or_zero",
        "Write a number and a unit, such as `500ms`, `10s` or `1h30m`.", Durations);

    private static readonly TextForm DurationText = new("duration",
        "Write a number and a unit, such as `500ms`, `10s` or `1h30m`.", "(?=.*[1-9])" + Durations);

    // Longest unit first among those that begin alike.
    private static readonly (string Name, long Milliseconds)[] DurationUnits =
        [("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

    private static readonly (string Name, long Bytes)[] SizeUnits =
    [
        ("", 1), ("B", 1),
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ];

    /// <summary>What <see cref="Count"/> reads.</summary>
    /// <param name="min">The smallest allowed.</param>
    /// <param name="max">The largest allowed.</param>
    public static ConfigForm CountForm(long min, long max) => new($"count, {Write(min)} to {Write(max)}")
    {
        Bare = BareValue.Number,
        Numbers = (min, max),
        Text = CountText,
    };

    /// <summary>Reads a whole number within bounds.</summary>
    /// <param name="text">Decimal digits; a minus sign is understood in order to refuse the number.</param>
    /// <param name="min">The smallest allowed.</param>
    /// <param name="max">The largest allowed.</param>
    public static Parsed<int> Count(string text, int min, int max)
    {
        var digits = text.StartsWith('-') ? text[1..] : text;
        if (TryDigits(digits, out var count, out var flaw))
            return Within(text.StartsWith('-') ? -count : count, min, max, Write) is { } outside ? outside : (int)count;

        return flaw ?? new Flaw($"{Flaw.Show(text)} is not a whole number", $"write a number from {min} to {max}");
    }

    /// <summary>What <see cref="Duration"/> reads.</summary>
    /// <param name="min">The shortest allowed.</param>
    /// <param name="max">The longest allowed.</param>
    public static ConfigForm DurationForm(TimeSpan min, TimeSpan max)
        => new($"duration, {Write(min)} to {Write(max)}")
        {
            Text = min > TimeSpan.Zero ? DurationText : DurationOrZeroText,
            Bounds = $"From {Write(min)} to {Write(max)}.",
        };

    /// <summary>
    /// Reads a duration within bounds: numbers with the units <c>h</c>, <c>m</c>, <c>s</c>, <c>ms</c>, in falling
    /// order.
    /// </summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="min">The shortest allowed.</param>
    /// <param name="max">The longest allowed.</param>
    public static Parsed<TimeSpan> Duration(string text, TimeSpan min, TimeSpan max)
    {
        if (text.StartsWith('-'))
            return new Flaw($"the duration {Flaw.Show(text)} is negative", DurationExamples);
        if (TryDigits(text, out var bare, out _))
            return new Flaw($"the duration {Flaw.Show(text)} has no unit", $"write `{bare}s`");

        var total = 0L;
        var largest = long.MaxValue;
        var rest = text;
        do
        {
            var length = rest.AsSpan().IndexOfAnyExceptInRange('0', '9');
            if (length <= 0 || !TryDigits(rest[..length], out var number, out _))
                return Misread(text);

            var unit = Array.Find(DurationUnits,
                unit => rest.AsSpan(length).StartsWith(unit.Name, StringComparison.Ordinal));
            if (unit.Name is null || unit.Milliseconds >= largest)
                return Misread(text);

            largest = unit.Milliseconds;
            total += number * unit.Milliseconds;
            rest = rest[(length + unit.Name.Length)..];
        }
        while (rest.Length > 0);

        return Within(total, (long)min.TotalMilliseconds, (long)max.TotalMilliseconds, WriteMilliseconds) is { } outside
            ? outside
            : TimeSpan.FromMilliseconds(total);
    }

    /// <summary>What <see cref="Size"/> reads.</summary>
    /// <param name="min">The smallest allowed.</param>
    /// <param name="max">The largest allowed.</param>
    public static ConfigForm SizeForm(long min, long max) => new($"size, {WriteSize(min)} to {WriteSize(max)}")
    {
        Bare = BareValue.Number,
        Numbers = (min, max),
        Text = SizeText,
        Bounds = $"From {WriteSize(min)} to {WriteSize(max)}.",
    };

    /// <summary>Reads a number of bytes within bounds.</summary>
    /// <param name="text">A bare number, or one with a unit: powers of 1024 as <c>KiB</c>, powers of 1000 as
    /// <c>KB</c>.</param>
    /// <param name="min">The smallest allowed.</param>
    /// <param name="max">The largest allowed.</param>
    public static Parsed<long> Size(string text, long min, long max)
    {
        if (text.StartsWith('-'))
            return new Flaw($"the size {Flaw.Show(text)} is negative", SizeExamples);

        var length = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        var digits = length < 0 ? text : text[..length];
        var written = text[digits.Length..];
        if (!TryDigits(digits, out var number, out var flaw))
            return flaw ?? new Flaw($"{Flaw.Show(text)} is not a size", SizeExamples);

        var unit = Array.Find(SizeUnits, unit => unit.Name.Equals(written, StringComparison.OrdinalIgnoreCase));
        if (unit.Name is null)
        {
            // `32k`, `10 MB`.
            var bare = written.Trim();
            var meant = Array.Find(SizeUnits, unit => unit.Name.Equals(bare, StringComparison.OrdinalIgnoreCase)
                || (bare.Length == 1 && unit.Name.Length == 3
                    && unit.Name.StartsWith(bare, StringComparison.OrdinalIgnoreCase)));
            return new Flaw(
                $"{Flaw.Show(text)} is not a size",
                meant.Name is null ? SizeExamples : $"write `{number}{meant.Name}`");
        }

        // The largest number of digits times the largest unit would not fit.
        var bytes = number > long.MaxValue / unit.Bytes ? long.MaxValue : number * unit.Bytes;
        return Within(bytes, min, max, WriteSize) is { } outside ? outside : bytes;
    }

    /// <summary>Reads a whole percentage from 0 to 100.</summary>
    /// <param name="text">A number and a percent sign.</param>
    public static Parsed<int> Percent(string text)
    {
        if (TryDigits(text, out var bare, out _))
            return new Flaw($"the percentage {Flaw.Show(text)} has no sign", $"write `{bare}%`");
        if (text.StartsWith("0.", StringComparison.Ordinal)
            && decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share))
            return new Flaw($"the percentage {Flaw.Show(text)} has no sign", $"write `{Math.Round(share * 100):0}%`");
        if (!text.EndsWith('%') || !TryDigits(text[..^1], out var percent, out _) || percent > 100)
            return new Flaw($"{Flaw.Show(text)} is not a percentage", "write a whole number from `0%` to `100%`");

        return (int)percent;
    }

    /// <summary>A duration as the file writes it.</summary>
    /// <param name="duration">Not negative; whole milliseconds.</param>
    public static string Write(TimeSpan duration) => WriteMilliseconds((long)duration.TotalMilliseconds);

    /// <summary>A number of bytes as the file writes it.</summary>
    /// <param name="bytes">Not negative.</param>
    public static string WriteSize(long bytes) => bytes switch
    {
        0 => "0",
        _ when bytes % (1L << 30) == 0 => $"{Write(bytes >> 30)}GiB",
        _ when bytes % (1L << 20) == 0 => $"{Write(bytes >> 20)}MiB",
        _ when bytes % (1L << 10) == 0 => $"{Write(bytes >> 10)}KiB",
        _ => Write(bytes),
    };

    /// <summary>A number as the file writes it.</summary>
    /// <param name="number">Any.</param>
    public static string Write(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static Flaw Misread(string text)
        => new($"{Flaw.Show(text)} is not a duration",
            GuessDuration(text) is { } guess ? $"write `{guess}`" : DurationExamples);

    // `3 seconds`, `0.5s`, `1d`: what other programs read and this one does not.
    private static string? GuessDuration(string text)
    {
        var length = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (length is 0 or > 12 || !decimal.TryParse(
                text[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return null;

        var milliseconds = text[length..].Trim().ToLowerInvariant() switch
        {
            "ms" or "msec" or "millis" or "milliseconds" => number,
            "s" or "sec" or "secs" or "second" or "seconds" => number * 1_000,
            "m" or "min" or "mins" or "minute" or "minutes" => number * 60_000,
            "h" or "hr" or "hrs" or "hour" or "hours" => number * 3_600_000,
            "d" or "day" or "days" => number * 86_400_000,
            _ => 0,
        };
        return milliseconds >= 1 && milliseconds <= (decimal)Longest.TotalMilliseconds
            ? WriteMilliseconds((long)milliseconds)
            : null;
    }

    private static string WriteMilliseconds(long milliseconds)
    {
        if (milliseconds == 0)
            return "0s";

        var unit = DurationUnits.Where(unit => milliseconds % unit.Milliseconds == 0).MaxBy(unit => unit.Milliseconds);
        return Write(milliseconds / unit.Milliseconds) + unit.Name;
    }

    private static Flaw? Within(long number, long min, long max, Func<long, string> write)
        => number >= min && number <= max
            ? null
            : new($"{(number < 0 ? Write(number) : write(number))} is outside {write(min)} to {write(max)}",
                number < min ? $"write at least `{write(min)}`" : $"write at most `{write(max)}`");

    // Twelve digits are more than any bound below, and no product with a unit of time overflows.
    private static bool TryDigits(string text, out long number, out Flaw? flaw)
    {
        number = 0;
        flaw = null;
        if (text.Length is 0 or > 12 || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;

        number = long.Parse(text, CultureInfo.InvariantCulture);
        if (text.Length == 1 || text[0] != '0')
            return true;

        flaw = new($"{Flaw.Show(text)} begins with 0, which some YAML tools read as octal", $"write `{number}`");
        return false;
    }
}
