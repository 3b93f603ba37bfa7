using System.Collections.Concurrent;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Backends;
using PolyBalance.Tests.Balancing;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

/// <summary>Another algorithm is one more snapshot: it takes effect with the next pick, and nothing is lost.</summary>
internal sealed class AlgorithmSwitchTests
{
    [Test]
    public async Task Another_algorithm_takes_effect_with_the_next_pick_and_keeps_backends_and_their_counts()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(File("least_connections", 2));
        var busy = first.Clusters[0].Selector.PickOne()!;
        for (var request = 0; request < 3; request++)
            busy.Begin();
        Assert.That(first.Clusters[0].Selector.PickOne(), Is.Not.SameAs(busy));

        var second = worlds.Build(File("hash", 2), first);
        var selector = second.Clusters[0].Selector;
        var picked = Enumerable.Range(0, 50).Select(_ => selector.Pick(new(7, 0, 0, default))).ToList();

        Assert.That(second.Clusters[0].Backends, Is.EqualTo(first.Clusters[0].Backends));
        Assert.That(busy.InFlight, Is.EqualTo(3));
        Assert.That(picked.Distinct().Count(), Is.EqualTo(1));
        Assert.That(first.Clusters[0].Affinity, Is.Null);
        Assert.That(second.Clusters[0].Affinity, Is.Not.Null);
    }

    [Test]
    public async Task A_bound_that_changes_takes_effect_too()
    {
        await using var worlds = new Worlds();
        var bounded = worlds.Build(File("hash", 2));
        for (var request = 0; request < 10; request++)
            bounded.Clusters[0].Selector.Pick(new(7, 0, 0, default))!.Begin();
        var free = worlds.Build(File("hash, hash: { key: path, load: off }", 2), bounded);
        for (var request = 0; request < 10; request++)
            free.Clusters[0].Selector.Pick(new(7, 0, 0, default))!.Begin();

        Assert.That(free.Clusters[0].Backends.Max(backend => backend.InFlight), Is.InRange(15, 17));
    }

    [Test]
    public async Task Fifty_readers_and_ten_writers_at_once_lose_nothing()
    {
        const int Readers = 50;
        const int PicksEach = 2_000;
        await using var worlds = new Worlds();
        var files = ClusterOptions.Algorithms.Select((name, index) => File(name, 1 + index)).ToArray();
        var store = new SnapshotStore(worlds.Build(files[0]));
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        var picked = new ConcurrentDictionary<Backend, int>();
        var missed = 0;

        var readers = Enumerable.Range(0, Readers).Select(reader => Task.Run(() =>
        {
            for (var pick = 1; pick <= PicksEach; pick++)
            {
                var selector = store.Current.Clusters[0].Selector;
                if (selector.Pick(new((ulong)(reader * pick), pick, (ulong)pick, default)) is not { } backend)
                {
                    Interlocked.Increment(ref missed);
                    continue;
                }

                var admission = backend.Begin();
                picked.AddOrUpdate(backend, 1, static (_, count) => count + 1);
                backend.Report(admission, new(FailureKind.None, 200, pick, pick));
            }
        }));
        var writers = Enumerable.Range(0, 10).Select(writer => Task.Run(async () =>
        {
            for (var change = 0; change < 50; change++)
            {
                var file = files[(writer + change) % files.Length];
                await store.PublishAsync(found => worlds.Build(file, found), CancellationToken.None);
            }
        }));

        await Task.WhenAll(readers.Concat(writers)).InTime();
        await Eventually.HoldsAsync(() => store.Current.Version == 501, () => "all changes are in force");
        Assert.That(missed, Is.Zero);
        Assert.That(picked.Values.Sum(), Is.EqualTo(Readers * PicksEach));
        foreach (var (backend, count) in picked)
            Assert.That((backend.Requests, backend.InFlight), Is.EqualTo(((long)count, 0)));
        await stop.CancelAsync();
        await running.InTime();
    }

    private static string File(string algorithm, int backends)
    {
        var addresses = Enumerable.Range(1, backends)
            .Select(number => $"{{ address: \"10.0.0.{number}:80\", weight: {number} }}");
        var list = string.Join(", ", addresses);
        return $"clusters: {{ web: {{ algorithm: {algorithm}, slow_start: off, backends: [ {list} ] }} }}";
    }
}
