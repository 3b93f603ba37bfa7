using Microsoft.Extensions.Logging;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>
/// Tells each cluster's retry budget how many requests there are, and the operator what clusters had to refuse: retries
/// whose budget is spent, and requests that found no backend with a place in time.
/// </summary>
/// <remarks>Everything after <see cref="Start"/> happens on the heartbeat's thread.</remarks>
internal sealed class ClusterWatch(SnapshotStore store, Heartbeat heartbeat, ILogger logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Begins to watch.</summary>
    public void Start() => heartbeat.Every(Period, Look);

    private void Look()
    {
        foreach (var cluster in store.Current.Clusters)
        {
            // Where nothing is retried as well: a reload may allow it, and requests of long ago must not count then.
            var budget = cluster.RetryBudget;
            budget.Observe(heartbeat.Now, cluster.CountAttempts());
            if (budget.TryTell(heartbeat.Now, out var retries))
                Log.RetriesRefused(logger, retries, cluster.Name, budget.Percent);
            if (cluster.Queue.TryTell(out var requests))
                Log.QueueRefused(logger, requests, cluster.Name, cluster.Queue.Waiting);
        }
    }
}
