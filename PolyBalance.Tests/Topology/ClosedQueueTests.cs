using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

/// <summary>A reload says that nobody may wait any more. Some still do, some know only the old snapshot.</summary>
internal sealed class ClosedQueueTests
{
    [Test]
    public async Task A_place_that_nobody_who_waits_could_take_is_there_for_the_next()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(Web("{ size: 4 }", places: 1));
        var (queue, backends) = (first.Clusters[0].Queue, first.Clusters[0].Backends);
        Assert.That(backends.Select(backend => backend.TryBegin(isLastResort: true, out _)), Is.All.True);
        var retry = new QueuedRequest(queue, worlds.Memory.Heartbeat) { Tried = new[] { backends[0] } };
        queue.Join(retry, deadline: worlds.Memory.Heartbeat.Now + queue.Timeout);
        backends[0].Withdraw(new(IsCounted: true, Era: 0));
        Assert.That(first.Clusters[0].FindNow(new(0, 0, 0, []), out _), Is.Null, "it can wait");

        var second = worlds.Build(Web("off", places: 1), first);

        Assert.That(second.Clusters[0].FindNow(new(0, 0, 0, []), out _), Is.SameAs(backends[0]));
        Assert.That(retry.IsListed, Is.True);
    }

    [Test]
    public async Task A_snapshot_from_before_spares_no_backend_for_a_wait()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(Web("{ size: 4 }", places: 2));
        worlds.Build(Web("off", places: 2), first);
        var backends = first.Clusters[0].Backends;
        backends[1].Protect(exchangesMax: 1, connectsMax: 1);

        Assert.That(
            Enumerable.Range(0, 4).Select(turn => first.Clusters[0].FindNow(new(0, 0, 0, []), out _)),
            Is.EquivalentTo(new[] { backends[0], backends[0], backends[1], backends[1] }));
        Assert.That(first.Clusters[0].FindNow(new(0, 0, 0, []), out _), Is.Null, "the hard bound holds");
    }

    private static string Web(string queue, int places)
        => $$"""
            clusters:
              web:
                backends: [ "10.0.0.1:80", "10.0.0.2:80" ]
                health: off
                pool: { max_connections: {{places}} }
                queue: {{queue}}
            """;
}
