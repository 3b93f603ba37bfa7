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
    /// <param name="key">Hash of the affinity key, or 0 when there is none.</param>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="tried">Backends that the exchange has tried already.</param>
    /// <param name="admission">The place, which is given back with <see cref="Backend.Report"/>.</param>
    /// <returns>Null: everybody is full, or was tried.</returns>
    public Backend? Find(ulong key, long now, ReadOnlySpan<Backend> tried, out Admission admission)
    {
        var backend = FindWithin(key, now, tried, isLastResort: false, out admission);
        return backend is null && !(canWait && IsWorthWaiting(tried))
            ? FindAnywhere(key, now, tried, out admission)
            : backend;
    }

    /// <summary>Among all that have any room, whoever is spared otherwise.</summary>
    /// <param name="key">Hash of the affinity key, or 0 when there is none.</param>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="tried">Backends that the exchange has tried already.</param>
    /// <param name="admission">The place.</param>
    /// <returns>Null: everybody has <c>pool.max_connections</c>, or was tried.</returns>
    public Backend? FindAnywhere(ulong key, long now, ReadOnlySpan<Backend> tried, out Admission admission)
        => FindWithin(key, now, tried, isLastResort: true, out admission);

    // Somebody works as much as he may, and will have a place again.
    private bool IsWorthWaiting(ReadOnlySpan<Backend> tried)
    {
        foreach (var candidate in eligible)
        {
            if (!candidate.Backend.IsProtected && !WasTried(candidate.Backend, tried))
                return true;
        }

        return false;
    }

    private static bool WasTried(Backend backend, ReadOnlySpan<Backend> tried)
    {
        foreach (var other in tried)
        {
            if (ReferenceEquals(other, backend))
                return true;
        }

        return false;
    }

    private Backend? FindWithin(
        ulong key, long now, ReadOnlySpan<Backend> tried, bool isLastResort, out Admission admission)
    {
        // Others may take the last place at the picked backend first.
        for (var lost = 0; lost < Limits.PlacesLostMax; lost++)
        {
            if (selector.Pick(new(key, now, tried, isLastResort)) is not { } backend)
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
    }
}
