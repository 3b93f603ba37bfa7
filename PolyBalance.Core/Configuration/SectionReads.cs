namespace PolyBalance.Configuration;

/// <summary>Reads of sections in a section: one, a list of them, and those that the user names.</summary>
internal static class SectionReads
{
    /// <summary>Reads a subsection that is always in force: absent means every default.</summary>
    /// <typeparam name="T">What it is bound to.</typeparam>
    /// <param name="section">Where its key is.</param>
    /// <param name="key">Name of the key.</param>
    /// <param name="purpose">What it is for, in one sentence.</param>
    /// <param name="bind">Reads its keys.</param>
    public static T Section<T>(this ConfigSection section, string key, string purpose, Func<ConfigSection, T> bind)
    {
        section.Describe(key, KeyKind.Section, purpose);
        var node = section.Take(key);
        var map = node is null ? null : section.AsMap(key, node);
        return ConfigSection.Bind(map ?? section.Empty, section.Child(key), section.Report, bind).Value;
    }

    /// <summary>Reads a subsection that can be <c>off</c>; the fallback holds when it is not written.</summary>
    /// <returns><see langword="null"/> when it is <c>off</c>.</returns>
    public static T? SectionOrOff<T>(
        this ConfigSection section, string key, T? fallback, string purpose, Func<ConfigSection, T> bind)
        where T : class
    {
        section.Describe(key, KeyKind.SectionOrOff, purpose, shown: fallback is null ? "off" : null);
        if (section.Report.Keys is not null)
            return ConfigSection.Bind(section.Empty, section.Child(key), section.Report, bind).Value;

        var node = section.Take(key);
        if (node is ConfigScalar { IsOff: true })
            return null;
        if (node is ConfigScalar { Text: "false" or "no" or "none" or "disabled" or "False" or "No" })
        {
            section.Report.Error(node.At, $"`{key}` must be a mapping or `off`", "write `off`");
            return fallback;
        }

        return node is null || section.AsMap(key, node) is not { } map
            ? fallback
            : ConfigSection.Bind(map, section.Child(key), section.Report, bind).Value;
    }

    /// <summary>
    /// Reads a list of sections; an element that is a single value gives the key <c>shorthand</c>, if there is one.
    /// </summary>
    /// <returns>The elements that could be bound.</returns>
    public static List<Bound<T>> Items<T>(
        this ConfigSection section, string key, string? shorthand, string purpose, Func<ConfigSection, T?> bind)
        where T : class
    {
        section.Describe(key, KeyKind.Items, purpose, shorthand: shorthand);
        var path = section.Child(key) + "[]";
        var items = new List<Bound<T>>();
        if (section.Report.Keys is not null)
            ConfigSection.Bind(section.Empty, path, section.Report, bind);
        else if (section.Take(key) is { } node && section.AsList(key, node) is { } list)
        {
            foreach (var item in list.Items)
            {
                var map = item is ConfigScalar && shorthand is not null
                    ? new ConfigMap(item.At, [new(shorthand, item.At, item)])
                    : section.AsMap($"an element of {key}", item);
                if (map is not null)
                    Keep(ConfigSection.Bind(map, path, section.Report, bind), items);
            }
        }

        return items;
    }

    /// <summary>Reads a mapping whose keys are names that the user chooses.</summary>
    /// <returns>The entries that could be bound.</returns>
    public static List<Bound<T>> Entries<T>(this ConfigSection section, string key, TextForm names, string purpose,
        Func<string, ConfigSection, T?> bind)
        where T : class
    {
        section.Describe(key, KeyKind.Entries, purpose, names: names);
        var entries = new List<Bound<T>>();
        if (section.Report.Keys is not null)
        {
            ConfigSection.Bind(section.Empty, section.Child(key) + ".<name>", section.Report,
                inner => bind("name", inner));
        }
        else if (section.Take(key) is { } node && section.AsMap(key, node) is { } map)
        {
            foreach (var entry in map.Entries)
            {
                if (entry.IsKeyPlain && YamlSurprise.Find(entry.Key) is { } flaw)
                    section.Report.Error(entry.KeyAt, flaw);

                var value = entry.Value.IsNull ? section.Empty : section.AsMap(entry.Key, entry.Value);
                if (value is null)
                    continue;

                var named = new ConfigMap(entry.KeyAt, value.Entries);
                Keep(ConfigSection.Bind(named, $"{section.Child(key)}.{entry.Key}", section.Report,
                    inner => bind(entry.Key, inner)), entries);
            }
        }

        return entries;
    }

    private static void Keep<T>(Bound<T?> bound, List<Bound<T>> into)
        where T : class
    {
        if (bound.Value is { } value)
            into.Add(new(value, bound.Section));
    }
}
