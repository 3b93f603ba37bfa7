using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Topology;

/// <summary>Who has to be asked whether he works before a configuration is put in force.</summary>
/// <remarks>
/// A backend that is probed gets nothing until a probe has passed. That is no loss as long as others are there; a
/// configuration that replaces all backends of a cluster at once, or gives the cluster another name, would leave it
/// without anybody meanwhile. Pure.
/// </remarks>
internal static class Strangers
{
    /// <summary>The backends that nobody knows, in clusters that have nobody else.</summary>
    /// <param name="current">What is in force.</param>
    /// <param name="next">What is to be.</param>
    public static IReadOnlyList<(string Cluster, BackendOptions Backend)> In(Snapshot current, ProxyOptions next)
    {
        var strangers = new List<(string, BackendOptions)>();
        foreach (var cluster in next.Clusters)
        {
            var before = current.Clusters.FirstOrDefault(one => one.Name == cluster.Name);
            var wanted = cluster.Backends.Where(backend => backend is { Weight: > 0, IsDrained: false }).ToList();
            if (!wanted.Exists(backend => backend.Health is null || IsEligible(before, backend)))
                strangers.AddRange(wanted.Where(one => !IsKnown(before, one)).Select(one => (cluster.Name, one)));
        }

        return strangers;
    }

    private static bool IsEligible(Cluster? cluster, BackendOptions backend)
        => cluster is not null
            && cluster.Candidates.Any(candidate => candidate.Backend.Key.Address == backend.Address);

    private static bool IsKnown(Cluster? cluster, BackendOptions backend)
        => cluster is not null && cluster.Backends.Any(
            one => one.Key.Address == backend.Address && one.Verdict != Verdict.Unknown);
}
