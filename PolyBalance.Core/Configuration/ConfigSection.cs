namespace PolyBalance.Configuration;

/// <summary>
/// A value with the section it was bound from, for checks that compare values and must point at one of them.
/// </summary>
/// <typeparam name="T">An options record.</typeparam>
/// <param name="Value">What was bound.</param>
/// <param name="Section">Where it stands.</param>
/// <param name="IsSound">Whether nothing in it was wrong, so that it means what the user wants.</param>
internal readonly record struct Bound<T>(T Value, ConfigSection Section, bool IsSound);

/// <summary>Reads the keys of one mapping: typed, bounded and recorded. Keys that nobody reads are errors.</summary>
/// <remarks>
/// Each read says name, type, bounds, default and purpose once. Against a configuration that yields values and
/// errors; against an empty one with a list for keys in its report it yields the reference and the schema. See <see
/// cref="ConfigReference"/>.
/// </remarks>
internal sealed class ConfigSection
{
    private readonly ConfigMap _map;
    private readonly List<string> _keys = [];
    private readonly HashSet<string> _flawed = [];
    private readonly HashSet<string> _required = [];
    private readonly HashSet<string> _filled = [];
    private readonly List<(Position At, string[] Keys, string Remedy)> _missing = [];
    private IReadOnlyList<string> _alternatives = [];

    private ConfigSection(ConfigMap map, string path, ConfigReport report)
        => (_map, Path, Report) = (map, path, report);

    /// <summary>
    /// Where such sections are in a configuration: <c>clusters.&lt;name&gt;.pool</c>; empty for the whole.
    /// </summary>
    public string Path { get; }

    /// <summary>Takes the errors.</summary>
    public ConfigReport Report { get; }

    /// <summary>Where the section begins.</summary>
    public Position At => _map.At;

    /// <summary>Binds a mapping: every key that <paramref name="bind"/> leaves unread is an error.</summary>
    /// <typeparam name="T">What is bound.</typeparam>
    /// <param name="map">The keys and values.</param>
    /// <param name="path">Its place in the configuration.</param>
    /// <param name="report">Takes the errors.</param>
    /// <param name="bind">Reads the keys.</param>
    public static Bound<T> Bind<T>(ConfigMap map, string path, ConfigReport report, Func<ConfigSection, T> bind)
    {
        var section = new ConfigSection(map, path, report);
        var errorsBefore = report.ErrorCount;
        var value = bind(section);
        foreach (var (entry, unknown) in section.Unknown())
            report.Error(entry.KeyAt, $"unknown key {Flaw.Show(entry.Key)}", unknown.Remedy);
        foreach (var (at, keys, remedy) in section._missing)
        {
            // Who misspells a key has one thing to mend, not two.
            if (!Array.TrueForAll(keys, section.IsAbsent))
                continue;

            var empty = Array.Find(keys, key => map.Find(key) is not null);
            report.Error(at, empty is null ? $"`{keys[0]}` is missing" : $"`{empty}` is empty", remedy);
        }

        return new(value, section, report.ErrorCount == errorsBefore);
    }

    /// <summary>
    /// Whether the user did not give the key a value, and does not seem to have misspelled it either. To be asked when
    /// every key of the section has been read.
    /// </summary>
    /// <param name="key">Which key.</param>
    public bool IsAbsent(string key)
        => !IsWritten(key) && Unknown().All(unknown => unknown.Found.Meant != key);

    /// <summary>Whether the user gave the key a value, readable or not.</summary>
    /// <param name="key">Which key.</param>
    public bool IsWritten(string key) => _map.Find(key) is { Value.IsNull: false };

    /// <summary>Whether the user gave the key a value that could be read, so that comparing it makes sense.</summary>
    /// <param name="key">A key that was read.</param>
    public bool IsReadable(string key) => IsWritten(key) && !_flawed.Contains(key);

    /// <summary>Whether the user gave the key a value that could not be read, which is reported already.</summary>
    /// <param name="key">A key that was read.</param>
    public bool IsUnreadable(string key) => IsWritten(key) && _flawed.Contains(key);

    /// <summary>Where errors about a key point: at its value, or at the section when it is not written.</summary>
    /// <param name="key">Which key.</param>
    public Position PositionOf(string key) => _map.Find(key)?.Value.At ?? At;

    /// <summary>A section without keys in the same place.</summary>
    public ConfigMap Empty => new(At, []);

    /// <summary>Where the section is, as a part of a sentence.</summary>
    public string Place => At.Line == 0 ? $"in {At.File}" : $"at line {At.Line}";

