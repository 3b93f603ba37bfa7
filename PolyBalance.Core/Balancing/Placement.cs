using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>Finds a place for one attempt: picks a backend and takes a place at it, both or neither.</summary>
/// <remarks>
/// Immutable; any thread. Built with each new set of eligible backends, one for each tier of them. Where nobody of a
/// tier is in full service for an exchange, since it has tried all of them or they are on trial or start slowly, the
/// backups behind them are next. That the others are merely busy is no reason: backups are for failures, not for load.
/// </remarks>
/// <param name="eligible">Whom the selector was built over: one tier.</param>
/// <param name="selector">Picks among them.</param>
/// <param name="canWait">Whether a request for which there is no place now may wait for one.</param>
/// <param name="backups">Finds places at the next tier; null: there is none.</param>
internal sealed class Placement(
    ImmutableArray<Candidate> eligible, Selector selector, bool canWait = false, Placement? backups = null)
{
    /// <summary>Finds no place for anybody.</summary>
    public static readonly Placement Nowhere = new([], new Nobody());

    /// <summary>Whom it can choose from, without the backups behind them.</summary>
    public ImmutableArray<Candidate> Eligible => eligible;

    /// <summary>Picks among them.</summary>
    public Selector Selector => selector;

    /// <summary>Finds places at the next tier; null: there is none.</summary>
    public Placement? Backups => backups;

    /// <summary>
    /// First among the backends that take a request now, then among all that have any room: a backend on trial or at
    /// its slow start is spared only as long as nobody is refused for it. A request that can wait for one of the others
    /// spares it too.
    /// </summary>
    /// <param name="context">Whose place; not a last resort yet.</param>
    /// <param name="admission">The place, which is given back with <see cref="Backend.Report"/>.</param>
    /// <returns>Null: everybody is full, or was tried.</returns>
    public Backend? Find(in SelectionContext context, out Admission admission)
    {
        if (FindSparingly(context, out var isWorthWaiting, out admission) is { } backend)
            return backend;

        return isWorthWaiting && canWait ? null : FindAnywhere(context, out admission);
    }

    /// <summary>Among all that have any room, whoever is spared otherwise.</summary>
    /// <param name="context">Whose place.</param>
    /// <param name="admission">The place.</param>
    /// <returns>Null: everybody has <c>pool.max_connections</c>, or was tried.</returns>
    public Backend? FindAnywhere(in SelectionContext context, out Admission admission)
    {
        if (FindWithin(context.AsLastResort(), isLastResort: true, out admission) is { } backend)
            return backend;

        return backups is null || HasFullService(context)
            ? null
            : backups.FindAnywhere(context.AmongBackups(), out admission);
    }

    /// <summary>What <see cref="Find"/> would answer now. Moves nothing on and takes no place.</summary>
    /// <param name="context">Whose place; a glance.</param>
    public Backend? Foresee(in SelectionContext context)
        => ForeseeSparingly(context, out var isWorthWaiting)
            ?? (isWorthWaiting && canWait ? null : ForeseeAnywhere(context));

    /// <summary>What <see cref="FindAnywhere"/> would answer now.</summary>
    /// <param name="context">Whose place; a glance.</param>
    public Backend? ForeseeAnywhere(in SelectionContext context)
        => selector.Pick(context.AsLastResort())
            ?? (HasFullService(context) ? null : backups?.ForeseeAnywhere(context.AmongBackups()));

    /// <summary>Whether there is anybody whom an exchange has not tried.</summary>
    public bool HasOthersThan(ReadOnlySpan<Backend> tried)
    {
        foreach (var candidate in eligible)
        {
            if (!tried.Contains(candidate.Backend))
                return true;
        }

        return backups is not null && backups.HasOthersThan(tried);
    }

    /// <summary>Whether a backend that is spared, on trial or at its slow start, has room for a last resort.</summary>
    public bool SparesRoom
    {
        get
        {
            foreach (var candidate in eligible)
            {
                if (candidate.Backend is { IsProtected: true, IsAtMax: false })
                    return true;
            }

            return backups is not null && !HasFullService(default) && backups.SparesRoom;
        }
    }

    /// <summary>Exchanges that all of them work on, backups included.</summary>
    public long InFlight
    {
        get
        {
            var inFlight = backups?.InFlight ?? 0;
            foreach (var candidate in eligible)
                inFlight += candidate.Backend.InFlight;
            return inFlight;
        }
    }

    /// <summary>
    /// Where a request that has tried nobody yet may go now: this one, and as many of those behind it as are needed.
    /// For operators.
    /// </summary>
    public IReadOnlyList<Placement> InUse
        => backups is null || HasFullService(default) ? [this] : [this, .. backups.InUse];

    // In the first tier that has anybody in full service; null: those are busy, which is worth waiting for, or nobody
    // is in full service at all.
    private Backend? FindSparingly(
        in SelectionContext context, out bool isWorthWaiting, out Admission admission)
    {
        isWorthWaiting = false;
        if (FindWithin(context, isLastResort: false, out admission) is { } backend)
            return backend;

        isWorthWaiting = HasFullService(context);
        return isWorthWaiting || backups is null
            ? null
            : backups.FindSparingly(context.AmongBackups(), out isWorthWaiting, out admission);
    }

    private Backend? ForeseeSparingly(in SelectionContext context, out bool isWorthWaiting)
    {
        isWorthWaiting = false;
        if (selector.Pick(context) is { } backend)
            return backend;

        isWorthWaiting = HasFullService(context);
        return isWorthWaiting || backups is null
            ? null
            : backups.ForeseeSparingly(context.AmongBackups(), out isWorthWaiting);
    }

    // Somebody works as much as he may, and will have a place again.
    private bool HasFullService(in SelectionContext context)
    {
        foreach (var candidate in eligible)
        {
            if (!candidate.Backend.IsProtected && !context.Excludes(candidate.Backend))
                return true;
        }

        return false;
    }

    private Backend? FindWithin(in SelectionContext context, bool isLastResort, out Admission admission)
    {
        // Others may take the last place at the picked backend first.
        for (var lost = 0; lost < Limits.PlacesLostMax; lost++)
        {
            if (selector.Pick(context) is not { } backend)
                break;
            if (backend.TryBegin(isLastResort, out admission))
                return backend;
        }

        admission = default;
        return null;
    }

    private sealed class Nobody : Selector
    {
        public override Backend? Pick(in SelectionContext context) => null;

        public override string[] Weigh(in SelectionContext context) => [];
    }
}
