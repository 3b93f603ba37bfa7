namespace PolyBalance.Configuration;

/// <summary>The list of every configuration key, made by the very code that reads them.</summary>
public static class ConfigReference
{
    /// <summary>
    /// One line per key: its name, <c>=</c> and its default if it has one, what may be written, and what it is for.
    /// Stable, so that a test can compare it. Elements of lists are <c>[]</c>.
    /// </summary>
    public static string Describe() => string.Concat(Keys().Select(key => key + "\n"));

    /// <summary>Every key; a section comes before the keys in it.</summary>
    internal static IReadOnlyList<ConfigKey> Keys() => Keys(ProxyOptions.BindFrom);

    /// <summary>Every key that a reader asks for.</summary>
    /// <typeparam name="T">What it reads.</typeparam>
    /// <param name="bind">The reader.</param>
    internal static IReadOnlyList<ConfigKey> Keys<T>(Func<ConfigSection, T> bind)
    {
        var report = new ConfigReport { Keys = [] };
        ConfigSection.Bind(new ConfigMap(new("", 0, 0), []), "", report, bind);
        return report.Keys;
    }
}
