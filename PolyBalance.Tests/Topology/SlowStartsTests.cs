using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Backends;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

internal sealed class SlowStartsTests
{
    private const string Three =
        "clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\", \"10.0.0.3:80\" ] } }";

    [Test]
    public async Task At_process_start_everybody_has_his_full_share()
    {
        await using var worlds = new Worlds();

        Assert.That(Weights(worlds.Build(Three)), Is.EqualTo("1 1 1"));
    }

    [Test]
    public async Task A_recovered_backend_comes_to_its_share_in_ten_steps()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(Three);
        var backend = snapshot.Clusters[0].Backends[0];
        backend.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(Weights(snapshot), Is.EqualTo("1 1"));

        backend.Judge(Verdict.Healthy);
        var versions = snapshot.Version;
        var shares = new List<double>();
        for (var time = 0.0; time < 12; time += 0.2)
        {
            snapshot = SnapshotBuilder.Refresh(snapshot);
            var eligible = snapshot.Clusters[0].Eligible;
            var share = 100.0 * eligible[0].Weight / eligible.Sum(candidate => candidate.Weight);
            if (shares.Count == 0 || shares[^1] != share)
            {
                await TestContext.Out.WriteLineAsync($"{time,4:0.0} s: weights {Weights(snapshot),-9} {share,5:0.0} %");
                shares.Add(share);
            }

            worlds.Clock.Advance(TimeSpan.FromSeconds(0.2));
        }

        Assert.That(shares, Has.Count.EqualTo(10));
        Assert.That(shares, Is.Ordered.Ascending);
        Assert.That((shares[0], shares[^1]), Is.EqualTo((100.0 / 21, 100.0 / 3)));
        Assert.That(snapshot.Version - versions, Is.EqualTo(10), "a publish for each step and no more");
        Assert.That(Weights(snapshot), Is.EqualTo("1 1 1"));
    }

    [Test]
    public async Task A_backend_that_is_added_later_starts_slowly_and_keeps_its_weight_in_proportion()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }");

        snapshot = worlds.Build(
            "clusters: { web: { backends: [ \"10.0.0.1:80\", { address: \"10.0.0.2:80\", weight: 3 } ] } }", snapshot);

        Assert.That(Weights(snapshot), Is.EqualTo("10 3"));
        worlds.Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(Weights(SnapshotBuilder.Refresh(snapshot)), Is.EqualTo("1 3"));
    }

    [Test]
    public async Task Where_all_start_slowly_their_shares_are_the_configured_ones_and_nothing_is_bounded()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(Three);
        foreach (var backend in snapshot.Backends())
            backend.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        foreach (var backend in snapshot.Backends())
            backend.Judge(Verdict.Healthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);

        Assert.That(Weights(snapshot), Is.EqualTo("1 1 1"));
        foreach (var backend in snapshot.Backends())
        {
            for (var exchange = 0; exchange < 1_000; exchange++)
                backend.Begin();
        }
    }

    [Test]
    public async Task It_may_be_off()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(Three.Replace("{ web: {", "{ web: { slow_start: off,", StringComparison.Ordinal));
        var backend = snapshot.Clusters[0].Backends[0];
        backend.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        backend.Judge(Verdict.Healthy);

        Assert.That(Weights(SnapshotBuilder.Refresh(snapshot)), Is.EqualTo("1 1 1"));
        Assert.That(backend.IsFull, Is.False);
    }

    // Two full backends with forty exchanges each: a tenth of forty, then two tenths, and so on.
    [Test]
    public async Task It_may_have_its_share_of_what_the_full_backends_have_in_flight()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(Three);
        var (backend, second, third) = (snapshot.Clusters[0].Backends[0], snapshot.Clusters[0].Backends[1],
            snapshot.Clusters[0].Backends[2]);
        backend.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        backend.Judge(Verdict.Healthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(RoomAt(backend), Is.EqualTo(1), "one is always allowed");

        for (var exchange = 0; exchange < 40; exchange++)
            (_, _) = (second.Begin(), third.Begin());
        var rooms = new List<int>();
        for (var tenth = 1; tenth <= 9; tenth++)
        {
            snapshot = SnapshotBuilder.Refresh(snapshot);
            rooms.Add(RoomAt(backend));
            worlds.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(rooms, Is.EqualTo(new[] { 4, 8, 12, 16, 20, 24, 28, 32, 36 }));
        SnapshotBuilder.Refresh(snapshot);
        Assert.That(RoomAt(backend), Is.EqualTo(1_000), "no bound any more");
    }

    private static int RoomAt(Backend backend)
    {
        var admissions = new List<Admission>();
        while (admissions.Count < 1_000 && backend.TryBegin(isLastResort: false, out var admission))
            admissions.Add(admission);
        foreach (var admission in admissions)
            backend.Report(admission, new(FailureKind.ClientClosed, 0, 0, 0));
        return admissions.Count;
    }

    private static string Weights(Snapshot snapshot)
        => string.Join(' ', snapshot.Clusters[0].Eligible.Select(candidate => candidate.Weight));
}
