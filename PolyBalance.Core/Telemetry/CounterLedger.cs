using System.Globalization;

namespace PolyBalance.Telemetry;

/// <summary>
/// What counters have come to, by name: on its way from one process to the next, so that no counter falls when one
/// takes the place of the other.
/// </summary>
/// <remarks>
/// Whoever owns counters walks over them once, and the ledger decides in which direction: it reads them, or adds to
/// them what another process has read. Names it does not know are left alone, so either side may be the newer one.
/// One owner.
/// </remarks>
internal sealed class CounterLedger
{
    private const string Total = "total";

    private readonly bool _isGiving;

    private CounterLedger(Dictionary<string, Dictionary<string, long>> groups, bool isGiving)
    {
        Groups = groups;
        _isGiving = isGiving;
    }

    /// <summary>The figures, by group and name; zeros are left out.</summary>
    public Dictionary<string, Dictionary<string, long>> Groups { get; }

    /// <summary>Whether there is nothing in it.</summary>
    public bool IsEmpty => Groups.Count == 0;

    /// <summary>A ledger that reads counters.</summary>
    public static CounterLedger ToRead() => new([], isGiving: false);

    /// <summary>A ledger that adds to counters.</summary>
    /// <param name="groups">What another one has read.</param>
    public static CounterLedger ToAdd(Dictionary<string, Dictionary<string, long>> groups)
        => new(groups, isGiving: true);

    /// <summary>What has come since an earlier reading.</summary>
    public CounterLedger Since(CounterLedger earlier)
    {
        var since = ToRead();
        foreach (var (group, figures) in Groups)
        {
            foreach (var (name, figure) in figures)
                since.Read(group, name, figure - earlier.FigureOf(group, name));
        }

        return since;
    }

    /// <summary>One figure that is no counter of ours.</summary>
    /// <param name="group">Whose.</param>
    /// <param name="name">Which.</param>
    /// <param name="value">What it is.</param>
    /// <param name="add">Adds to it.</param>
    public void Carry(string group, string name, long value, Action<long> add)
    {
        if (!_isGiving)
            Read(group, name, value);
        else if (FigureOf(group, name) is var figure and not 0)
            add(figure);
    }

    /// <summary>Counters by kind.</summary>
    /// <param name="group">Whose.</param>
    /// <param name="counters">The counters.</param>
    /// <param name="labels">What the kinds are called.</param>
    public void Carry(string group, EventCounters counters, ReadOnlySpan<string> labels)
    {
        for (var kind = 0; kind < labels.Length; kind++)
        {
            var each = kind;
            Carry(group, labels[kind], counters[kind], figure => counters.Add(each, figure));
        }
    }

    /// <summary>Counters by status code.</summary>
    public void Carry(string group, StatusCounters counters) => Carry(group, "", counters);

    /// <summary>Counters by method and status code.</summary>
    /// <param name="group">Whose.</param>
    /// <param name="counters">The counters.</param>
    /// <param name="methods">What the methods are called, by number.</param>
    public void Carry(string group, RequestCounters counters, ReadOnlySpan<string> methods)
    {
        for (var method = 0; method < methods.Length; method++)
        {
            if (_isGiving ? HasAny(group, methods[method] + " ") : counters.Has(method))
                Carry(group, methods[method] + " ", counters.StatusesOf(method));
        }
    }

    /// <summary>Durations, each as the middle of its bucket.</summary>
    public void Carry(string group, LatencyHistogram durations)
    {
        if (!_isGiving)
        {
            var fold = durations.Fold();
            foreach (var (ticks, count) in fold.Counts())
                Read(group, Text(ticks), count);
            Read(group, Total, fold.Ticks);
        }
        else if (Groups.TryGetValue(group, out var figures))
        {
            foreach (var (name, count) in figures)
            {
                if (long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
                    durations.Add(ticks, count);
            }

            durations.AddTotal(FigureOf(group, Total));
        }
    }

    private void Carry(string group, string prefix, StatusCounters counters)
    {
        if (!_isGiving)
        {
            foreach (var (status, count) in counters.Counts())
                Read(group, prefix + Text(status), count);
        }
        else if (Groups.TryGetValue(group, out var figures))
        {
            foreach (var (name, count) in figures)
            {
                if (name.StartsWith(prefix, StringComparison.Ordinal)
                    && int.TryParse(
                        name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
                    && status < StatusCounters.Codes)
                {
                    counters.Add(status, count);
                }
            }
        }
    }

    private bool HasAny(string group, string prefix)
    {
        if (Groups.TryGetValue(group, out var figures))
        {
            foreach (var name in figures.Keys)
            {
                if (name.StartsWith(prefix, StringComparison.Ordinal))
                    return true;
            }
        }

        return false;
    }

    private void Read(string group, string name, long figure)
    {
        if (figure == 0)
            return;

        if (!Groups.TryGetValue(group, out var figures))
            Groups[group] = figures = new(StringComparer.Ordinal);
        figures[name] = figures.GetValueOrDefault(name) + figure;
    }

    private long FigureOf(string group, string name)
        => Groups.GetValueOrDefault(group)?.GetValueOrDefault(name) ?? 0;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
