using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Admin;

/// <summary>What a backend is to traffic, in one word and in a sentence.</summary>
internal static class BackendStates
{
    /// <summary>All of the words.</summary>
    public static readonly string[] All = ["healthy", "unhealthy", "unknown", "draining", "ejected", "on_trial"];

    /// <summary>The word. What probes say comes first: an ejection of a backend that is down changes nothing.</summary>
    public static string Of(Backend backend) => (backend.Verdict, backend.Passive.Stage) switch
    {
        (Verdict.Unhealthy, _) => "unhealthy",
        (Verdict.Unknown, _) => "unknown",
        _ when backend.Drain.IsDraining => "draining",
        (_, ServiceStage.Ejected) => "ejected",
        (_, ServiceStage.OnTrial) => "on_trial",
        _ => "healthy",
    };

    /// <summary>The sentence.</summary>
    /// <param name="backend">Whose.</param>
    /// <param name="options">What is configured of it.</param>
    /// <param name="isInUse">Whether requests that have tried nobody yet may go there.</param>
    /// <param name="lastError">Why its latest probe that failed did; null: that is not known.</param>
    public static string WhyOf(Backend backend, BackendOptions options, bool isInUse, string? lastError)
    {
        var passive = backend.Passive;
        return Of(backend) switch
        {
            "unhealthy" => lastError is null ? "probes fail" : $"probes fail: {lastError}",
            "unknown" => "no probe has come to a verdict yet",
            "draining" => backend.Drain.IsOrdered ? "the operator drains it" : "it asked for no new work",
            "ejected" => passive.Cause is { } cause
                ? $"traffic failed: {cause}; for another {Left(backend)}"
                : "traffic failed",
            "on_trial" => "it was ejected, and one exchange at a time shows whether it works again",
            _ when options.Weight == 0 => "its weight is 0",
            _ when options.Tier > 0 && !isInUse => "it is a backup, and those before it work",
            _ when Eligibility.TenthsOf(backend, backend.Now) < Ramp.Full => "it has recovered, and its share grows",
            _ => "nothing speaks against it",
        };
    }

    /// <summary>All of it.</summary>
    /// <param name="snapshot">Where it is.</param>
    /// <param name="cluster">In which cluster.</param>
    /// <param name="index">Its place there.</param>
    /// <param name="lastError">Why its latest probe that failed did; null: that is not known.</param>
    public static BackendAnswer Describe(Snapshot snapshot, Cluster cluster, int index, string? lastError)
    {
        var (backend, options) = (cluster.Backends[index], cluster.Options.Backends[index]);
        var isInUse = IsInUse(cluster, backend);
        var fold = new LatencyFold();
        backend.Metrics.Duration.FoldInto(fold);
        return new()
        {
            Id = IdOf(snapshot, cluster.Name, backend.Name),
            Cluster = cluster.Name,
            Name = backend.Name,
            Address = backend.Address,
            Weight = options.Weight,
            State = Of(backend),
            Why = WhyOf(backend, options, isInUse, lastError),
            Eligible = isInUse,
            Drain = options.IsDrained,
            Backup = options.Tier > 0,
            ShareReached = 10 * Eligibility.TenthsOf(backend, backend.Now),
            InFlight = backend.InFlight,
            Requests = backend.Requests,
            Failures = backend.Failures,
            LatencyP50Ms = fold.Quantile(0.5)?.TotalMilliseconds,
            LatencyP99Ms = fold.Quantile(0.99)?.TotalMilliseconds,
            Pool = new(backend.Pool.Open, backend.Pool.Idle, backend.Pool.IdleLimit.Known?.TotalMilliseconds),
            Source = options.Source
                ?? (IsAdded(snapshot.Config.Changes, cluster.Name, backend.Name) ? "runtime" : "file"),
        };
    }

    /// <summary>
    /// Whether requests that have tried nobody yet may go to a backend. To a backup they may when nobody before it is
    /// in full service.
    /// </summary>
    public static bool IsInUse(Cluster cluster, Backend backend)
        => cluster.Placement.InUse.Any(tier => tier.Eligible.Any(candidate => candidate.Backend == backend));

    /// <summary>
    /// What paths call a backend: its name, or its cluster too where two clusters have a backend of that name.
    /// </summary>
    public static string IdOf(Snapshot snapshot, string cluster, string name)
        => snapshot.Options.Clusters.Count(one => one.Backends.Any(backend => backend.Name == name)) > 1
            ? $"{cluster}/{name}"
            : name;

    private static bool IsAdded(RuntimeChanges changes, string cluster, string name)
        => changes.All.Any(change => change.Kind == RuntimeChangeKind.Added
            && change.Cluster == cluster && change.Backend == name);

    private static string Left(Backend backend)
    {
        var left = backend.SpanOf(Math.Max(backend.Passive.Until - backend.Now, 0));
        return Quantity.Write(TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds)));
    }
}