    /// <summary>Where errors about the key itself point.</summary>
    /// <param name="key">Which key.</param>
    public Position KeyPositionOf(string key) => _map.Find(key)?.KeyAt ?? At;

    /// <summary>Whether the user wrote an empty list.</summary>
    /// <param name="key">Which key.</param>
    public bool IsEmptyList(string key) => _map.Find(key)?.Value is ConfigList { Items.Count: 0 };

    /// <summary>The keys of a mapping in a mapping, whatever their values are.</summary>
    /// <param name="key">Which mapping.</param>
    public IReadOnlyList<string> KeysOf(string key)
        => _map.Find(key)?.Value is ConfigMap map ? [.. map.Entries.Select(entry => entry.Key)] : [];

    /// <summary>Reads a value of any type.</summary>
    /// <typeparam name="T">What it means.</typeparam>
    /// <param name="key">Name of the key.</param>
    /// <param name="fallback">Its value when it is not written.</param>
    /// <param name="form">What may be written.</param>
    /// <param name="shown">The default as the file would write it, for the reference; <see langword="null"/> for
    /// none.</param>
    /// <param name="purpose">What it is for, in one sentence.</param>
    /// <param name="parse">Turns the text into the value.</param>
    public T Value<T>(
        string key, T fallback, ConfigForm form, string? shown, string purpose, Func<string, Parsed<T>> parse)
    {
        Describe(key, KeyKind.Value, purpose, form, shown);
        if (Take(key) is not { } node)
            return fallback;

        var parsed = node is ConfigScalar scalar
            ? parse(scalar.Text)
            : WrongKind.OfValue($"`{key}`", key, node, text => parse(text).Flaw is null);
        if (parsed.Flaw is not { } flaw)
            return parsed.Value;

        _flawed.Add(key);
        Report.Error(node.At, flaw);
        return fallback;
    }

    /// <summary>
    /// Reads a value that the user words freely, refusing bare words that YAML tools take for something else.
    /// </summary>
    public T Word<T>(
        string key, T fallback, ConfigForm form, string? shown, string purpose, Func<string, Parsed<T>> parse)
    {
        var isPlain = _map.Find(key)?.Value is ConfigScalar { IsPlain: true };
        return Value(key, fallback, form, shown, purpose,
            text => isPlain && YamlSurprise.Find(text) is { } flaw ? flaw : parse(text));
    }

    /// <summary>Reads free text, refusing bare words that YAML tools take for something else.</summary>
    public string? Text(
        string key, string? fallback, ConfigForm form, string purpose, Func<string, Parsed<string>> parse)
        => Word(key, fallback, form, fallback, purpose, text =>
        {
            var parsed = parse(text);
            return new Parsed<string?>(parsed.Value, parsed.Flaw);
        });

    /// <summary>Reads a value that must be there; the remedy says what to write when it is missing.</summary>
    /// <returns><see langword="null"/> when it is missing or wrong; that is reported.</returns>
    public T? Required<T>(string key, ConfigForm form, string purpose, string remedy, Func<string, Parsed<T>> parse)
        where T : class
    {
        RequireWritten(key, remedy);
        return Value<T?>(key, null, form, null, purpose, text =>
        {
            var parsed = parse(text);
            return new Parsed<T?>(parsed.Value, parsed.Flaw);
        });
    }

    /// <summary>Reports a key that must be written and is not. To be said before the key is read.</summary>
    /// <param name="key">Which key.</param>
    /// <param name="remedy">What to write.</param>
    /// <param name="whenEmpty">What is wrong when nothing is in it; <see langword="null"/>: it may be empty.</param>
    public void RequireWritten(string key, string remedy, string? whenEmpty = null)
    {
        _required.Add(key);
        if (whenEmpty is not null)
            _filled.Add(key);

        if (!IsWritten(key))
            _missing.Add((KeyPositionOf(key), [key], remedy));
        else if (whenEmpty is not null
            && _map.Find(key)!.Value is ConfigList { Items.Count: 0 } or ConfigMap { Entries.Count: 0 })
            Report.Error(PositionOf(key), whenEmpty, remedy);
    }

    /// <summary>
    /// Reports a section that has none of several keys, or more than one of them. To be said before they are read.
    /// </summary>
    /// <param name="keys">All of them; the first one is missed where there is none.</param>
    /// <param name="remedy">What to write.</param>
    public void RequireOneOf(IReadOnlyList<string> keys, string remedy)
    {
        _alternatives = keys;
        var written = keys.Where(IsWritten).ToList();
        if (written.Count == 0)
        {
            var empty = keys.FirstOrDefault(key => _map.Find(key) is not null);
            _missing.Add((empty is null ? At : KeyPositionOf(empty), [.. keys], remedy));
        }

        foreach (var key in written.Skip(1))
        {
            Report.Error(KeyPositionOf(key), $"`{key}` stands beside `{written[0]}`",
                "keep one of the two, or make two elements of them");
        }
    }

