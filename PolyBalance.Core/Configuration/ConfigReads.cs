namespace PolyBalance.Configuration;

/// <summary>
/// Reads of a section by type: each describes type, bounds and default for the reference, and holds the value to
/// them.
/// </summary>
internal static class ConfigReads
{
    /// <summary>Reads a whole number from <c>min</c> to <c>max</c>.</summary>
    public static int Count(this ConfigSection section, string key, int fallback, int min, int max, string purpose)
        => section.Value(key, fallback, Quantity.CountForm(min, max), Quantity.Write(fallback), purpose,
            text => Quantity.Count(text, min, max));

    /// <summary>Reads a duration from <c>min</c> to <c>max</c>.</summary>
    public static TimeSpan Duration(
        this ConfigSection section, string key, TimeSpan fallback, TimeSpan min, TimeSpan max, string purpose)
        => section.Value(key, fallback, Quantity.DurationForm(min, max), Quantity.Write(fallback), purpose,
            text => Quantity.Duration(text, min, max));

    /// <summary>
    /// Reads a duration from <c>min</c> to <c>max</c>, or <c>off</c>, which is <see langword="null"/>.
    /// </summary>
    public static TimeSpan? DurationOrOff(
        this ConfigSection section, string key, TimeSpan? fallback, TimeSpan min, TimeSpan max, string purpose)
    {
        var form = Quantity.DurationForm(min, max);
        return section.Value(key, fallback, form.Or("off", $"{form.Words}; or off"),
            fallback is { } shown ? Quantity.Write(shown) : "off", purpose, text =>
            {
                if (text == "off")
                    return new Parsed<TimeSpan?>(null, null);

                var parsed = Quantity.Duration(text, min, max);
                return new(parsed.Value, parsed.Flaw is { } flaw && !text.Any(char.IsAsciiDigit)
                    ? flaw with { Remedy = flaw.Remedy + ", or `off`" }
                    : parsed.Flaw);
            });
    }

    /// <summary>Reads a number of bytes from <c>min</c> to <c>max</c>.</summary>
    public static int Size(this ConfigSection section, string key, int fallback, int min, int max, string purpose)
        => section.Value(key, fallback, Quantity.SizeForm(min, max), Quantity.WriteSize(fallback), purpose, text =>
            {
                var parsed = Quantity.Size(text, min, max);
                return new((int)parsed.Value, parsed.Flaw);
            });

    /// <summary>Reads a percentage.</summary>
    public static int Percent(this ConfigSection section, string key, int fallback, string purpose)
        => section.Value(key, fallback, Quantity.PercentForm, $"{Quantity.Write(fallback)}%", purpose,
            Quantity.Percent);

    /// <summary>Reads one of a few words.</summary>
    public static T Choice<T>(
        this ConfigSection section, string key, T fallback, IReadOnlyList<(string Name, T Value)> choices,
        string purpose)
        where T : struct, Enum
    {
        string[] names = [.. choices.Select(choice => choice.Name)];
        return section.Value(key, fallback, ConfigForm.OneOf(names),
            choices.First(choice => choice.Value.Equals(fallback)).Name,
            purpose, text =>
            {
                foreach (var (name, value) in choices)
                {
                    if (text == name)
                        return value;
                }

                return new Flaw($"{Flaw.Show(text)} is no {key}", NearestName.Suggest(text, names, "write one of"));
            });
    }
}
