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
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null, draw: 0);

        var picks = new List<int>();
        while (picks.Count < 1_000)
            picks.Add(backends.IndexOf(selector.PickOne()!));

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
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null, draw: 0);
        var counts = new int[3];

        var threads = new Task[50];
        for (var thread = 0; thread < threads.Length; thread++)
        {
            threads[thread] = Task.Run(() =>
            {
                for (var round = 0; round < PerThread; round++)
                    Interlocked.Increment(ref counts[backends.IndexOf(selector.PickOne()!)]);
            });
        }

        await Task.WhenAll(threads);
        Assert.That(counts, Is.EqualTo(new[] { 50_000, 50_000, 50_000 }));
    }

    [Test]
    public void The_turns_of_an_excluded_backend_are_shared_by_all_others()
    {
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null, draw: 0);

        var counts = Picks.Count(selector, backends, 1_000, backends[1]);
        Assert.That(counts, Is.EqualTo(new[] { 500, 0, 500 }));
    }

    [Test]
    public void A_backend_that_always_fails_does_not_double_the_share_of_its_neighbour()
    {
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null, draw: 0);
        var counts = new int[3];

        for (var exchange = 0; exchange < 1_000; exchange++)
        {
            var picked = selector.PickOne()!;
            if (picked == backends[1])
                picked = selector.PickOne(picked)!;
            counts[backends.IndexOf(picked)]++;
        }

        // First attempts and retries each share exactly: two roundings.
        Assert.That(counts[1], Is.Zero);
        Assert.That(counts[0], Is.EqualTo(500).Within(1));
    }

    [Test]
    public void The_light_ones_keep_their_shares_when_the_one_with_nearly_all_turns_is_excluded()
    {
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(Picks.Weighted(backends, 1_000, 3, 1), null, draw: 0);

        var counts = Picks.Count(selector, backends, 40_000, backends[0]);
        Assert.That(counts[0], Is.Zero);
        Assert.That(counts[1], Is.EqualTo(30_000).Within(600));
    }

    [Test]
    public void A_weight_of_three_gets_exactly_three_times_as_much_from_wherever_one_counts()
    {
        var backends = SomeBackends.Make(2);
        for (var start = 0; start < 8; start++)
        {
            var selector = new WeightedRoundRobin().Build(Picks.Weighted(backends, 3, 1), null, draw: 0);
            for (var turn = 0; turn < start; turn++)
                selector.PickOne();
            Assert.That(Picks.Count(selector, backends, 1_000), Is.EqualTo(new[] { 750, 250 }));
        }
    }

    [Test]
    public async Task Fifty_threads_at_once_get_exactly_what_the_weights_say()
    {
        var backends = SomeBackends.Make(3);
        var selector = new RoundRobin().Build(Picks.Weighted(backends, 5, 2, 1), null, draw: 0);
        var counts = new int[3];

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() =>
        {
            for (var pick = 0; pick < 1_600; pick++)
                Interlocked.Increment(ref counts[backends.IndexOf(selector.PickOne()!)]);
        })));

        Assert.That(counts, Is.EqualTo(new[] { 50_000, 20_000, 10_000 }));
    }

    [Test]
    public void Retries_do_not_disturb_the_sequence_of_first_attempts()
    {
        var backends = SomeBackends.Make(2);
        var selector = new RoundRobin().Build(SomeBackends.Evenly(backends), null, draw: 0);
        var firsts = new int[2];

        for (var request = 0; request < 1_000; request++)
        {
            var first = selector.PickOne()!;
            firsts[backends.IndexOf(first)]++;
            if (first == backends[0])
                Assert.That(selector.PickOne(first), Is.SameAs(backends[1]));
        }

        Assert.That(firsts, Is.All.EqualTo(500));
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
                selector = new RoundRobin().Build(SomeBackends.Evenly(backends), selector, draw: 0);
            counts[backends.IndexOf(selector!.PickOne()!)]++;
        }

        Assert.That(counts, Is.All.EqualTo(1_000));
    }

    [Test]
    public void Selectors_built_together_do_not_all_start_at_the_same_backend()
    {
        var backends = SomeBackends.Make(3);

        var candidates = SomeBackends.Evenly(backends);
        var firsts = Enumerable.Range(0, 100)
            .Select(start => new RoundRobin().Build(candidates, null, StableHash.Mix((ulong)start)).PickOne()!.Name);

        Assert.That(firsts.Distinct().Count(), Is.EqualTo(3));
    }
}
