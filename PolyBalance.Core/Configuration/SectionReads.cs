namespace PolyBalance.Configuration;

/// <summary>Reads of sections in a section: one, a list of them, and those that the user names.</summary>
internal static class SectionReads
{
    private static readonly string[] Denials = ["false", "False", "no", "No", "none", "disabled"];

    /// <summary>Reads a subsection that is always in force: absent means every default.</summary>
    /// <typeparam name="T">What it is bound to.</typeparam>
    /// <param name="section">Where its key is.</param>
    /// <param name="key">Name of the key.</param>
    /// <param name="purpose">What it is for, in one sentence.</param>
    /// <param name="bind">Reads its keys.</param>
    public static T Section<T>(this ConfigSection section, string key, string purpose, Func<ConfigSection, T> bind)
    {
        section.Describe(key, KeyKind.Section, purpose);
        var path = Below(section, key);
        var map = section.Take(key) is { } node
            ? AsMap(section, $"`{key}`", node, path, bind, one => $"{key}: {one}")
            : null;
        return ConfigSection.Bind(map ?? section.Empty, path, section.Report, bind).Value;
    }

    /// <summary>Reads a subsection that can be <c>off</c>; the fallback holds when it is not written.</summary>
    /// <returns><see langword="null"/> when it is <c>off</c>.</returns>
    public static T? SectionOrOff<T>(
        this ConfigSection section, string key, T? fallback, string purpose, Func<ConfigSection, T> bind)
        where T : class
    {
        section.Describe(key, KeyKind.SectionOrOff, purpose, shown: fallback is null ? "off" : null);
        var path = Below(section, key);
        if (section.Report.Keys is not null)
            return ConfigSection.Bind(section.Empty, path, section.Report, bind).Value;

        var node = section.Take(key);
        if (node is ConfigScalar { IsOff: true })
            return null;
        if (node is ConfigScalar { Text: var text } && Denials.Contains(text))
        {
            section.Report.Error(node.At, $"`{key}` must be a mapping or `off`", "write `off`");
            return fallback;
        }

        var map = node is null ? null
            : AsMap(section, $"`{key}`", node, path, bind, one => $"{key}: {one}", keyOrOff: key);
        return map is null ? fallback : ConfigSection.Bind(map, path, section.Report, bind).Value;
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
        var path = Below(section, key) + "[]";
        var items = new List<Bound<T>>();
        if (section.Report.Keys is not null)
            ConfigSection.Bind(section.Empty, path, section.Report, bind);

        var node = section.Take(key);
        if (node is ConfigList list)
        {
            foreach (var item in list.Items)
            {
                if (AsElement(section, key, item, shorthand, path, bind) is { } map)
                    Keep(ConfigSection.Bind(map, path, section.Report, bind), items);
            }
        }
        else if (node is not null)
        {
            var element = shorthand is null ? Example(section, path, bind) : null;
            section.Refuse(node, WrongKind.OfList(key, node, element));
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
        var path = Below(section, key) + ".<name>";
        var entries = new List<Bound<T>>();
        if (section.Report.Keys is not null)
            ConfigSection.Bind(section.Empty, path, section.Report, inner => bind("name", inner));
        else if (section.Take(key) is { } node && AsMap(section, $"`{key}`", node, path, inner => bind("name", inner),
            one => $"{key}: {{ NAME: {one} }}") is { } map)
        {
            for (var i = 0; i < map.Entries.Count; i++)
            {
                var entry = map.Entries[i];
                var outdented = Outdented(section, map, i, path, inner => bind("name", inner));
                if (outdented == 0)
                    BindEntry(section, entry, path, bind, entries);
                i += outdented;
            }
        }

        return entries;
    }

    private static void BindEntry<T>(ConfigSection section, ConfigEntry entry, string path,
        Func<string, ConfigSection, T?> bind, List<Bound<T>> into)
        where T : class
    {
        if (entry.IsKeyPlain && YamlSurprise.Find(entry.Key) is { } flaw)
            section.Report.Error(entry.KeyAt, flaw);

        var map = entry.Value.IsNull ? section.Empty
            : AsMap(section, Flaw.Show(entry.Key), entry.Value, path, inner => bind(entry.Key, inner),
                one => $"{entry.Key}: {one}");
        if (map is not null)
        {
            Keep(ConfigSection.Bind(new ConfigMap(entry.KeyAt, map.Entries), path, section.Report,
                inner => bind(entry.Key, inner)), into);
        }
    }

    // How many entries are no names but keys that stand beside the one above them instead of in it.
    private static int Outdented<T>(
        ConfigSection section, ConfigMap map, int index, string path, Func<ConfigSection, T> bind)
    {
        if (!map.Entries[index].Value.IsNull)
            return 0;

        var keys = KeysOf(section, path, bind).Select(key => key.Name).ToList();
        var beside = map.Entries.Skip(index + 1).TakeWhile(entry => keys.Contains(entry.Key)).ToList();
        if (beside.Count > 0)
        {
            section.Report.Error(beside[0].KeyAt,
                $"`{beside[0].Key}` stands beside {Flaw.Show(map.Entries[index].Key)}, not in it", "indent it further");
        }

        return beside.Count;
    }

    private static void Keep<T>(Bound<T?> bound, List<Bound<T>> into)
        where T : class
    {
        if (bound.Value is { } value)
            into.Add(new(value, bound.Section, bound.IsSound));
    }

    private static ConfigMap? AsElement<T>(ConfigSection section, string key, ConfigNode item, string? shorthand,
        string path, Func<ConfigSection, T> bind)
    {
        if (item.IsNull)
        {
            section.Report.Error(item.At, $"an element of `{key}` is empty", "write something there, or remove it");
            return null;
        }

        return item is ConfigScalar && shorthand is not null
            ? new ConfigMap(item.At, [new(shorthand, item.At, item)])
            : AsMap(section, $"an element of `{key}`", item, path, bind, one => one);
    }

    // Where it is none, the error shows one that has a key of it.
    private static ConfigMap? AsMap<T>(ConfigSection section, string subject, ConfigNode node, string path,
        Func<ConfigSection, T> bind, Func<string, string> show, string? keyOrOff = null)
    {
        if (node is ConfigMap map)
            return map;

        section.Refuse(node, WrongKind.OfSection(subject, node, show(Example(section, path, bind)), keyOrOff));
        return null;
    }

    // The beginning of a section: a key that it must have, or else its first one.
    private static string Example<T>(ConfigSection section, string path, Func<ConfigSection, T> bind)
    {
        var keys = KeysOf(section, path, bind);
        return $"{{ {(keys.Find(key => key.IsRequired) ?? keys[0]).Name}: … }}";
    }

    private static List<ConfigKey> KeysOf<T>(ConfigSection section, string path, Func<ConfigSection, T> bind)
    {
        var report = new ConfigReport { Keys = [] };
        ConfigSection.Bind(section.Empty, path, report, bind);
        return report.Keys.FindAll(key => key.Section == path);
    }

    private static string Below(ConfigSection section, string key)
        => section.Path.Length == 0 ? key : $"{section.Path}.{key}";
}
