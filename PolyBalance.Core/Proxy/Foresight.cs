using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Topology;

namespace PolyBalance.Proxy;

/// <summary>What becomes of a request before any backend sees it.</summary>
internal enum Course : byte
{
    /// <summary>A backend gets it at once.</summary>
    Sent,

    /// <summary>It waits for a place in the queue of its cluster.</summary>
    Waits,

    /// <summary>It is refused.</summary>
    Refused,
}

/// <summary>Where the first attempt of an exchange goes.</summary>
/// <param name="Course">Whether it goes anywhere.</param>
/// <param name="Backend">Who gets it, or for whom it waits; null: nobody in particular.</param>
/// <param name="IsSession">Whether a session decides that.</param>
/// <param name="Failure">Why it is refused.</param>
internal readonly record struct FirstStep(
    Course Course, Backend? Backend, bool IsSession = false, FailureKind Failure = FailureKind.None);

/// <summary>
/// Says what <see cref="ProxyHandler"/> would choose now, and changes nothing: nobody loses a turn or a place by it.
/// </summary>
/// <remarks>
/// Any thread. By the rules of the request path, in its order; exact for as long as nothing else happens. A test asks
/// before ten thousand exchanges and compares.
/// </remarks>
internal static class Foresight
{
    /// <summary>The first attempt.</summary>
    /// <param name="cluster">Where the request's route leads.</param>
    /// <param name="session">The session that it belongs to.</param>
    /// <param name="context">What a selector would go by; a glance, and nobody was tried.</param>
    public static FirstStep Of(Cluster cluster, in StickySession session, in SelectionContext context)
    {
        var home = session.Home is { KeepsSessions: true } keeper ? keeper : null;
        if (home is { CouldResume: true })
            return new(Course.Sent, home, IsSession: true);

        var canWait = cluster.Queue.IsOpen;
        if (home is { IsProtected: false } && canWait)
            return new(Course.Waits, home, IsSession: true);

        if (cluster.ForeseeNow(context) is { } backend)
            return new(Course.Sent, backend);

        if (cluster.Eligible.IsEmpty)
            return new(Course.Refused, null, Failure: FailureKind.NoEligibleBackend);

        return canWait
            ? new(Course.Waits, null)
            : new(Course.Refused, null, Failure: FailureKind.PoolExhausted);
    }

    /// <summary>Whom further attempts would be made at, should each one before have failed, in their order.</summary>
    /// <param name="cluster">Where the request's route leads.</param>
    /// <param name="first">Who got the first attempt.</param>
    /// <param name="key">Hash of the affinity key, or 0.</param>
    /// <param name="draw">Random bits for all of them.</param>
    /// <param name="glance">The one of the first attempt: turns are counted on.</param>
    public static List<Backend> After(Cluster cluster, Backend first, ulong key, ulong draw, Glance glance)
    {
        var tried = new List<Backend> { first };
        while (tried.Count < cluster.AttemptsMax && cluster.Placement.HasOthersThan([.. tried]))
        {
            var context = new SelectionContext(key, first.Now, draw + (ulong)tried.Count, [.. tried], glance: glance);
            if (cluster.ForeseeNow(context) is not { } next)
                break;

            tried.Add(next);
        }

        tried.RemoveAt(0);
        return tried;
    }
}
