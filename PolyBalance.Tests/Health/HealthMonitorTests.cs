using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Health;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Health;

internal sealed class HealthMonitorTests
{
    private const string One = "clusters: { web: { backends: [ { address: \"10.0.0.1:80\", name: a } ] } }";
    private const string Two = "clusters: { web: { backends: [ "
        + "{ address: \"10.0.0.1:80\", name: a }, { address: \"10.0.0.2:80\", name: b } ] } }";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Test]
    public async Task A_backend_goes_at_the_third_failure_and_comes_back_at_the_second_pass()
    {
        await using var rig = new MonitorRig(One);
        await rig.StartAsync();
        await rig.EligibleAsync("a");

        rig.Answer = static _ => MonitorRig.Status(500);
        await rig.AdvanceUntilAsync(() => rig.Probes.Length == 2, 11 * Second);
        await rig.AdvanceUntilAsync(() => rig.Probes.Length == 3, 2 * Second);
        Assert.That(rig.VerdictOf("a"), Is.EqualTo(Verdict.Healthy));
        await rig.AdvanceUntilAsync(() => rig.Probes.Length == 4, 2 * Second);
        Assert.That(rig.VerdictOf("a"), Is.EqualTo(Verdict.Unhealthy));
        await rig.EligibleAsync();

        rig.Answer = static _ => MonitorRig.Status(200);
        await rig.AdvanceUntilAsync(() => rig.Probes.Length == 5, 13 * Second);
        Assert.That(rig.VerdictOf("a"), Is.EqualTo(Verdict.Unhealthy));
        await rig.AdvanceUntilAsync(() => rig.Probes.Length == 6, 2 * Second);
        await rig.EligibleAsync("a");
        var metrics = rig.Store.Current.Clusters[0].Backends[0].Metrics;
        Assert.That((metrics.Probes(passed: true), metrics.Probes(passed: false)), Is.EqualTo((3L, 3L)));
        Assert.That((metrics.Transitions(toHealthy: true), metrics.Transitions(toHealthy: false)),
            Is.EqualTo((1L, 1L)));

        // Rechecks come after a second, all others after the interval, give or take a fifth.
        var gaps = rig.Probes.Zip(rig.Probes.Skip(1), (one, next) => (next.At - one.At).TotalSeconds).ToList();
        Assert.That((gaps[1], gaps[2], gaps[4]), Is.EqualTo((1.0, 1.0, 1.0)));
        Assert.That(gaps[3], Is.InRange(8.0, 12.1));
        Assert.That(rig.Log.All, Is.EqualTo((string[])
        [
            "I Probed before listening: of 1 backends 1 are healthy, 0 not, 0 unknown",
            "W Backend a of cluster web is unhealthy: status 500",
            "I Backend a of cluster web is healthy: status 200",
        ]));
    }

    [Test]
    public async Task One_line_tells_of_a_change_and_none_of_what_stays()
    {
        await using var rig = new MonitorRig(Two);
        rig.Answer = static target => MonitorRig.Status(target.Backend == "b" ? 503 : 200);
        await rig.StartAsync();
        await rig.AdvanceAsync(60 * Second);

        Assert.That(rig.Probes, Has.Length.InRange(11, 17));
        await rig.EligibleAsync("a");
        Assert.That(rig.Log.All.Where(line => line[0] == 'W'),
            Is.EqualTo((string[])["W Backend b of cluster web is unhealthy: status 503"]));
    }

    [Test]
    public async Task A_probe_begins_a_drain_and_the_next_one_ends_it_and_the_verdict_stays()
    {
        await using var rig = new MonitorRig(Two);
        rig.Answer = static target => new(true, "status 404, draining", 404, WantsDrain: target.Backend == "b");
        await rig.StartAsync();
        await rig.EligibleAsync("a");

        rig.Answer = static _ => MonitorRig.Status(200);
        await rig.AdvanceAsync(13 * Second);

        await rig.EligibleAsync("a", "b");
        Assert.That(rig.VerdictOf("b"), Is.EqualTo(Verdict.Healthy));
        Assert.That(rig.Log.All.Where(line => line.Contains(" b ", StringComparison.Ordinal)), Is.EqualTo((string[])
        [
            "I Backend b of cluster web is draining with 0 exchanges in flight: it asked for that when it was probed",
            "I Backend b of cluster web is not draining any more: a probe passed without asking for it",
        ]));
    }

    [Test]
    public async Task Who_was_away_and_is_back_does_not_drain_any_more()
    {
        await using var rig = new MonitorRig(Two);
        await rig.StartAsync();
        rig.Store.Current.Clusters[0].Backends[1].BeginDrainByResponse();
        await rig.EligibleAsync("a");

        rig.Answer = static target => MonitorRig.Status(target.Backend == "b" ? 500 : 200);
        await rig.AdvanceUntilAsync(() => rig.VerdictOf("b") == Verdict.Unhealthy, 20 * Second);
        rig.Answer = static _ => MonitorRig.Status(200);
        await rig.AdvanceUntilAsync(() => rig.VerdictOf("b") == Verdict.Healthy, 20 * Second);

        await rig.EligibleAsync("a", "b");
    }

    [Test]
    public async Task The_first_round_is_not_over_before_everybody_is_known()
    {
        await using var rig = new MonitorRig(One);
        var known = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var starting = rig.Monitor.StartAsync(5 * Second, known.Task);
        await Eventually.HoldsAsync(() => rig.Probes.Length == 1 && rig.Now == 0, () => "the probe has ended");
        await rig.QuietAsync();
        Assert.That(starting.IsCompleted, Is.False);

        await rig.ReloadAsync(Two);
        known.SetResult();
        await starting.InTime();

        Assert.That(rig.VerdictOf("b"), Is.EqualTo(Verdict.Healthy));
    }

    [Test]
    public async Task After_five_seconds_the_start_goes_on_without_the_verdicts_that_are_missing()
    {
        await using var rig = new MonitorRig(One) { Hold = new() };
        var starting = rig.Monitor.StartAsync(5 * Second, Task.CompletedTask);
        await Eventually.HoldsAsync(() => rig.Now == 1, () => "the probe runs");
        rig.Clock.Advance(4.9 * Second);
        Assert.That(starting.IsCompleted, Is.False);

        rig.Clock.Advance(0.1 * Second);
        await starting.InTime();
        Assert.That(rig.VerdictOf("a"), Is.EqualTo(Verdict.Unknown));
        Assert.That(rig.Store.Current.Clusters[0].Eligible, Is.Empty);
        Assert.That(rig.Log.All,
            Does.Contain("W No backend is healthy: nothing can be forwarded until a probe passes"));

        rig.Hold.SetResult();
        await rig.EligibleAsync("a");
        await Eventually.HoldsAsync(
            () => rig.Log.All[^1] == "I Backend a of cluster web is healthy: fine", () => "it is told of");
    }

    [Test]
    public async Task Not_more_probes_run_at_once_than_allowed_and_all_get_their_turn()
    {
        var backends = string.Join(", ", Enumerable.Range(1, 100).Select(number => $"\"10.0.0.{number}:80\""));
        await using var rig = new MonitorRig(
            $"max_concurrent_probes: 7\nclusters: {{ web: {{ backends: [ {backends} ] }} }}")
        { Hold = new() };
        var starting = rig.Monitor.StartAsync(5 * Second, Task.CompletedTask);
        await Eventually.HoldsAsync(() => rig.Now == 7, () => $"{rig.Now} probes are 7");

        rig.Hold.SetResult();
        await starting.InTime();
        Assert.That((rig.MostAtOnce, rig.Probes.Length), Is.EqualTo((7, 100)));
        Assert.That(rig.Store.Current.Clusters[0].Eligible, Has.Length.EqualTo(100));
    }

    [Test]
    public async Task A_reload_that_changes_the_check_keeps_the_verdict_until_the_new_check_has_decided()
    {
        await using var rig = new MonitorRig(One);
        await rig.StartAsync();
        rig.Answer = static target => MonitorRig.Status(target.Check.Path == "/new" ? 404 : 200);
        rig.Hold = new();

        await rig.ReloadAsync(One.Replace("backends:", "health: { path: /new }, backends:", StringComparison.Ordinal));
        await Eventually.HoldsAsync(() => rig.Now == 1, () => "the new check is asked at once");
        await rig.EligibleAsync("a");

        rig.Hold.SetResult();
        await rig.EligibleAsync();
        Assert.That(rig.Probes, Has.Length.EqualTo(2));
    }

    [Test]
    public async Task A_reload_probes_who_comes_forgets_who_goes_and_leaves_who_stays()
    {
        await using var rig = new MonitorRig(Two);
        await rig.StartAsync();
        rig.Hold = new();

        await rig.ReloadAsync(
            Two.Replace("10.0.0.2:80\", name: b", "10.0.0.3:80\", name: c", StringComparison.Ordinal));
        await Eventually.HoldsAsync(() => rig.Now == 1, () => "who comes is probed at once");
        await rig.EligibleAsync("a");
        rig.Hold.SetResult();
        rig.Hold = null;
        await rig.EligibleAsync("a", "c");

        await rig.AdvanceAsync(30 * Second);
        var names = rig.Probes.Select(probe => probe.Backend).ToList();
        Assert.That(names.Count(name => name == "b"), Is.EqualTo(1));
        Assert.That(names.Skip(3), Is.All.AnyOf("a", "c"));
        Assert.That(rig.Monitor.Describe().Select(view => view.Backend), Is.EqualTo((string[])["a", "c"]));
    }

    [Test]
    public async Task Another_pool_at_the_same_address_is_as_healthy_as_the_one_before()
    {
        await using var rig = new MonitorRig(One);
        await rig.StartAsync();
        var before = rig.Store.Current.Clusters[0].Backends[0];

        await rig.ReloadAsync(One.Replace("backends:", "pool: { size: 3 }, backends:", StringComparison.Ordinal));
        await rig.EligibleAsync("a");
        Assert.That(rig.Store.Current.Clusters[0].Backends[0], Is.Not.SameAs(before));
        Assert.That(rig.Probes, Has.Length.EqualTo(1));

        rig.Answer = static _ => MonitorRig.Status(500);
        await rig.AdvanceAsync(14 * Second);
        await rig.EligibleAsync();
    }

    [Test]
    public async Task Without_probes_a_backend_is_trusted_from_then_on()
    {
        await using var rig = new MonitorRig(One);
        rig.Answer = static _ => MonitorRig.Status(500);
        await rig.StartAsync();
        await rig.EligibleAsync();

        await rig.ReloadAsync(One.Replace("backends:", "health: off, backends:", StringComparison.Ordinal));
        await rig.EligibleAsync("a");
        await rig.AdvanceAsync(30 * Second);
        Assert.That(rig.Probes, Has.Length.EqualTo(1));
        Assert.That(rig.Monitor.Describe()[0].LastCheck, Is.Null);
    }

    [Test]
    public async Task When_every_probe_is_answered_404_one_line_asks_whether_the_path_is_right()
    {
        await using var rig = new MonitorRig(Two);
        rig.Answer = static _ => MonitorRig.Status(404);
        await rig.StartAsync();
        await rig.AdvanceAsync(60 * Second);

        Assert.That(rig.Log.All.Where(line => line.Contains("404", StringComparison.Ordinal)
                && !line.Contains("unhealthy", StringComparison.Ordinal)),
            Is.EqualTo((string[])["W Every probe of cluster web is answered 404: is health.path right?"]));
    }

    [Test]
    public async Task When_one_backend_knows_the_path_nobody_is_asked_about_it()
    {
        await using var rig = new MonitorRig(Two);
        rig.Answer = static target => MonitorRig.Status(target.Backend == "a" ? 404 : 500);
        await rig.StartAsync();
        await rig.AdvanceAsync(30 * Second);

        Assert.That(rig.Log.All, Has.None.Contains("health.path"));
    }

    [Test]
    public async Task Operators_see_what_probes_found()
    {
        await using var rig = new MonitorRig(One);
        rig.Answer = static _ => MonitorRig.Status(500);
        await rig.StartAsync();
        await rig.AdvanceAsync(20 * Second);

        var view = rig.Monitor.Describe().Single();
        Assert.That((view.Cluster, view.Backend, view.Address, view.Verdict, view.ConsecutivePasses, view.LastError),
            Is.EqualTo(("web", "a", "10.0.0.1:80", Verdict.Unhealthy, 0, "status 500")));
        Assert.That(view.ConsecutiveFailures, Is.EqualTo(rig.Probes.Length));
        Assert.That(view.History, Has.Length.EqualTo(rig.Probes.Length));
        Assert.That(view.NextCheck, Is.GreaterThan(rig.Clock.GetUtcNow()));
        Assert.That(view.LastCheck, Is.GreaterThan(rig.Clock.GetUtcNow() - (12.1 * Second)));
    }

    [Test]
    public async Task What_is_wrong_with_ourselves_is_not_held_against_a_backend()
    {
        await using var rig = new MonitorRig(One);
        await rig.StartAsync();
        rig.Answer = static _ => ProbeAnswer.Void("no file descriptor is left");
        await rig.AdvanceUntilAsync(() => rig.Probes.Length == 10, 25 * Second);

        await rig.EligibleAsync("a");
        Assert.That(rig.Monitor.Describe()[0].History, Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_probe_with_a_bug_is_a_failure_and_an_error_in_the_log()
    {
        await using var rig = new MonitorRig(One);
        rig.Answer = static _ => throw new InvalidOperationException("a bug");
        await rig.StartAsync();

        await rig.EligibleAsync();
        Assert.That(rig.Log.All[0], Is.EqualTo("E A probe failed because of a bug in PolyBalance; please report it"));
        rig.Answer = static _ => MonitorRig.Status(200);
        await rig.AdvanceAsync(14 * Second);
        await rig.EligibleAsync("a");
    }
}
