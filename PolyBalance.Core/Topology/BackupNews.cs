using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Telemetry;

namespace PolyBalance.Topology;

/// <summary>Tells the log when a cluster has nobody left but backups, and when it has others again.</summary>
/// <remarks>On the store's loop, as often as a cluster is built anew.</remarks>
internal static class BackupNews
{
    /// <summary>Compares a cluster that is being built with what was known of it.</summary>
    /// <param name="name">What the cluster is called.</param>
    /// <param name="backends">All its backends; not empty where there are candidates.</param>
    /// <param name="candidates">Those that may receive traffic, tier by tier.</param>
    /// <param name="before">What this has answered for the cluster that it follows.</param>
    /// <returns>
    /// The first tier that has anybody, or had as long as it had; null as long as there were only backups: while the
    /// first probes are under way that means nothing.
    /// </returns>
    public static int? Tell(
        string name, ImmutableArray<Backend> backends, ImmutableArray<Candidate> candidates, int? before)
    {
        if (candidates.IsEmpty)
            return before;

        var now = candidates[0].Tier;
        if (now > 0 && before == 0)
            Log.LeftToBackups(backends[0].News.Logger, name, candidates.Length);
        else if (now == 0 && before > 0)
            Log.LeftToBackupsNoMore(backends[0].News.Logger, name);
        return before is null && now > 0 ? null : now;
    }
}
