using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Backends;
using PolyBalance.Tests.Topology;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Server;

internal sealed class ClusterWatchTests
{
    [Test]
    public async Task A_cluster_that_begins_to_retry_has_only_the_latest_requests_to_spend()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(FileWith("retries: off"));
        new ClusterWatch(new SnapshotStore(first), worlds.Memory.Heartbeat, NullLogger.Instance).Start();
        var backend = first.Clusters[0].Backends[0];
        for (var second = 0; second < 60; second++)
        {
            for (var request = 0; request < 50; request++)
                backend.Report(backend.Begin(), new(FailureKind.None, 200, 1, 1));
            worlds.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        var cluster = worlds.Build(FileWith("retries: { budget: 20% }"), first).Clusters[0];
        var allowed = 0;
        while (allowed < 1_000 && cluster.RetryBudget.TryTake(worlds.Memory.Heartbeat.Now, cluster.CountAttempts()))
            allowed++;

        // A hundred, and a fifth of the 500 requests of ten seconds at most; not of all 3,000.
        Assert.That(allowed, Is.InRange(100, 200));
    }

    private static string FileWith(string retries)
        => $"clusters: {{ web: {{ {retries}, backends: [ \"10.0.0.1:80\" ] }} }}";
}
