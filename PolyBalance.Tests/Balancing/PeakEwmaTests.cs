using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class PeakEwmaTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Test]
    public void A_slow_backend_is_avoided_but_for_one_pick_in_a_hundred()
    {
        var backends = SomeBackends.Make(2);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null);
        Answer(backends[0], milliseconds: 500);
        Answer(backends[1], milliseconds: 10);

        // Both have been silent for equally long, so that an exploring pick takes the one that was drawn first.
        var counts = Picks.Count(selector, backends, 20_000);
        Assert.That(counts[0], Is.EqualTo(100).Within(60));
    }

    [Test]
    public void Silence_heals()
    {
        var backends = SomeBackends.Make(2);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null);
        Answer(backends[0], milliseconds: 500);
        Answer(backends[1], milliseconds: 10);

        var counts = new int[2];
        Answer(backends[1], milliseconds: 10, at: 60 * Second);
        for (var pick = 0; pick < 1_000; pick++)
            counts[backends.IndexOf(selector.Pick(new(0, 60 * Second, default))!)]++;
        Assert.That(counts[0], Is.GreaterThan(400));
    }

    [Test]
    public void One_that_nobody_has_heard_of_is_taken_for_as_fast_as_the_median()
    {
        var backends = SomeBackends.Make(4);
        var selector = new PeakEwma().Build(SomeBackends.Evenly(backends), null);
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
        var selector = new PeakEwma().Build(Picks.Weighted(backends, 3, 1), null);
        Answer(backends[0], milliseconds: 10);
        Answer(backends[1], milliseconds: 10);
        for (var request = 0; request < 400; request++)
            selector.Pick(default)!.Begin();

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

    // Healing takes time, not requests: at higher rates the first 1500 are over before it is done. From half a minute
    // after the burst on, shares are fair at any rate.
    [TestCase(12, 0)]
    [TestCase(25, 750)]
    [TestCase(100, 3_000)]
    [TestCase(400, 12_000)]
    public void Of_five_equal_backends_one_that_had_a_slow_burst_does_not_starve(int perSecond, int before)
    {
        var least = int.MaxValue;
        for (var seed = 1; seed <= 10; seed++)
        {
            var trial = new TrialRun(new PeakEwma(), backendCount: 5, seed);
            trial.Send(100, perSecond, backend => backend == 0 ? 200 : 20);
            trial.Send(before, perSecond, _ => 20);
            trial.Send(1_500, perSecond, _ => 20);
            least = Math.Min(least, trial.Shares.Min());
        }

        TestContext.Out.WriteLine($"{perSecond}/s, after {before}: the least of 1500 in ten trials: {least}");
        Assert.That(least, Is.GreaterThanOrEqualTo(225));
    }

    [Test]
    public void With_one_backend_ten_times_slower_nearly_nobody_waits_for_it()
    {
        var roundRobin = SlowOneIn(new RoundRobin());
        var leastConnections = SlowOneIn(new LeastConnections());
        var peakEwma = SlowOneIn(new PeakEwma());

        Assert.That(peakEwma, Is.LessThan(40), "the slowest answer of a fast backend takes 30 ms");
        Assert.That(leastConnections, Is.GreaterThan(100));
        Assert.That(roundRobin, Is.GreaterThan(100));
    }

    private static double SlowOneIn(IBalancingAlgorithm algorithm)
    {
        var trial = new TrialRun(algorithm, backendCount: 5, seed: 3);
        trial.Send(1_000, perSecond: 200, backend => backend == 0 ? 200 : 20);
        var times = trial.Send(20_000, perSecond: 200, backend => backend == 0 ? 200 : 20);
        var (half, most) = (times[times.Length / 2], times[times.Length * 99 / 100]);
        TestContext.Out.WriteLine(
            $"{algorithm.Name,-18} p50 {half,6:F1} ms   p99 {most,6:F1} ms   shares {string.Join(' ', trial.Shares)}");
        return most;
    }

    private static string PickedWithout(Selector selector, params Backend[] excluded)
        => Enumerable.Range(0, 1_000).Select(_ => selector.Pick(new(0, 0, excluded))!.Name)
            .CountBy(name => name).MaxBy(found => found.Value).Key;

    private static void Answer(Backend backend, int milliseconds, long at = 0)
    {
        backend.Report(backend.Begin(), new(FailureKind.None, 200, milliseconds * TimeSpan.TicksPerMillisecond, at));
    }
}
