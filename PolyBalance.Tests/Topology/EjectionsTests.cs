using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Backends;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Topology;

internal sealed class EjectionsTests
{
    [TestCase(1, 0)]
    [TestCase(2, 1)]
    [TestCase(3, 1)]
    [TestCase(4, 2)]
    [TestCase(5, 2)]
    [TestCase(10, 5)]
    public async Task When_all_fail_at_once_half_of_them_are_ejected(int count, int expected)
    {
        await using var worlds = new Worlds();
        var first = worlds.Build(ClusterOf(count));
        foreach (var backend in first.Backends())
            Fail(worlds, backend, 5);

        var second = SnapshotBuilder.Refresh(first);

        Assert.That(CountOut(second), Is.EqualTo(expected));
        Assert.That(second.Clusters[0].Eligible, Has.Length.EqualTo(count - expected));
    }

    [Test]
    public async Task An_ejected_backend_is_tried_after_its_time_and_returns_when_that_goes_well()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(3));
        var backend = snapshot.Clusters[0].Backends[0];

        snapshot = Eject(worlds, snapshot, backend);
        Assert.That(Stages(snapshot), Is.EqualTo("E.."));

        worlds.Clock.Advance(TimeSpan.FromSeconds(9.9));
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(Stages(snapshot), Is.EqualTo("E.."));

        worlds.Clock.Advance(TimeSpan.FromSeconds(0.1));
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(Stages(snapshot), Is.EqualTo("T.."));
        Assert.That(Weights(snapshot), Is.EqualTo("1 10 10"));
        Assert.That(backend.TryBegin(isLastResort: false, out var trial), Is.True);
        Assert.That((backend.IsFull, backend.TryBegin(isLastResort: false, out _)), Is.EqualTo((true, false)));

        backend.Report(trial, new(FailureKind.None, 200, 0, backend.Now));
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(Stages(snapshot), Is.EqualTo("..."));
        Assert.That(Weights(snapshot), Is.EqualTo("1 10 10"), "its slow start begins");
    }

    [Test]
    public async Task An_ejected_backend_that_probes_found_dead_and_then_well_is_tried_at_once()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(3));
        var backend = snapshot.Clusters[0].Backends[0];
        snapshot = Eject(worlds, snapshot, backend);

        backend.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        backend.Judge(Verdict.Healthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);

        Assert.That(Stages(snapshot), Is.EqualTo("T.."));
    }

    [Test]
    public async Task A_failed_trial_ejects_for_longer()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(2));
        var backend = snapshot.Clusters[0].Backends[0];
        snapshot = Eject(worlds, snapshot, backend);
        var lasted = new List<double>();

        for (var round = 0; round < 4; round++)
        {
            var began = worlds.Clock.Elapsed;
            while (Stages(snapshot)[0] == 'E')
            {
                worlds.Clock.Advance(TimeSpan.FromSeconds(1));
                snapshot = SnapshotBuilder.Refresh(snapshot);
            }

            lasted.Add((worlds.Clock.Elapsed - began).TotalSeconds);
            Fail(worlds, backend, 1);
            snapshot = SnapshotBuilder.Refresh(snapshot);
            Assert.That(Stages(snapshot), Is.EqualTo("E."));
        }

        Assert.That(lasted, Is.EqualTo(new[] { 10.0, 20, 30, 40 }));
    }

    [Test]
    public async Task When_the_others_turn_unhealthy_the_ejected_one_comes_back()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(2));
        var (ejected, other) = (snapshot.Clusters[0].Backends[0], snapshot.Clusters[0].Backends[1]);
        Fail(worlds, ejected, 5);
        snapshot = SnapshotBuilder.Refresh(snapshot);

        other.Judge(Verdict.Unhealthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);

        Assert.That(Stages(snapshot), Is.EqualTo(".."));
        Assert.That(snapshot.Clusters[0].Eligible.Single().Backend, Is.SameAs(ejected));
        Fail(worlds, ejected, 50);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(Stages(snapshot), Is.EqualTo(".."), "it is the last one now");
    }

    [Test]
    public async Task A_passed_probe_ends_no_ejection_and_a_failed_one_adds_to_it()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(3));
        var backend = snapshot.Clusters[0].Backends[0];
        snapshot = Eject(worlds, snapshot, backend);

        backend.Judge(Verdict.Healthy);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That((Stages(snapshot), snapshot.Clusters[0].Eligible.Length), Is.EqualTo(("E..", 2)));

        backend.Judge(Verdict.Unhealthy);
        worlds.Clock.Advance(TimeSpan.FromSeconds(10));
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That((Stages(snapshot), snapshot.Clusters[0].Eligible.Length), Is.EqualTo(("T..", 2)));
    }

    [Test]
    public async Task A_reload_that_turns_ejection_off_brings_everybody_back()
    {
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(3));
        Fail(worlds, snapshot.Clusters[0].Backends[0], 5);
        snapshot = SnapshotBuilder.Refresh(snapshot);
        Assert.That(CountOut(snapshot), Is.EqualTo(1));

        snapshot = worlds.Build(ClusterOf(3, "ejection: off, "), snapshot);

        Assert.That((CountOut(snapshot), snapshot.Clusters[0].Eligible.Length), Is.EqualTo((0, 3)));
        Fail(worlds, snapshot.Clusters[0].Backends[0], 50);
        Assert.That(CountOut(SnapshotBuilder.Refresh(snapshot)), Is.Zero);
    }

    // Whatever happens in whatever order: never more than half are out, and somebody usable stays in service.
    [Test]
    public async Task Never_more_than_half_and_never_the_last([Range(1, 6)] int count, [Range(1, 40)] int seed)
    {
        var random = new Random((count * 1_000) + seed);
        await using var worlds = new Worlds();
        var snapshot = worlds.Build(ClusterOf(count));
        var running = new List<(Backend Backend, Admission Admission)>();
        for (var step = 0; step < 400; step++)
        {
            var backend = snapshot.Clusters[0].Backends[random.Next(count)];
            switch (random.Next(8))
            {
                case 0:
                    worlds.Clock.Advance(TimeSpan.FromSeconds(random.Next(12)));
                    break;
                case 1:
                    backend.Judge(random.Next(3) == 0 ? Verdict.Unhealthy : Verdict.Healthy);
                    break;
                case 2 when backend.TryBegin(random.Next(2) == 0, out var admission):
                    running.Add((backend, admission));
                    break;
                case 3 when running.Count > 0:
                    End(running, random);
                    break;
                default:
                    Fail(worlds, backend, random.Next(7));
                    break;
            }

            snapshot = SnapshotBuilder.Refresh(snapshot);
            AssertPromises(snapshot, $"seed {seed}, step {step}");
        }

        while (running.Count > 0)
            End(running, random);
        Assert.That(snapshot.Backends().Select(backend => backend.InFlight), Is.All.Zero);
    }

    private static Snapshot Eject(Worlds worlds, Snapshot snapshot, Backend backend)
    {
        Fail(worlds, backend, 5);
        return SnapshotBuilder.Refresh(snapshot);
    }

    private static void End(List<(Backend Backend, Admission Admission)> running, Random random)
    {
        var index = random.Next(running.Count);
        var (backend, admission) = running[index];
        running.RemoveAt(index);
        var failure = random.Next(3) switch
        {
            0 => FailureKind.None,
            1 => FailureKind.BackendClosed,
            _ => FailureKind.ClientClosed,
        };
        backend.Report(admission, new(failure, failure == FailureKind.None ? 200 : 0, 0, backend.Now));
    }

    private static void AssertPromises(Snapshot snapshot, string when)
    {
        var cluster = snapshot.Clusters[0];
        var usable = cluster.Backends.Count(backend => backend.Verdict == Verdict.Healthy);
        var serving = cluster.Backends.Count(backend =>
            backend is { Verdict: Verdict.Healthy, Passive.Stage: ServiceStage.InService });

        Assert.That(CountOut(snapshot), Is.LessThanOrEqualTo(cluster.Backends.Length / 2), when);
        Assert.That(usable == 0 || serving > 0, Is.True, $"somebody is in service: {when}");
        Assert.That(cluster.Eligible.Select(candidate => candidate.Backend).Where(backend =>
            backend.Verdict != Verdict.Healthy || backend.Passive.Stage == ServiceStage.Ejected), Is.Empty, when);
    }

    private static string ClusterOf(int count, string keys = "")
    {
        var addresses = Enumerable.Range(1, count).Select(number => $"\"10.0.0.{number}:80\"");
        return $"clusters: {{ web: {{ {keys}backends: [ {string.Join(", ", addresses)} ] }} }}";
    }

    private static void Fail(Worlds worlds, Backend backend, int times)
    {
        for (var time = 0; time < times; time++)
        {
            Assert.That(backend.TryBegin(isLastResort: true, out var admission), Is.True);
            backend.Report(admission, new(FailureKind.ConnectRefused, 0, 0, worlds.Memory.Heartbeat.Now));
        }
    }

    private static int CountOut(Snapshot snapshot)
        => snapshot.Backends().Count(backend => backend.Passive.Stage != ServiceStage.InService);

    // 'E' ejected, 'T' on trial, '.' in service.
    private static string Stages(Snapshot snapshot) => string.Concat(snapshot.Backends().Select(backend =>
        backend.Passive.Stage switch { ServiceStage.Ejected => 'E', ServiceStage.OnTrial => 'T', _ => '.' }));

    private static string Weights(Snapshot snapshot)
        => string.Join(' ', snapshot.Clusters[0].Eligible.Select(candidate => candidate.Weight));
}
