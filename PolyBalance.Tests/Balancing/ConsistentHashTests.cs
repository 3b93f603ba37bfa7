using System.Collections.Immutable;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class ConsistentHashTests
{
    private const int Keys = 20_000;

    [Test]
    public void The_same_key_goes_to_the_same_backend_on_every_instance_whatever_the_order_of_the_file()
    {
        var here = SomeBackends.Make(5);
        var there = SomeBackends.Make(5);
        var one = Build(SomeBackends.Evenly(here));
        var other = Build(SomeBackends.Evenly([.. there.Reverse()]));

        for (var key = 1UL; key <= Keys; key++)
            Assert.That(Pick(one, key), Is.EqualTo(Pick(other, key)));
    }

    [Test]
    public void These_keys_go_where_they_have_always_gone()
        => Assert.That(string.Join(' ', Enumerable.Range(1, 10).Select(
            client => Pick(Build(Three()), AffinityKey.OfClient($"192.0.2.{client}")))),
            Is.EqualTo("web-2 web-3 web-1 web-1 web-1 web-1 web-3 web-3 web-3 web-1"));

    [Test]
    public void Keys_are_spread_evenly()
    {
        var backends = SomeBackends.Make(5);
        // The standard deviation of 20,000 draws with a chance of one in five is 57.
        Assert.That(Picks.Count(Build(SomeBackends.Evenly(backends)), backends, Keys),
            Is.All.EqualTo(Keys / 5).Within(300));
    }

    [Test]
    public void Of_ten_backends_one_that_leaves_takes_only_its_own_keys_along_and_gets_them_back()
    {
        var backends = SomeBackends.Make(10);
        var all = Build(SomeBackends.Evenly(backends));
        var less = Build(SomeBackends.Evenly(backends.RemoveAt(4)));

        var moved = 0;
        var heirs = new HashSet<string>();
        for (var key = 1UL; key <= Keys; key++)
        {
            var (before, after) = (Pick(all, StableHash.Mix(key)), Pick(less, StableHash.Mix(key)));
            if (before == after)
                continue;

            Assert.That(before, Is.EqualTo(backends[4].Name));
            heirs.Add(after);
            moved++;
        }

        Assert.That(moved, Is.EqualTo(Keys / 10).Within(260));
        Assert.That(heirs, Has.Count.EqualTo(9), "its keys go to all the others, not to one neighbour");
    }

    [Test]
    public void A_weight_that_changes_moves_keys_only_to_or_from_that_backend()
    {
        var backends = SomeBackends.Make(3);
        var before = Build(Picks.Weighted(backends, 100, 100, 100));
        var after = Build(Picks.Weighted(backends, 100, 100, 50));

        for (var key = 1UL; key <= Keys; key++)
        {
            if (Pick(before, StableHash.Mix(key)) != Pick(after, StableHash.Mix(key)))
                Assert.That(Pick(before, StableHash.Mix(key)), Is.EqualTo(backends[2].Name));
        }

        Assert.That(Picks.Count(after, backends, Keys)[2], Is.EqualTo(Keys / 5).Within(300));
    }

    [Test]
    public void An_excluded_backend_is_replaced_by_the_one_that_would_be_next_without_it()
    {
        var backends = SomeBackends.Make(4);
        var all = Build(SomeBackends.Evenly(backends));
        for (var key = 1UL; key <= 1_000; key++)
        {
            var first = all.Pick(new(key, 0, 0, default))!;
            var without = Build(SomeBackends.Evenly(backends.Remove(first)));
            Assert.That(all.Pick(new(key, 0, 0, [first]))!.Name, Is.EqualTo(Pick(without, key)));
        }
    }

    [TestCase(110)]
    [TestCase(125)]
    [TestCase(200)]
    public void Even_when_all_requests_have_the_same_key_nobody_gets_more_than_the_bound(int loadPercent)
    {
        var backends = SomeBackends.Make(4);
        var selector = new ConsistentHash(loadPercent).Build(SomeBackends.Evenly(backends), null, draw: 0);
        for (var request = 1; request <= 400; request++)
        {
            selector.Pick(new(77, 0, 0, default))!.Begin();
            var bound = Math.Ceiling(request * loadPercent / 400.0);
            Assert.That(backends.Max(backend => backend.InFlight), Is.LessThanOrEqualTo(bound), $"request {request}");
        }
    }

    [Test]
    public void Room_is_by_weight_too()
    {
        var backends = SomeBackends.Make(2);
        var selector = Build(Picks.Weighted(backends, 3, 1));
        for (var request = 0; request < 400; request++)
            selector.Pick(new(StableHash.Mix((ulong)request % 7 + 1), 0, 0, default))!.Begin();

        Assert.That(backends[0].InFlight, Is.InRange(400 - 125, 375));
    }

    [Test]
    public void Without_a_bound_a_key_stays_where_it_is()
    {
        var backends = SomeBackends.Make(4);
        var selector = new ConsistentHash(loadPercent: 0).Build(SomeBackends.Evenly(backends), null, draw: 0);
        for (var request = 0; request < 100; request++)
            selector.Pick(new(77, 0, 0, default))!.Begin();

        Assert.That(backends.Max(backend => backend.InFlight), Is.EqualTo(100));
    }

    [Test]
    public void Requests_without_a_key_go_everywhere()
    {
        var backends = SomeBackends.Make(3);
        var selector = Build(SomeBackends.Evenly(backends));
        var picked = Enumerable.Range(0, 300).Select(_ => selector.PickOne()!).Distinct();

        Assert.That(picked.Count(), Is.EqualTo(3));
    }

    private static ImmutableArray<Candidate> Three() => SomeBackends.Evenly(SomeBackends.Make(3));

    private static Selector Build(ImmutableArray<Candidate> candidates)
        => new ConsistentHash(loadPercent: 125).Build(candidates, null, draw: 0);

    private static string Pick(Selector selector, ulong key) => selector.Pick(new(key, 0, 0, default))!.Name;
}
