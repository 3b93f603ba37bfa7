using PolyBalance.Backends;
using PolyBalance.Health;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Admin;

/// <summary>Looks at everything once, and knows what has happened since its last look.</summary>
/// <remarks>One look at a time. Holds two folds for each backend, about 18 KiB.</remarks>
internal sealed class LiveSampler(GatewayView gateway)
{
    private static readonly DateTimeOffset ProcessStarted =
        DateTimeOffset.FromUnixTimeMilliseconds((long)(1_000 * ProcessFigures.Started));

    private readonly Readiness _readiness = new(gateway);
    private readonly RateTrack _traffic = new();
    private readonly RateTrack _overhead = new();
    private readonly RateTrack _retries = new();
    private Dictionary<string, RateTrack> _clusters = [];
    private Dictionary<Backend, RateTrack> _backends = [];

    /// <summary>Looks.</summary>
    /// <param name="elapsed">Since the last look.</param>
    public LiveAnswer Look(TimeSpan elapsed)
    {
        var snapshot = gateway.Store.Current;
        var metrics = gateway.Metrics;
        var probes = gateway.Health().ToLookup(view => (view.Cluster, view.Backend));
        var (ended, failed) = CountExchanges(snapshot);
        var clusters = new List<LiveClusterAnswer>();
        var known = snapshot.Clusters.ToDictionary(
            cluster => cluster.Name, cluster => _clusters.GetValueOrDefault(cluster.Name) ?? new());
        var backends = new Dictionary<Backend, RateTrack>();
        foreach (var cluster in snapshot.Clusters)
            clusters.Add(Look(snapshot, cluster, probes, known[cluster.Name], backends, elapsed));

        // Who is gone is forgotten.
        (_clusters, _backends) = (known, backends);
        return new()
        {
            Time = gateway.Transport.Heartbeat.UtcNow,
            Version = MetricsText.Version,
            Started = ProcessStarted,
            Generation = snapshot.Config.Generation,
            RuntimeChanges = snapshot.Config.Changes.All.Count,
            NotReady = _readiness.Obstacles(),
            Clients = gateway.ClientConnections(),
            InFlight = clusters.Sum(cluster => cluster.InFlight),
            Traffic = _traffic.Observe(ended, failed, metrics.Duration.Fold(), elapsed),
            RetriesPerSecond = _retries.Observe(CountRetries(metrics), 0, new(), elapsed).PerSecond,
            OverheadP50Ms = _overhead.Observe(0, 0, metrics.Overhead.Fold(), elapsed).LatencyP50Ms,
            ErrorsKept = metrics.Flights.Count,
            Clusters = clusters,
        };
    }

    private LiveClusterAnswer Look(
        Snapshot snapshot, Cluster cluster, ILookup<(string, string), HealthView> probes, RateTrack whole,
        Dictionary<Backend, RateTrack> tracks, TimeSpan elapsed)
    {
        var all = new LatencyFold();
        var (requests, failures, inFlight) = (0L, 0L, 0);
        var backends = new List<LiveBackendAnswer>();
        for (var index = 0; index < cluster.Backends.Length; index++)
        {
            var backend = cluster.Backends[index];
            var track = _backends.GetValueOrDefault(backend) ?? new();
            tracks[backend] = track;
            var fold = backend.Metrics.Duration.Fold();
            backend.Metrics.Duration.FoldInto(all);
            var probe = probes[(cluster.Name, backend.Name)].FirstOrDefault();
            var (ended, failed) = (backend.Requests - backend.InFlight, backend.Failures);
            backends.Add(new(
                BackendStates.Describe(snapshot, cluster, index, probe?.LastError),
                track.Observe(ended, failed, fold, elapsed),
                [.. probe?.History.Select(result => result.Answer.Passed) ?? []]));
            (requests, failures, inFlight) = (requests + ended, failures + failed, inFlight + backend.InFlight);
        }

        return new(
            cluster.Name, cluster.Options.Algorithm, cluster.Queue.Waiting, inFlight,
            whole.Observe(requests, failures, all, elapsed), backends);
    }

    private (long Ended, long Failed) CountExchanges(Snapshot snapshot)
    {
        var (ended, failed) = (0L, 0L);
        foreach (var counters in snapshot.Routes.Routes.Select(route => route.Requests)
            .Append(gateway.Metrics.Unrouted).Distinct())
        {
            foreach (var (_, status, count) in counters.Counts())
            {
                ended += count;
                failed += status >= 500 ? count : 0;
            }
        }

        return (ended, failed);
    }

    private static long CountRetries(GatewayMetrics metrics)
    {
        var retries = 0L;
        for (var kind = 0; kind < Failure.All.Length; kind++)
            retries += metrics.Retries[kind];
        return retries;
    }
}
