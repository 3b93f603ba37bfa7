using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class PeakEwmaTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Test]
    public void A_slow_backend_is_asked_at_intervals_that_double_until_it_answers_fast()
    {
        var backends = SomeBackends.Make(2);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null, draw: 0);
        Answer(backends[0], milliseconds: 500);
        Answer(backends[1], milliseconds: 10);

        Assert.That(PicksUntil(selector, backends[0]), Is.EqualTo(16));
        Assert.That(PicksUntil(selector, backends[0]), Is.EqualTo(32), "before the answer is there");
        Answer(backends[0], milliseconds: 500);
        Assert.That(PicksUntil(selector, backends[0]), Is.EqualTo(64));
        Answer(backends[0], milliseconds: 20);
        Assert.That(PicksUntil(selector, backends[0]), Is.EqualTo(16));
    }

    [Test]
    public void Three_fast_answers_that_were_asked_for_heal()
    {
        var backends = SomeBackends.Make(2);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null, draw: 0);
        Answer(backends[0], milliseconds: 500);
        Answer(backends[1], milliseconds: 20);

        for (var asked = 0; asked < 3; asked++)
        {
            Assert.That(PicksUntil(selector, backends[0]), Is.EqualTo(16));
            Answer(backends[0], milliseconds: 20);
        }

        Assert.That(Picks.Count(selector, backends, 1_000)[0], Is.GreaterThan(400));
    }

    [Test]
    public void Silence_heals()
    {
        var backends = SomeBackends.Make(2);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null, draw: 0);
        Answer(backends[0], milliseconds: 500);
        Answer(backends[1], milliseconds: 10);

        var counts = new int[2];
        Answer(backends[1], milliseconds: 10, at: 60 * Second);
        for (var pick = 0; pick < 1_000; pick++)
            counts[backends.IndexOf(selector.Pick(new(0, 60 * Second, (ulong)pick, default))!)]++;
        Assert.That(counts[0], Is.GreaterThan(400));
    }

    [Test]
    public void One_that_nobody_has_heard_of_is_taken_for_as_fast_as_the_median()
    {
        var backends = SomeBackends.Make(4);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null, draw: 0);
        Answer(backends[0], milliseconds: 10);
        Answer(backends[1], milliseconds: 20);
        Answer(backends[2], milliseconds: 30);
        foreach (var backend in backends)
            Picks.Occupy(backend, 1);

        // It loses to the one that is faster than the median, and wins against the one that is slower.
        Assert.That(PickedWithout(selector, backends[1], backends[2]), Is.EqualTo(backends[0].Name));
        Assert.That(PickedWithout(selector, backends[0], backends[1]), Is.EqualTo(backends[3].Name));
    }

    [Test]
    public void A_heavier_backend_may_have_more_in_flight()
    {
        var backends = SomeBackends.Make(2);
        var selector = new PeakEwma().Build(Picks.Weighted(backends, 3, 1), null, draw: 0);
        Answer(backends[0], milliseconds: 10);
        Answer(backends[1], milliseconds: 10);
        for (var request = 0; request < 400; request++)
            selector.PickOne()!.Begin();

        Assert.That(backends[0].InFlight, Is.EqualTo(300).Within(10));
    }

    [Test]
    public void Response_times_are_kept_only_where_an_algorithm_asks_for_them()
    {
        var backend = SomeBackends.Make(1)[0];
        Answer(backend, milliseconds: 10);
        Assert.That(backend.MeasureResponseTime().IsKnown, Is.False);

        Answer(backend, milliseconds: 10);
        Assert.That(backend.MeasureResponseTime().IsKnown, Is.True);
    }

    [Test]
    public void Of_five_equal_backends_one_that_had_a_slow_burst_does_not_starve(
        [Values(10, 12, 25, 100, 400, 2_000, 10_000)] int perSecond)
    {
        var least = int.MaxValue;
        for (var seed = 1; seed <= 10; seed++)
        {
            var trial = new TrialRun(new PeakEwma(), backendCount: 5, seed);
            trial.Send(100, perSecond, backend => backend == 0 ? 200 : 20);
            trial.Send(1_500, perSecond, _ => 20);
            least = Math.Min(least, trial.Shares.Min());
        }

        TestContext.Out.WriteLine($"{perSecond}/s: the least of the next 1500 in ten trials: {least}");
        Assert.That(least, Is.GreaterThanOrEqualTo(225));
    }

    [Test]
    public void With_one_backend_ten_times_slower_nearly_nobody_waits_for_it(
        [Values(10, 12, 25, 100, 400, 2_000, 10_000)] int perSecond)
    {
        var (fast, _) = Steady(new PeakEwma(), perSecond, slowMean: 20, "nobody slow");
        var (most, share) = Steady(new PeakEwma(), perSecond, slowMean: 200, "one slow");
        var (mostInTurn, _) = Steady(new RoundRobin(), perSecond, slowMean: 200, "one slow");

        Assert.That(most, Is.LessThan(2 * fast));
        Assert.That(share, Is.LessThan(0.01));
        Assert.That(mostInTurn, Is.GreaterThan(5 * fast), "a trial that shows what it is about");
    }

    private static (double Most, double ShareOfSlow) Steady(
        IBalancingAlgorithm algorithm, int perSecond, double slowMean, string title)
    {
        const int Requests = 20_000;
        var trial = new TrialRun(algorithm, backendCount: 5, seed: 3);
        trial.Send(1_000, perSecond, backend => backend == 0 ? slowMean : 20);
        var times = trial.Send(Requests, perSecond, backend => backend == 0 ? slowMean : 20);
        var (half, most) = (times[Requests / 2], times[Requests * 99 / 100]);
        var share = (double)trial.Shares[0] / Requests;
        TestContext.Out.WriteLine($"{perSecond,6}/s   {algorithm.Name,-12} {title,-12} p50 {half,6:F1} ms   "
            + $"p99 {most,6:F1} ms   first backend {100 * share,5:F2} %");
        return (most, share);
    }

    private static int PicksUntil(Selector selector, Backend wanted)
    {
        var picks = 1;
        while (selector.PickOne() != wanted)
            picks++;
        return picks;
    }

    private static string PickedWithout(Selector selector, params Backend[] excluded)
        => Enumerable.Range(0, 1_000).Select(_ => selector.PickOne(excluded)!.Name)
            .CountBy(name => name).MaxBy(found => found.Value).Key;

    private static void Answer(Backend backend, int milliseconds, long at = 0)
    {
        backend.Report(backend.Begin(), new(FailureKind.None, 200, milliseconds * TimeSpan.TicksPerMillisecond, at));
    }
}
