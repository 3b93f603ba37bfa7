using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Health;
using PolyBalance.Tests.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Topology;

/// <summary>What a process that takes over begins with: the world as the one before it knew it.</summary>
internal sealed class SnapshotLegacyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly List<MemoryTransport> _transports = [];

    [TearDown]
    public async Task End()
    {
        foreach (var transport in _transports)
            await transport.DisposeAsync();
        _transports.Clear();
    }

    [Test]
    public void An_ejected_backend_stays_ejected_for_as_long_as_it_had_left()
    {
        var (clock, before) = Build("ejection: { base_time: 10s }, backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ]");
        var backend = before.Clusters[0].Backends[0];
        backend.Judge(Verdict.Healthy);
        backend.Passive.Eject(backend.Now);
        clock.Advance(4 * Second);
        var legacy = backend.Bequeath();
        Assert.That(
            (legacy.Stage, legacy.Ejected, legacy.Ejections), Is.EqualTo((ServiceStage.Ejected, 6 * Second, 1)));

        var (later, after) = Build(
            "ejection: { base_time: 10s }, backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ]",
            legacy, new() { Cluster = "web", Address = "10.0.0.2:80", Verdict = Verdict.Healthy });
        var heir = after.Clusters[0].Backends[0];
        Assert.That(Eligible(after), Is.EqualTo("10.0.0.2:80"), "from the first request on");
        later.Advance(5.9 * Second);
        Assert.That(SnapshotBuilder.Refresh(after), Is.SameAs(after));
        later.Advance(0.2 * Second);
        after = SnapshotBuilder.Refresh(after);
        Assert.That(heir.Passive.Stage, Is.EqualTo(ServiceStage.OnTrial));
        Assert.That(heir.SpanOf(heir.Passive.Eject(heir.Now)), Is.EqualTo(20 * Second), "the second one is longer");
    }

    [Test]
    public void What_was_learned_of_idle_connections_and_answers_goes_on()
    {
        var (clock, before) = Build("algorithm: peak_ewma, health: off, backends: [ \"10.0.0.1:80\" ]");
        var backend = before.Clusters[0].Backends[0];
        backend.Pool.IdleLimit.ObservePromise("timeout=7"u8);
        for (var time = 0; time < 2; time++)
        {
            clock.Advance(Second);
            backend.Pool.IdleLimit.ObserveClose(Ticks(5), backend.Now);
        }

        backend.Report(new AttemptOutcome(FailureKind.None, 200, Ticks(0.05), backend.Now));
        var legacy = backend.Bequeath();

        var (_, after) = Build("algorithm: peak_ewma, health: off, backends: [ \"10.0.0.1:80\" ]", legacy);
        var heir = after.Clusters[0].Backends[0];
        Assert.That(heir.Pool.IdleLimit.Known, Is.EqualTo(5 * Second));
        Assert.That(heir.Pool.IdleLimit.Trusts(Ticks(5), mustBeSure: false), Is.False);
        Assert.That(heir.MeasureResponseTime().EstimateAt(heir.Now), Is.EqualTo(50).Within(1));
        Assert.That(heir.Bequeath(), Is.EqualTo(legacy), "and on to the next one");
    }

    [Test]
    public void A_slow_start_goes_on_where_it_was()
    {
        const string Two = "slow_start: 10s, backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ]";
        var (clock, before) = Build(Two);
        foreach (var backend in before.Backends())
            backend.Judge(Verdict.Healthy);
        before = SnapshotBuilder.Refresh(before);
        before.Clusters[0].Backends[0].Judge(Verdict.Unhealthy);
        before = SnapshotBuilder.Refresh(before);
        before.Clusters[0].Backends[0].Judge(Verdict.Healthy);
        before = SnapshotBuilder.Refresh(before);
        clock.Advance(4 * Second);
        var legacy = before.Backends().Select(one => one.Bequeath()).ToArray();
        Assert.That(legacy.Select(one => one.SlowStarted), Is.EqualTo(new TimeSpan?[] { 4 * Second, null }));

        var (later, after) = Build(Two, legacy);
        Assert.That(Weights(after), Is.EqualTo("5 10"));
        later.Advance(5.5 * Second);
        Assert.That(Weights(SnapshotBuilder.Refresh(after)), Is.EqualTo("10 10").Or.EqualTo("1 1"));
        later.Advance(0.6 * Second);
        Assert.That(Weights(SnapshotBuilder.Refresh(after)), Is.EqualTo("1 1"));
        Assert.That(after.Clusters[0].Backends[0].Bequeath().SlowStarted, Is.Null, "it is over");
    }

    [Test]
    public void Who_asked_for_no_more_work_gets_none_until_it_says_otherwise()
    {
        var (clock, before) = Build("backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ]");
        before.Clusters[0].Backends[0].BeginDrain(DrainCauses.Probe);
        before.Clusters[0].Backends[1].BeginDrainByResponse();
        clock.Advance(20 * Second);

        var (later, after) = Build(
            "backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ]",
            [.. before.Backends().Select(one => one.Bequeath())]);
        var heirs = after.Clusters[0].Backends;
        Assert.That(heirs.Select(one => one.Drain.Causes),
            Is.EqualTo((DrainCauses[])[DrainCauses.Probe, DrainCauses.Response]));
        Assert.That(heirs[1].Drain.IsResponseOver(heirs[1].Now), Is.False);
        later.Advance(10 * Second);
        Assert.That(heirs[1].Drain.IsResponseOver(heirs[1].Now), Is.True, "30 s in all");
    }

    [Test]
    public void Sessions_stay_although_the_key_was_made_by_the_process_before()
    {
        const string Sticky = "sticky: {}, backends: [ \"10.0.0.1:80\" ]";
        var (_, before) = Build(Sticky);
        var made = before.Clusters[0].Sticky!.Keys;

        Assert.That(Build(Sticky, made).Next.Clusters[0].Sticky!.Keys, Is.EqualTo(made));
        Assert.That(Build(Sticky).Next.Clusters[0].Sticky!.Keys, Is.Not.EqualTo(made));
    }

    [Test]
    public async Task Known_verdicts_let_the_gateway_begin_at_once_and_change_by_the_thresholds()
    {
        var (clock, snapshot) = Build(
            "health: { unhealthy_threshold: 2 }, backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ]",
            new() { Cluster = "web", Address = "10.0.0.1:80", Verdict = Verdict.Healthy },
            new() { Cluster = "web", Address = "10.0.0.2:80", Verdict = Verdict.Unhealthy });
        var store = new SnapshotStore(snapshot);
        using var stop = new CancellationTokenSource();
        var running = store.RunAsync(stop.Token);
        var probe = new HeldProbe();
        await using var monitor = new HealthMonitor(
            store, new(_transports[^1], clock), new Random(1), new LogLines(), _ => probe);

        await monitor.StartAsync(TimeSpan.FromSeconds(5), Task.CompletedTask).InTime();

        Assert.That(Eligible(store.Current), Is.EqualTo("10.0.0.1:80"), "although no probe has answered");
        probe.Answer(passed: false);
        await Eventually.HoldsAsync(
            () => monitor.Describe().All(one => one.ConsecutiveFailures == 1), () => "both have failed once");
        Assert.That(Eligible(store.Current), Is.EqualTo("10.0.0.1:80"), "one failure is not enough");
        await stop.CancelAsync();
        await running;
    }

    private long Ticks(double seconds) => _transports[^1].Heartbeat.Ticks(TimeSpan.FromSeconds(seconds));

    private static string Weights(Snapshot snapshot)
        => string.Join(' ', snapshot.Clusters[0].Eligible.Select(one => one.Weight));

    private static string Eligible(Snapshot snapshot)
        => string.Join(' ', snapshot.Clusters[0].Eligible.Select(one => one.Backend.Address));

    private (ManualClock Clock, Snapshot Next) Build(string cluster, params BackendLegacy[] backends)
        => BuildWith(cluster, backends, null);

    private (ManualClock Clock, Snapshot Next) Build(string cluster, SigningKeys made) => BuildWith(cluster, [], made);

    private (ManualClock Clock, Snapshot Next) BuildWith(
        string cluster, BackendLegacy[] backends, SigningKeys? made)
    {
        var clock = new ManualClock();
        _transports.Add(new(clock));
        var options = ProxyOptions.Parse(
            $"listeners: [ {{ bind: \":8000\" }} ]\nclusters: {{ web: {{ {cluster} }} }}", "test.yaml").Options!;
        var builder = new SnapshotBuilder(_transports[^1], clock);
        var legacy = new SnapshotLegacy
        {
            Found = FoundBackends.None,
            Changes = static _ => RuntimeChanges.None,
            MadeKeys = made is null ? new Dictionary<string, SigningKeys>() : new() { ["web"] = made },
            Backends = backends.ToDictionary(one => (one.Cluster, one.Address)),
        };
        return (clock, builder.Begin(options, legacy));
    }

    private sealed class HeldProbe : IProbe
    {
        private readonly TaskCompletionSource<ProbeAnswer> _answer =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ProbeKind Kind => ProbeKind.Http;

        public void Answer(bool passed) => _answer.SetResult(new(passed, "as told", passed ? 200 : 500));

        public async ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
            => await _answer.Task.WaitAsync(cancel);
    }
}
