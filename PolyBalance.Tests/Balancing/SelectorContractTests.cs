using System.Collections.Immutable;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

/// <summary>What every balancing algorithm does, the next one included.</summary>
[TestFixtureSource(typeof(BalancingAlgorithms), nameof(BalancingAlgorithms.All))]
internal sealed class SelectorContractTests(IBalancingAlgorithm algorithm)
{
    [Test]
    public void Without_backends_nobody_is_picked()
    {
        var selector = algorithm.Build([], null, draw: 0);

        for (var round = 0; round < 100; round++)
            Assert.That(selector.Pick(new((ulong)round, 0, (ulong)round, default)), Is.Null);
    }

    [Test]
    public void Only_eligible_backends_that_are_not_excluded_are_picked()
    {
        var random = new Random(5);
        for (var round = 0; round < 2_000; round++)
        {
            var backends = SomeBackends.Make(random.Next(1, 6));
            var excluded = backends.Where(_ => random.Next(2) == 0).ToArray();
            var selector = algorithm.Build(SomeBackends.Evenly(backends), null, draw: 0);

            for (var pick = 0; pick < 5; pick++)
            {
                var picked = selector.Pick(new((ulong)random.NextInt64(), 0, (ulong)random.NextInt64(), excluded));
                if (excluded.Length == backends.Length)
                    Assert.That(picked, Is.Null);
                else
                    Assert.That(backends.Except(excluded), Does.Contain(picked));
            }
        }
    }

    [Test]
    public void Backends_that_are_not_eligible_any_more_may_be_excluded_all_the_same()
    {
        var backends = SomeBackends.Make(2);
        var gone = SomeBackends.Make(3)[2];

        Assert.That(algorithm.Build(SomeBackends.Evenly(backends), null, draw: 0).PickOne(gone), Is.Not.Null);
    }

    [Test]
    public void Every_backend_gets_its_turn()
    {
        var backends = SomeBackends.Make(5);
        var selector = algorithm.Build(SomeBackends.Evenly(backends), null, draw: 0);

        var picked = new HashSet<Backend?>();
        for (var round = 0UL; round < 1_000; round++)
            picked.Add(selector.Pick(new(round * 0x9E37_79B9_7F4A_7C15, 0, round, default)));

        Assert.That(picked, Is.EquivalentTo(backends));
    }

    [Test]
    public void What_is_foreseen_is_picked_and_foreseeing_moves_nothing_on()
    {
        var random = new Random(11);
        for (var world = 0; world < 100; world++)
        {
            var backends = SomeBackends.Make(random.Next(1, 7));
            foreach (var backend in backends.Where(_ => random.Next(3) == 0))
                backend.Protect(random.Next(1, 4), connectsMax: 1);
            var weights = backends.Select(_ => random.Next(1, 4)).ToArray();
            var candidates = Picks.Weighted(backends, weights);
            var canWait = random.Next(2) == 0;
            var backups = random.Next(2) == 0 ? candidates.Length : random.Next(1, candidates.Length + 1);
            var placement = PlacementOver(
                candidates[..backups], canWait,
                backups == candidates.Length ? null : PlacementOver(candidates[backups..], canWait, null));
            var inFlight = new List<(Backend Backend, Admission Admission)>();

            for (var pick = 0; pick < 100; pick++)
            {
                var excluded = backends.Where(_ => random.Next(5) == 0).ToArray();
                var (key, draw) = ((ulong)random.NextInt64(), (ulong)random.NextInt64());
                var now = (world * 100) + pick;
                Backend? Foresee() => placement.Foresee(new(key, now, draw, excluded, glance: new()));

                var foreseen = Foresee();
                Assert.That(Foresee(), Is.EqualTo(foreseen), "a glance moved something on");
                var found = placement.Find(new(key, now, draw, excluded), out var admission);
                Assert.That(found, Is.EqualTo(foreseen), $"world {world}, pick {pick}");

                if (found is not null)
                    inFlight.Add((found, admission));
                while (inFlight.Count > 0 && random.Next(3) > 0)
                {
                    var ended = inFlight[random.Next(inFlight.Count)];
                    inFlight.Remove(ended);
                    ended.Backend.Report(
                        ended.Admission, new(FailureKind.None, 200, random.Next(1, 1_000_000), now, 1_000));
                }
            }
        }
    }

