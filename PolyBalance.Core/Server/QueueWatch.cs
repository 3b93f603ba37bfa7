using Microsoft.Extensions.Logging;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>Tells the operator when requests found no backend with a place in time.</summary>
/// <remarks>Everything after <see cref="Start"/> happens on the heartbeat's thread.</remarks>
internal sealed class QueueWatch(SnapshotStore store, Heartbeat heartbeat, ILogger logger)
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Begins to watch.</summary>
    public void Start() => heartbeat.Every(Period, Look);

    private void Look()
    {
        foreach (var cluster in store.Current.Clusters)
        {
            if (cluster.Queue.TryTell(out var refusals))
                Log.QueueRefused(logger, refusals, cluster.Name, cluster.Queue.Waiting);
        }
    }
}
