using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class LeastConnectionsTests
{
    [Test]
    public void The_one_with_the_fewest_requests_in_flight_is_picked_every_time()
    {
        var backends = SomeBackends.Make(3);
        Picks.Occupy(backends[0], 5);
        Picks.Occupy(backends[1], 4);
        Picks.Occupy(backends[2], 6);
        var selector = new LeastConnections().Build(SomeBackends.Evenly(backends), null, draw: 0);

        Assert.That(Picks.Count(selector, backends, 100), Is.EqualTo(new[] { 0, 100, 0 }));
    }

    [Test]
    public void Those_that_are_equal_take_turns()
    {
        var backends = SomeBackends.Make(4);
        Picks.Occupy(backends[0], 1);
        Picks.Occupy(backends[1], 2);
        Picks.Occupy(backends[2], 1);
        Picks.Occupy(backends[3], 1);
        var selector = new LeastConnections().Build(SomeBackends.Evenly(backends), null, draw: 0);

        Assert.That(Picks.Count(selector, backends, 300), Is.EqualTo(new[] { 100, 0, 100, 100 }));
    }

    [Test]
    public void Requests_that_stay_fill_backends_by_their_weights()
    {
        var backends = SomeBackends.Make(3);
        var selector = new LeastConnections().Build(Picks.Weighted(backends, 6, 3, 1), null, draw: 0);
        for (var request = 0; request < 100; request++)
            selector.PickOne()!.Begin();

        Assert.That(backends.Select(backend => backend.InFlight), Is.EqualTo(new[] { 60, 30, 10 }));
    }

    [Test]
    public void A_count_falls_again_whatever_the_outcome()
    {
        var backends = SomeBackends.Make(2);
        var selector = new LeastConnections().Build(SomeBackends.Evenly(backends), null, draw: 0);
        foreach (var failure in Enum.GetValues<FailureKind>())
        {
            var picked = selector.PickOne()!;
            var admission = picked.Begin();
            Assert.That(selector.PickOne(), Is.Not.SameAs(picked));
            picked.Report(admission, new(failure, 0, 0, 0));
            Assert.That(backends.Sum(backend => backend.InFlight), Is.Zero, $"{failure}");
        }
    }

    [Test]
    public void More_equal_ones_than_can_be_remembered_all_get_some()
    {
        var backends = SomeBackends.Make(100);
        foreach (var backend in backends)
            Picks.Occupy(backend, 1);
        var selector = new LeastConnections().Build(SomeBackends.Evenly(backends), null, draw: 0);

        // 200 each on average, with a standard deviation of about 14.
        Assert.That(Picks.Count(selector, backends, 20_000), Is.All.InRange(100, 300));
    }
}