    [Test]
    public void Backups_are_foreseen_by_turns_of_their_own()
    {
        var backends = SomeBackends.Make(5);
        var candidates = SomeBackends.Evenly(backends);
        var random = new Random(13);
        for (var world = 0; world < 200; world++)
        {
            var placement = PlacementOver(
                candidates[..2], canWait: false, PlacementOver(candidates[2..], canWait: false, null));
            var glance = new Glance();
            var (foreseen, picked) = (new List<Backend>(), new List<Backend>());
            var draws = backends.Select(_ => (ulong)random.NextInt64()).ToArray();

            foreach (var draw in draws)
                foreseen.Add(placement.Foresee(new(key: 3, world, draw, [.. foreseen], glance: glance))!);
            foreach (var draw in draws)
                picked.Add(placement.Find(new(key: 3, world, draw, [.. picked]), out _)!);

            Assert.That(picked, Is.EqualTo(foreseen));
            Assert.That(picked.Take(2), Is.EquivalentTo(backends.Take(2)));
        }
    }

    private Placement PlacementOver(ImmutableArray<Candidate> eligible, bool canWait, Placement? backups)
        => new(eligible, algorithm.Build(eligible, null, (ulong)eligible.Length), canWait, backups);

    [Test]
    public void Picks_of_one_exchange_are_foreseen_one_after_the_other()
    {
        var random = new Random(12);
        for (var world = 0; world < 200; world++)
        {
            var backends = SomeBackends.Make(5);
            var selector = algorithm.Build(SomeBackends.Evenly(backends), null, (ulong)random.NextInt64());
            var glance = new Glance();
            var (foreseen, picked) = (new List<Backend>(), new List<Backend>());
            var key = (ulong)random.NextInt64();
            var draws = backends.Select(_ => (ulong)random.NextInt64()).ToArray();

            foreach (var draw in draws)
                foreseen.Add(selector.Pick(new(key, 0, draw, [.. foreseen], glance: glance))!);
            foreach (var draw in draws)
                picked.Add(selector.Pick(new(key, 0, draw, [.. picked]))!);

            Assert.That(picked, Is.EqualTo(foreseen));
        }
    }

    [Test]
    public void Every_candidate_gets_a_remark()
    {
        var backends = SomeBackends.Make(4);
        Picks.Occupy(backends[1], 3);
        var selector = algorithm.Build(Picks.Weighted(backends, 3, 1, 1, 2), null, draw: 0);

        var remarks = selector.Weigh(new(key: 5, now: 0, draw: 7, default, glance: new()));

        Assert.That(remarks, Has.Length.EqualTo(4));
        Assert.That(remarks, Has.All.Not.Empty);
    }

    [Test]
    public void Weights_count_when_nobody_has_anything_to_do()
    {
        const int Picked = 32_000;
        var backends = SomeBackends.Make(3);
        var selector = algorithm.Build(Picks.Weighted(backends, 5, 2, 1), null, draw: 0);

        var counts = Picks.Count(selector, backends, Picked);
        // Six times the standard deviation of independent draws, at most 90; those that count are exact.
        var tolerance = algorithm is RoundRobin or WeightedRoundRobin or LeastConnections ? 0 : 540;
        Assert.That(counts[0], Is.EqualTo(Picked * 5 / 8).Within(tolerance));
        Assert.That(counts[1], Is.EqualTo(Picked * 2 / 8).Within(tolerance));
    }

    [Test]
    public void A_selector_of_any_other_algorithm_may_have_been_there_before()
    {
        var backends = SomeBackends.Make(3);
        foreach (var other in BalancingAlgorithms.All)
        {
            var previous = other.Build(SomeBackends.Evenly(backends), null, draw: 0);
            var selector = algorithm.Build(SomeBackends.Evenly(backends[1..]), previous, draw: 0);

            Assert.That(Picks.Count(selector, backends, 100)[0], Is.Zero, other.Name);
            Assert.That(Picks.Count(previous, backends, 300), Is.All.GreaterThan(0), other.Name);
        }
    }

