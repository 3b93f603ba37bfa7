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

        var routes = options.Routes.Count > 0
            ? BuildRoutes(options.Routes, clusters)
            : [new Route(0, new RouteOptions { Cluster = clusters[0].Name }, clusters[0])];
        return new(previous?.Version + 1 ?? 1, options, new(routes), clusters.ToImmutable());
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
        if (previous?.Clusters.FirstOrDefault(cluster => cluster.Options == options) is { } same)
            return same;

        var backends = ImmutableArray.CreateBuilder<Backend>(options.Backends.Count);
        foreach (var backend in options.Backends)
        {
            var key = new BackendKey(options.Name, backend.Address, options.Pool, options.Timeouts.Connect);
            if (known.TryGetValue(key, out var kept))
                kept.Rename(backend.Name);
            backends.Add(kept ?? new(key, backend, transport, clock));
        }

        var all = backends.ToImmutable();
        return new(options, all, BalancingAlgorithms.Of(options.Algorithm).Build(all));
    }
}
