using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class RoundRobinTests
{
    [Test]
    public void A_thousand_requests_over_three_backends_go_round_in_sequence()
    {
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null);

        var picks = new List<int>();
        while (picks.Count < 1_000)
            picks.Add(backends.IndexOf(selector.Pick(default)!));

        for (var turn = 1; turn < picks.Count; turn++)
            Assert.That(picks[turn], Is.EqualTo((picks[turn - 1] + 1) % 3), $"turn {turn}");
        var shares = picks.CountBy(pick => pick).Select(share => share.Value).OrderDescending();
        Assert.That(shares, Is.EqualTo(new[] { 334, 333, 333 }));
    }

    [Test]
    public async Task Fifty_threads_at_once_still_share_exactly()
    {
        const int PerThread = 3_000;
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null);
        var counts = new int[3];

        var threads = new Task[50];
        for (var thread = 0; thread < threads.Length; thread++)
        {
            threads[thread] = Task.Run(() =>
            {
                for (var round = 0; round < PerThread; round++)
                    Interlocked.Increment(ref counts[backends.IndexOf(selector.Pick(default)!)]);
            });
        }

        await Task.WhenAll(threads);
        Assert.That(counts, Is.EqualTo(new[] { 50_000, 50_000, 50_000 }));
    }

    [Test]
    public void An_excluded_backend_loses_its_turn_to_the_next_one()
    {
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null);
        Backend[] excluded = [backends[1]];

        var before = backends.IndexOf(selector.Pick(default)!);
        for (var turn = 1; turn <= 9; turn++)
        {
            var due = (before + turn) % 3;
            var picked = selector.Pick(new(0, 0, excluded));
            Assert.That(picked, Is.SameAs(backends[due == 1 ? 2 : due]));
        }
    }

    [Test]
    public void The_sequence_goes_on_when_the_backends_change()
    {
        var backends = SomeBackends.Make(4);
        var counts = new int[4];
        var selector = default(Selector);

        // Two in, two out, at every second pick: whoever began anew each time would favour some of them.
        for (var round = 0; round < 4_000; round++)
        {
            if (round % 2 == 0)
                selector = new RoundRobin().Build(SomeBackends.Evenly(backends), selector);
            counts[backends.IndexOf(selector!.Pick(default)!)]++;
        }

        Assert.That(counts, Is.All.EqualTo(1_000));
    }

    [Test]
    public void Selectors_built_together_do_not_all_start_at_the_same_backend()
    {
        var backends = SomeBackends.Make(3);

        var candidates = SomeBackends.Evenly(backends);
        var firsts = Enumerable.Range(0, 100)
            .Select(_ => new RoundRobin().Build(candidates, null).Pick(default)!.Name);

        Assert.That(firsts.Distinct().Count(), Is.EqualTo(3));
    }
}