    /// <summary>Reads a list of single values.</summary>
    public EquatableArray<T> List<T>(string key, ConfigForm form, string purpose, Func<string, Parsed<T>> parse)
    {
        Describe(key, KeyKind.List, purpose, form, "[]");
        if (Take(key) is not { } node)
            return [];

        var values = new List<T>();
        if (node is not ConfigList list)
        {
            Refuse(node, WrongKind.OfList(key, node, element: null));
            return [];
        }

        foreach (var item in list.Items)
        {
            if (item is not ConfigScalar scalar)
            {
                Refuse(item, WrongKind.OfValue($"an element of `{key}`", key, item, _ => false));
                continue;
            }

            var parsed = parse(scalar.Text);
            if (parsed.Flaw is { } flaw)
                Report.Error(scalar.At, flaw);
            else
                values.Add(parsed.Value);
        }

        return [.. values];
    }

    /// <summary>Reads a mapping of single values whose keys the user chooses.</summary>
    public EquatableArray<T> Pairs<T>(
        string key, TextForm names, ConfigForm form, string purpose, Func<string, string, Parsed<T>> parse)
    {
        Describe(key, KeyKind.Pairs, purpose, form, names: names);
        if (Take(key) is not { } node)
            return [];

        var values = new List<T>();
        if (node is not ConfigMap map)
        {
            Refuse(node, WrongKind.OfSection($"`{key}`", node, $"{key}: {{ NAME: … }}", keyOrOff: null));
            return [];
        }

        foreach (var entry in map.Entries)
        {
            if (entry.Value is not ConfigScalar scalar)
            {
                Refuse(entry.Value, WrongKind.OfValue(Flaw.Show(entry.Key), entry.Key, entry.Value, _ => false));
                continue;
            }

            var parsed = scalar.IsPlain && YamlSurprise.Find(scalar.Text) is { } surprise
                ? surprise
                : parse(entry.Key, scalar.Text);
            if (parsed.Flaw is { } flaw)
                Report.Error(scalar.At, flaw);
            else
                values.Add(parsed.Value);
        }

        return [.. values];
    }

    /// <summary>
    /// What the user wrote, to be read now; <see langword="null"/> when nothing was written, or when what is wrong with
    /// it has been reported.
    /// </summary>
    /// <param name="key">Which key.</param>
    public ConfigNode? Take(string key)
    {
        _keys.Add(key);
        return _map.Find(key)?.Value is { IsNull: false } node and not ConfigUnreadable ? node : null;
    }

    /// <summary>Reports a value that is built in another way than its key wants.</summary>
    /// <param name="node">The value.</param>
    /// <param name="flaw">What is wrong with it.</param>
    public void Refuse(ConfigNode node, Flaw flaw)
    {
        if (node is not ConfigUnreadable)
            Report.Error(node.At, flaw);
    }

    /// <summary>Tells the reference of a key, when it is the reference that asks.</summary>
    /// <param name="key">Name of the key.</param>
    /// <param name="kind">How its value is built.</param>
    /// <param name="purpose">What it is for, in one sentence.</param>
    /// <param name="form">What each single value may be.</param>
    /// <param name="shown">The default as the file would write it.</param>
    /// <param name="names">What the names may be that the user chooses.</param>
    /// <param name="shorthand">The key of an element that a single value stands for.</param>
    public void Describe(string key, KeyKind kind, string purpose, ConfigForm? form = null, string? shown = null,
        TextForm? names = null, string? shorthand = null)
        => Report.Keys?.Add(new(Path, key, kind, purpose)
        {
            Form = form,
            Names = names,
            Default = shown,
            Shorthand = shorthand,
            IsRequired = _required.Contains(key),
            IsFilled = _filled.Contains(key),
            Alternatives = _alternatives.Contains(key) ? _alternatives : [],
        });

    // Keys that were written and not read.
    private IEnumerable<(ConfigEntry Entry, UnknownKey Found)> Unknown()
    {
        ConfigEntry? before = null;
        foreach (var entry in _map.Entries)
        {
            if (!_keys.Contains(entry.Key))
            {
                var place = Report.IsOfFile ? KeyPlaces.Of(entry.Key, Path) : null;
                yield return (entry, UnknownKey.Explain(entry, before, _map, _keys, place));
            }

            before = entry;
        }
    }
}
