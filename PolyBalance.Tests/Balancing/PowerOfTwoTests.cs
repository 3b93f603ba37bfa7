using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class PowerOfTwoTests
{
    [Test]
    public void Of_two_the_one_with_less_to_do_is_picked()
    {
        var backends = SomeBackends.Make(2);
        Picks.Occupy(backends[0], 3);
        Picks.Occupy(backends[1], 2);
        var selector = new PowerOfTwo().Build(SomeBackends.Evenly(backends), null, draw: 0);

        Assert.That(Picks.Count(selector, backends, 1_000), Is.EqualTo(new[] { 0, 1_000 }));
    }

    [Test]
    public void Less_to_do_means_for_its_weight()
    {
        var backends = SomeBackends.Make(2);
        Picks.Occupy(backends[0], 3);
        Picks.Occupy(backends[1], 2);
        var selector = new PowerOfTwo().Build(Picks.Weighted(backends, 2, 1), null, draw: 0);

        Assert.That(Picks.Count(selector, backends, 1_000), Is.EqualTo(new[] { 1_000, 0 }));
    }

    [Test]
    public void The_busiest_of_many_is_never_picked_and_the_least_busy_of_three_two_times_in_three()
    {
        var backends = SomeBackends.Make(3);
        Picks.Occupy(backends[0], 3);
        Picks.Occupy(backends[1], 2);
        Picks.Occupy(backends[2], 1);
        var selector = new PowerOfTwo().Build(SomeBackends.Evenly(backends), null, draw: 0);

        var counts = Picks.Count(selector, backends, 30_000);
        Assert.That(counts[0], Is.Zero);
        Assert.That(counts[2], Is.EqualTo(20_000).Within(500));
    }

    [Test]
    public void Requests_that_stay_are_spread_far_more_evenly_than_at_random()
    {
        var backends = SomeBackends.Make(50);
        var selector = new PowerOfTwo().Build(SomeBackends.Evenly(backends), null, draw: 0);
        for (var request = 0; request < 5_000; request++)
            selector.PickOne()!.Begin();

        // Drawn at random, the largest of fifty would be about 120; two choices keep all within a few of 100.
        Assert.That(backends.Select(backend => backend.InFlight), Is.All.InRange(92, 106));
    }
}