    [Test]
    public void A_single_backend_gets_everything_however_busy_it_is()
    {
        var backends = SomeBackends.Make(1);
        Picks.Occupy(backends[0], 1_000);
        var selector = algorithm.Build(SomeBackends.Evenly(backends), null, draw: 0);

        Assert.That(Picks.Count(selector, backends, 100), Is.EqualTo(new[] { 100 }));
    }

    [TestCase(2)]
    [TestCase(60)]
    public void The_last_one_that_is_left_is_found(int count)
    {
        var backends = SomeBackends.Make(count);
        foreach (var backend in backends)
            Picks.Occupy(backend, 3);
        var selector = algorithm.Build(Picks.Weighted(backends, [.. Enumerable.Range(1, count)]), null, draw: 0);

        Assert.That(Picks.Count(selector, backends, 100, [.. backends[1..]])[0], Is.EqualTo(100));
    }

    [Test]
    public void The_same_state_and_the_same_draws_lead_to_the_same_picks()
    {
        var once = SomePicks();
        var again = SomePicks();

        Assert.That(again, Is.EqualTo(once));
        Assert.That(once.Distinct().Count(), Is.GreaterThan(20), "picks that show what they are about");
    }

    [Test]
    public void Picking_allocates_nothing()
    {
        var backends = SomeBackends.Make(5);
        var selector = algorithm.Build(SomeBackends.Evenly(backends), null, draw: 0);
        Backend[] excluded = [backends[0], backends[3]];

        var picked = PickMany(selector, excluded, 1_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        picked += PickMany(selector, excluded, 10_000);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That((picked, allocated), Is.EqualTo((11_000, 0L)));
    }

    [Test]
    public async Task Fifty_threads_may_pick_at_once()
    {
        var backends = SomeBackends.Make(4);
        var selector = algorithm.Build(SomeBackends.Evenly(backends), null, draw: 0);
        Backend[] excluded = [backends[2]];

        var threads = new Task<int>[50];
        for (var thread = 0; thread < threads.Length; thread++)
            threads[thread] = Task.Run(() => PickMany(selector, excluded, 2_000));

        Assert.That(await Task.WhenAll(threads), Is.All.EqualTo(2_000));
    }

    [Test]
    public void The_configuration_knows_its_name()
    {
        Assert.That(ClusterOptions.Algorithms, Does.Contain(algorithm.Name));
        Assert.That(BalancingAlgorithms.Of(algorithm.Name), Is.SameAs(algorithm));
    }

    // Names of backends that are picked while requests come, stay and go; every third pick is a retry.
    private List<string> SomePicks()
    {
        var random = new Random(11);
        var backends = SomeBackends.Make(40);
        var weights = backends.Select(_ => random.Next(1, 5)).ToArray();
        var selector = algorithm.Build(Picks.Weighted(backends, weights), null, (ulong)random.NextInt64());
        var running = new Queue<(Backend Backend, Admission Admission)>();
        var names = new List<string>();
        for (var pick = 0; pick < 500; pick++)
        {
            Backend[] excluded = pick % 3 == 0 ? [backends[random.Next(40)]] : [];
            var picked = selector.Pick(new(key: 0, now: pick, (ulong)random.NextInt64(), excluded))!;
            names.Add(picked.Name);
            running.Enqueue((picked, picked.Begin()));
            if (pick < 60)
                continue;

            var (backend, admission) = running.Dequeue();
            backend.Report(admission, new(FailureKind.None, 200, random.Next(1, 1_000) * 10_000L, pick));
        }

        return names;
    }

    private static int PickMany(Selector selector, Backend[] excluded, int count)
    {
        var picked = 0;
        for (var round = 0; round < count; round++)
        {
            var backend = selector.Pick(new((ulong)round, 0, (ulong)round, excluded));
            picked += backend is not null && Array.IndexOf(excluded, backend) < 0 ? 1 : 0;
        }

        return picked;
    }
}
