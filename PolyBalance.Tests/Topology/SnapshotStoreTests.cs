using System.Net;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Topology;

internal sealed class SnapshotStoreTests
{
    private const string File = "clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] } }";

    [Test]
    public async Task Each_change_sees_the_one_before_it_whoever_made_it()
    {
        await using var worlds = new Worlds();
        var store = new SnapshotStore(worlds.Build(File));
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);

        var writers = new Task[20];
        for (var writer = 0; writer < writers.Length; writer++)
        {
            writers[writer] = Task.Run(async () =>
            {
                for (var round = 0; round < 100; round++)
                    await store.PublishAsync(CountUp, CancellationToken.None);
            });
        }

        await Task.WhenAll(writers).InTime();
        await Eventually.HoldsAsync(() => store.Current.Version == 2_001, () => "all changes are in force");
        await EndAsync(running, stop);
    }

    [Test]
    public async Task A_snapshot_in_hand_stays_as_it_was()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(File);
        var store = new SnapshotStore(first);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        var inHand = store.Current;

        await store.PublishAsync(
            found => worlds.Build("clusters: { web: { backends: [] } }", found), CancellationToken.None);
        await Eventually.HoldsAsync(() => store.Current.Version == 2, () => "the change is in force");

        Assert.That(inHand, Is.SameAs(first));
        Assert.That(inHand.Backends().Count(), Is.EqualTo(2));
        Assert.That(store.Current.Backends(), Is.Empty);
        await EndAsync(running, stop);
    }

    [Test]
    public async Task Nothing_changes_before_the_loop_runs()
    {
        await using var worlds = new Worlds();
        var store = new SnapshotStore(worlds.Build(File));
        await store.PublishAsync(found => found with { Version = 7 }, CancellationToken.None);
        Assert.That(store.Current.Version, Is.EqualTo(1));

        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => store.Current.Version == 7, () => "the change is in force");
        await EndAsync(running, stop);
    }

    [Test]
    public async Task A_backend_that_left_closes_its_connections_and_one_that_stayed_keeps_them()
    {
        await using var worlds = new Worlds();
        await using var listener = worlds.Memory.Listen(new IPEndPoint(IPAddress.Any, 80));
        var store = new SnapshotStore(worlds.Build(File));
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        var backends = store.Current.Clusters[0].Backends;
        foreach (var backend in backends)
        {
            var acquired = await backend.Pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).InTime();
            backend.Pool.Return(acquired.Connection!);
        }

        const string Less = "clusters: { web: { backends: [ \"10.0.0.2:80\" ] } }";
        await store.PublishAsync(found => worlds.Build(Less, found), CancellationToken.None);
        await Eventually.HoldsAsync(() => backends[0].Pool.Open == 0, () => "the backend that left lets go");

        Assert.That((backends[0].Pool.Idle, backends[1].Pool.Idle, backends[1].Pool.Open), Is.EqualTo((0, 1, 1)));
        await EndAsync(running, stop);
        backends[1].Pool.Retire();
    }

    [Test]
    public async Task What_is_new_of_backends_is_taken_up_soon_and_all_at_once()
    {
        await using var worlds = new Worlds();
        var store = new SnapshotStore(worlds.Build(File));
        using var stop = new CancellationTokenSource();
        foreach (var backend in store.Current.Backends())
        {
            backend.Judge(Verdict.Unhealthy);
            store.RequestRefresh();
        }

        var running = store.RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => store.Current.Clusters[0].Eligible.IsEmpty, () => "both are out");
        Assert.That(store.Current.Version, Is.EqualTo(2));

        store.Current.Clusters[0].Backends[0].Judge(Verdict.Healthy);
        store.RequestRefresh();
        await Eventually.HoldsAsync(() => store.Current.Clusters[0].Eligible.Length == 1, () => "one is back");
        await EndAsync(running, stop);
    }

    private static Snapshot CountUp(Snapshot found) => found with { Version = found.Version + 1 };

    private static async Task EndAsync(Task running, CancellationTokenSource stop)
    {
        await stop.CancelAsync();
        await running.InTime();
    }
}
