using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Topology;

/// <summary>Who is ejected and who returns: the one place that changes the stage of a backend.</summary>
/// <remarks>
/// Runs on the store's loop, one cluster after the other, so that its two promises are exact: never more than half of
/// the cluster's backends, rounded down, are out of service because of their traffic, and never the last one that could
/// be used. What is in flight at a backend when it is ejected goes on.
/// </remarks>
internal static class Ejections
{
    /// <summary>Takes the next step of every backend of a cluster.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="backends">Its backends, in the order of the options.</param>
    /// <param name="now">In heartbeat time.</param>
    public static void Settle(ClusterOptions options, ImmutableArray<Backend> backends, long now)
    {
        // First who comes back, then whether somebody is left at all, and only then who goes.
        foreach (var backend in backends)
            Advance(backend, now);
        KeepOneInService(options, backends, now);
        for (var index = 0; index < backends.Length; index++)
        {
            if (backends[index].Passive is { Stage: ServiceStage.InService, Rules: not null, Cause: { } cause })
                TryEject(options, backends, index, cause, now);
        }
    }

    // One step of a backend that is out of service; it needs no look at the others.
    private static void Advance(Backend backend, long now)
    {
        var passive = backend.Passive;
        if (passive.Rules is null && passive.Stage != ServiceStage.InService)
            Return(backend, "ejection is off", now);
        else if (passive.Stage == ServiceStage.Ejected && (now >= passive.Until || HasRecovered(backend)))
            passive.BeginTrials();
        else if (passive is { Stage: ServiceStage.OnTrial, Cause: { } cause })
            Eject(backend, cause, now);
        else if (passive is { Stage: ServiceStage.OnTrial, HasPassed: true })
            Return(backend, "its trial went well", now);
    }

    // Whoever was found unhealthy by probes as well, and then healthy, need not sit out the rest of the ejection.
    private static bool HasRecovered(Backend backend)
    {
        backend.Passive.WasUnhealthy |= backend.Verdict == Verdict.Unhealthy;
        return backend.Passive.WasUnhealthy && backend.Verdict == Verdict.Healthy;
    }

    private static void TryEject(
        ClusterOptions options, ImmutableArray<Backend> backends, int index, string cause, long now)
    {
        var left = CountInService(options, backends);
        var away = 0;
        foreach (var other in backends)
            away += other.Passive.Stage == ServiceStage.InService ? 0 : 1;

        var backend = backends[index];
        var staysUsable = left - (Eligibility.IsUsable(options.Backends[index], backend) ? 1 : 0) > 0;
        if (staysUsable && away < backends.Length / 2)
            Eject(backend, cause, now);
        else if (backend.Passive.Spare(now))
            Log.EjectionRefused(backend.News.Logger, backend.Name, backend.Key.Cluster, cause);
    }

    // The others may have gone since: unhealthy, removed, without weight. The one that is closest to its return comes
    // back then.
    private static void KeepOneInService(ClusterOptions options, ImmutableArray<Backend> backends, long now)
    {
        if (CountInService(options, backends) > 0)
            return;

        var best = default(Backend);
        for (var index = 0; index < backends.Length; index++)
        {
            var backend = backends[index];
            if (Eligibility.IsUsable(options.Backends[index], backend) && IsCloser(backend, best))
                best = backend;
        }

        if (best is not null)
            Return(best, "no other backend can be used", now);
    }

    private static bool IsCloser(Backend backend, Backend? best)
        => best is null || OrderOf(backend) < OrderOf(best);

    private static long OrderOf(Backend backend)
        => backend.Passive.Stage == ServiceStage.OnTrial ? long.MinValue : backend.Passive.Until;

    private static int CountInService(ClusterOptions options, ImmutableArray<Backend> backends)
    {
        var count = 0;
        for (var index = 0; index < backends.Length; index++)
        {
            var isInService = backends[index].Passive.Stage == ServiceStage.InService;
            count += isInService && Eligibility.IsUsable(options.Backends[index], backends[index]) ? 1 : 0;
        }

        return count;
    }

    private static void Eject(Backend backend, string cause, long now)
    {
        if (backend.Passive.Reason is { } reason)
            backend.News.Metrics.Ejections.Add((int)reason);
        var duration = backend.SpanOf(backend.Passive.Eject(now));
        Log.BackendEjected(backend.News.Logger, backend.Name, backend.Key.Cluster, duration, cause);
    }

    private static void Return(Backend backend, string reason, long now)
    {
        backend.Passive.Return(now);
        Log.BackendReturned(backend.News.Logger, backend.Name, backend.Key.Cluster, reason);
    }
}
