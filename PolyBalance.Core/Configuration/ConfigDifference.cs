namespace PolyBalance.Configuration;

/// <summary>A value that is another one.</summary>
/// <param name="Title">Whose: <c>cluster web</c>.</param>
/// <param name="Key">Which: <c>health.interval</c>.</param>
/// <param name="Before">What it was; empty where there was none.</param>
/// <param name="After">What it is; empty where there is none.</param>
internal readonly record struct ChangedValue(string Title, string Key, string Before, string After)
{
    /// <summary>The line that people read: <c>cluster web: health.interval 10s → 5s</c>.</summary>
    public override string ToString() => $"{Title}: {Key} {Show(Before)} → {Show(After)}";

    private static string Show(string value) => value.Length == 0 ? "(none)" : value;
}

/// <summary>How one configuration differs from another: what came, what went, which values are other ones.</summary>
internal sealed class ConfigDifference
{
    private static readonly string[] NeedsRestart = ["transport", "workers"];

    private readonly List<string> _added = [];
    private readonly List<string> _removed = [];
    private readonly List<ChangedValue> _changed = [];
    private readonly List<ChangedValue> _atRestart = [];
    private readonly List<string> _kept = [];

    private ConfigDifference()
    {
    }

    /// <summary>Listeners, routes, clusters and backends that only the later one has.</summary>
    public IReadOnlyList<string> Added => _added;

    /// <summary>Those that only the earlier one has.</summary>
    public IReadOnlyList<string> Removed => _removed;

    /// <summary>Values that differ, of things that both have.</summary>
    public IReadOnlyList<ChangedValue> Changed => _changed;

    /// <summary>Values that differ and that a running process cannot take up.</summary>
    public IReadOnlyList<ChangedValue> AtRestart => _atRestart;

    /// <summary>Things that are the same in both.</summary>
    public IReadOnlyList<string> Kept => _kept;

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _added.Count + _removed.Count + _changed.Count + _atRestart.Count == 0;

    /// <summary>Compares two configurations.</summary>
    public static ConfigDifference Between(ProxyOptions before, ProxyOptions after)
    {
        var difference = new ConfigDifference();
        var known = new Dictionary<string, AppliedGroup>(StringComparer.Ordinal);
        foreach (var group in AppliedValues.Of(before))
            known[group.Title] = group;

        foreach (var group in AppliedValues.Of(after))
        {
            if (known.Remove(group.Title, out var earlier))
                difference.Compare(earlier, group);
            else
                difference._added.Add(group.Title);
        }

        difference._removed.AddRange(known.Keys);
        return difference;
    }

    private void Compare(AppliedGroup earlier, AppliedGroup later)
    {
        var isSame = true;
        var former = earlier.Values.ToDictionary(value => value.Key, value => value.Value, StringComparer.Ordinal);
        foreach (var (key, value) in later.Values)
        {
            former.Remove(key, out var was);
            isSame &= was == value;
            if (was != value)
                Add(new(later.Title, key, was ?? "", value));
        }

        // What a section had before it was turned off.
        isSame &= former.Count == 0;
        foreach (var (key, was) in former)
            Add(new(later.Title, key, was, ""));

        if (isSame)
            _kept.Add(later.Title);
    }

    private void Add(ChangedValue change)
    {
        if (change.Title == "gateway" && NeedsRestart.Contains(change.Key, StringComparer.Ordinal))
            _atRestart.Add(change);
        else
            _changed.Add(change);
    }
}
