using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Balancing;

/// <summary>A backend that may receive traffic, and how much of it.</summary>
/// <param name="Backend">Whom to pick.</param>
/// <param name="Weight">
/// Its share relative to the other candidates; at least 1. Not the configured number: a backend that has just recovered
/// counts for less.
/// </param>
/// <param name="Tier">
/// 0 for those that get traffic first; a higher number is a backup, for when those of lower ones cannot be used.
/// </param>
internal readonly record struct Candidate(Backend Backend, int Weight, int Tier = 0);

/// <summary>What a selector may look at. Carries no reference to the proxy.</summary>
/// <param name="key">Hash of the affinity key, or 0 when there is none.</param>
/// <param name="now">In heartbeat time.</param>
/// <param name="draw">64 random bits, drawn for this pick.</param>
/// <param name="excluded">Backends that this exchange has tried already.</param>
/// <param name="isLastResort">Nobody took the request while slow starts and trials were respected.</param>
/// <param name="glance">Counts turns instead of taking them; null: the pick is meant.</param>
internal readonly ref struct SelectionContext(
    ulong key, long now, ulong draw, ReadOnlySpan<Backend> excluded, bool isLastResort = false, Glance? glance = null)
{
    private readonly ReadOnlySpan<Backend> _excluded = excluded;
    private readonly bool _isLastResort = isLastResort;

    /// <summary>Hash of the affinity key, or 0 when there is none.</summary>
    public ulong Key { get; } = key;

    /// <summary>In heartbeat time.</summary>
    public long Now { get; } = now;

    /// <summary>64 random bits, drawn for this pick: <see cref="Draws"/> makes of them what a selector needs.</summary>
    public ulong Draw { get; } = draw;

    /// <summary>Where the pick is foreseen and not made; null: it is made.</summary>
    public Glance? Glance { get; } = glance;

    /// <summary>Whether this exchange has tried a backend before.</summary>
    public bool IsRetry => !_excluded.IsEmpty;

    /// <summary>Whether this exchange may go to a backend: it has room, and the exchange has not tried it.</summary>
    public bool Accepts(Backend backend)
        => !(_isLastResort ? backend.IsAtMax : backend.IsFull) && !Excludes(backend);

    /// <summary>Whether the exchange has tried a backend.</summary>
    public bool Excludes(Backend backend)
    {
        foreach (var tried in _excluded)
        {
            if (ReferenceEquals(tried, backend))
                return true;
        }

        return false;
    }

    /// <summary>The same, when nobody took the request while slow starts and trials were respected.</summary>
    public SelectionContext AsLastResort() => new(Key, Now, Draw, _excluded, isLastResort: true, Glance);

    /// <summary>The same among the backups of those that could not be picked: they have turns of their own.</summary>
    public SelectionContext AmongBackups() => new(Key, Now, Draw, _excluded, _isLastResort, Glance?.OfBackups);
}

/// <summary>Picks one of the eligible backends that it was built over.</summary>
/// <remarks>
/// Any thread may call <see cref="Pick"/>; implementations take no lock and allocate nothing. A pick follows from its
/// context, the counts of the backends and whose turn it is: no selector knows the time or draws by itself.
/// </remarks>
internal abstract class Selector
{
    /// <summary>The backend for the next attempt.</summary>
    /// <returns>A backend, or <see langword="null"/> when none is left to try.</returns>
    public abstract Backend? Pick(in SelectionContext context);

    /// <summary>
    /// What speaks for and against each candidate at this moment, in a few words for operators. Moves nothing on; may
    /// allocate.
    /// </summary>
    /// <returns>In the order of the candidates that the selector was built over.</returns>
    public abstract string[] Weigh(in SelectionContext context);
}

/// <summary>
/// A pick that is foreseen and not made: counts the turns that it would take, so that they stay for those who come.
/// </summary>
/// <remarks>One thread. Passed on, it foresees several picks of one exchange, one after the other.</remarks>
internal sealed class Glance
{
    private Glance? _ofBackups;

    /// <summary>First attempts foreseen so far.</summary>
    public ulong Turns { get; set; }

    /// <summary>Retries foreseen so far.</summary>
    public ulong Retries { get; set; }

    /// <summary>What is foreseen among backups, whose turns are other ones.</summary>
    public Glance OfBackups => _ofBackups ??= new();
}

/// <summary>A named way to balance: builds a selector for each new set of eligible backends.</summary>
internal interface IBalancingAlgorithm
{
    /// <summary>The value of the config key <c>algorithm</c>.</summary>
    string Name { get; }

    /// <summary>The same algorithm with what a cluster sets of it; most have nothing to set.</summary>
    IBalancingAlgorithm For(ClusterOptions options) => this;

    /// <summary>Makes a selector over backends that may receive traffic.</summary>
    /// <param name="eligible">May be empty: the selector then always answers null.</param>
    /// <param name="previous">
    /// The selector of the same cluster that this one replaces, of any algorithm; null: there was none. Exchanges may
    /// still pick with it. What it knows of the sequence goes on, so that a change of the backends favours nobody.
    /// </param>
    /// <param name="draw">64 random bits: where a sequence begins that has not begun yet.</param>
    Selector Build(ImmutableArray<Candidate> eligible, Selector? previous, ulong draw);
}
