using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Topology;

/// <summary>
/// Options and the previous snapshot make the next one. A backend whose key is unchanged is carried over, connections
/// and all.
/// </summary>
internal sealed class SnapshotBuilder(ITransport transport, TimeProvider clock)
{
    /// <summary>
    /// Builds the snapshot that follows <paramref name="previous"/>; cannot fail for options that were validated.
    /// </summary>
    public Snapshot Build(ProxyOptions options, Snapshot? previous)
    {
        var known = previous?.Backends().ToDictionary(backend => backend.Key) ?? [];
        var clusters = ImmutableArray.CreateBuilder<Cluster>();
        foreach (var cluster in options.Clusters)
            clusters.Add(BuildCluster(cluster, known, previous));

        return Assemble(previous?.Version + 1 ?? 1, options, clusters);
    }

    /// <summary>
    /// The same options in the light of what is now known of the backends: their verdicts above all. The very snapshot
    /// that was given when nothing follows from it.
    /// </summary>
    public static Snapshot Refresh(Snapshot previous)
    {
        var clusters = previous.Clusters.ToBuilder();
        var hasChanged = false;
        for (var index = 0; index < clusters.Count; index++)
        {
            var cluster = clusters[index];
            var eligible = Eligibility.Of(cluster.Options, cluster.Backends);
            if (eligible.AsSpan().SequenceEqual(cluster.Eligible.AsSpan()))
                continue;

            clusters[index] = MakeCluster(cluster.Options, cluster.Backends, cluster);
            hasChanged = true;
        }

        return hasChanged ? Assemble(previous.Version + 1, previous.Options, clusters) : previous;
    }

    private static Snapshot Assemble(long version, ProxyOptions options, ImmutableArray<Cluster>.Builder clusters)
    {
        var routes = options.Routes.Count > 0
            ? BuildRoutes(options.Routes, clusters)
            : [new Route(0, new RouteOptions { Cluster = clusters[0].Name }, clusters[0])];
        return new(version, options, new(routes), clusters.ToImmutable());
    }

    private static Cluster MakeCluster(ClusterOptions options, ImmutableArray<Backend> backends, Cluster? previous)
    {
        var eligible = Eligibility.Of(options, backends);
        var selector = BalancingAlgorithms.Of(options.Algorithm).Build(eligible, previous?.Selector);
        return new(options, backends, eligible, selector);
    }

    private static ImmutableArray<Route> BuildRoutes(
        EquatableArray<RouteOptions> options, ImmutableArray<Cluster>.Builder clusters)
    {
        var routes = ImmutableArray.CreateBuilder<Route>(options.Count);
        foreach (var route in options)
            routes.Add(new(routes.Count, route, clusters.First(cluster => cluster.Name == route.Cluster)));
        return routes.ToImmutable();
    }

    private Cluster BuildCluster(ClusterOptions options, Dictionary<BackendKey, Backend> known, Snapshot? previous)
    {
        // Equal options: the very same objects, so that a reload of something else does not even restart the turn.
        var before = previous?.Clusters.FirstOrDefault(cluster => cluster.Name == options.Name);
        if (before is not null && before.Options == options)
            return before;

        var backends = ImmutableArray.CreateBuilder<Backend>(options.Backends.Count);
        foreach (var backend in options.Backends)
        {
            var key = new BackendKey(options.Name, backend.Address, options.Pool, options.Timeouts.Connect);
            if (known.TryGetValue(key, out var kept))
                kept.Rename(backend.Name);
            backends.Add(kept ?? Succeed(new(key, backend, transport, clock), before));
        }

        return MakeCluster(options, backends.ToImmutable(), before);
    }

    // Other bounds on its connections make another backend, but say nothing about whether it works.
    private static Backend Succeed(Backend fresh, Cluster? before)
    {
        var former = before?.Backends.FirstOrDefault(backend => backend.Key.Address == fresh.Key.Address);
        if (former is not null && fresh.Verdict == Verdict.Unknown)
            fresh.Judge(former.Verdict);
        return fresh;
    }
}
