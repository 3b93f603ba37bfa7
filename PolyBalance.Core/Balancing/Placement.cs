using System.Collections.Immutable;
using PolyBalance.Backends;

namespace PolyBalance.Balancing;

/// <summary>Finds a place for one attempt: picks a backend and takes a place at it, both or neither.</summary>
/// <remarks>Immutable; any thread. Built with each new set of eligible backends.</remarks>
/// <param name="eligible">Whom the selector was built over.</param>
/// <param name="selector">Picks among them.</param>
/// <param name="canWait">Whether a request for which there is no place now may wait for one.</param>
internal sealed class Placement(ImmutableArray<Candidate> eligible, Selector selector, bool canWait = false)
{
    /// <summary>Finds no place for anybody.</summary>
    public static readonly Placement Nowhere = new([], new Nobody());

    /// <summary>Whom it can choose from.</summary>
    public ImmutableArray<Candidate> Eligible => eligible;

    /// <summary>Picks among them.</summary>
    public Selector Selector => selector;

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
        var backend = FindWithin(context, isLastResort: false, out admission);
        return backend is null && !(canWait && IsWorthWaiting(context))
            ? FindAnywhere(context, out admission)
            : backend;
    }

    /// <summary>Among all that have any room, whoever is spared otherwise.</summary>
    /// <param name="context">Whose place.</param>
    /// <param name="admission">The place.</param>
    /// <returns>Null: everybody has <c>pool.max_connections</c>, or was tried.</returns>
    public Backend? FindAnywhere(in SelectionContext context, out Admission admission)
        => FindWithin(context.AsLastResort(), isLastResort: true, out admission);

    /// <summary>What <see cref="Find"/> would answer now. Moves nothing on and takes no place.</summary>
    /// <param name="context">Whose place; a glance.</param>
    public Backend? Foresee(in SelectionContext context)
        => selector.Pick(context) ?? (canWait && IsWorthWaiting(context) ? null : ForeseeAnywhere(context));

    /// <summary>What <see cref="FindAnywhere"/> would answer now.</summary>
    /// <param name="context">Whose place; a glance.</param>
    public Backend? ForeseeAnywhere(in SelectionContext context) => selector.Pick(context.AsLastResort());

    /// <summary>Whether there is anybody whom an exchange has not tried.</summary>
    public bool HasOthersThan(ReadOnlySpan<Backend> tried)
    {
        var context = new SelectionContext(key: 0, now: 0, draw: 0, tried);
        foreach (var candidate in eligible)
        {
            if (!context.Excludes(candidate.Backend))
                return true;
        }

        return false;
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

            return false;
        }
    }

    // Somebody works as much as he may, and will have a place again.
    private bool IsWorthWaiting(in SelectionContext context)
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
