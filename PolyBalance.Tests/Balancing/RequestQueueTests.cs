using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;

namespace PolyBalance.Tests.Balancing;

internal sealed class RequestQueueTests
{
    [Test]
    public async Task Who_waits_longest_gets_the_place_that_is_given_back()
    {
        await using var rig = new QueueRig(backends: 2, places: 2, requestsMax: 10);
        var taken = rig.Fill();
        var (first, second) = (rig.Join(), rig.Join());

        rig.End(taken[3]);

        Assert.That(QueueRig.EndOf(first).Backend, Is.SameAs(taken[3].Backend));
        Assert.That((second.IsListed, rig.Queue.Waiting, taken[3].Backend!.InFlight), Is.EqualTo((true, 1, 2)));
    }

    [Test]
    public async Task A_place_that_is_free_when_a_request_joins_is_its_own()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 10);

        Assert.That(QueueRig.EndOf(rig.Join()).Backend, Is.SameAs(rig.Backends[0]));
        Assert.That(rig.Queue.Waiting, Is.Zero);
    }

    [Test]
    public async Task Beyond_its_size_a_request_is_refused_at_once()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 2);
        rig.Fill();
        var waiting = new[] { rig.Join(), rig.Join() };

        Assert.That(QueueRig.EndOf(rig.Join()).Failure, Is.EqualTo(FailureKind.QueueFull));
        Assert.That(waiting.Select(request => request.IsListed), Is.All.True);
        Assert.That(rig.Queue.Refusals, Is.EqualTo(1));
    }

    [Test]
    public async Task Who_has_waited_for_long_enough_is_refused_and_not_before()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 2);
        rig.Fill();
        var request = rig.Join();

        rig.Clock.Advance(TimeSpan.FromSeconds(4.99));
        Assert.That(request.IsListed, Is.True);
        rig.Clock.Advance(TimeSpan.FromSeconds(0.11));

        Assert.That(QueueRig.EndOf(request).Failure, Is.EqualTo(FailureKind.QueueTimedOut));
        Assert.That((rig.Queue.Waiting, rig.Queue.Refusals), Is.EqualTo((0, 1L)));
    }

    [Test]
    public async Task Who_leaves_is_gone_at_once_wherever_he_stands()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        var taken = rig.Fill();
        var requests = Enumerable.Range(0, 5).Select(_ => rig.Join()).ToList();

        foreach (var index in (int[])[0, 2, 4])
        {
            requests[index].Leave();
            Assert.That(QueueRig.EndOf(requests[index]).Failure, Is.EqualTo(FailureKind.ClientClosed));
        }

        Assert.That(rig.Queue.Waiting, Is.EqualTo(2));
        rig.End(taken[0]);
        rig.End(QueueRig.EndOf(requests[1]));
        rig.End(QueueRig.EndOf(requests[3]));
        Assert.That((rig.Queue.Waiting, rig.Backends[0].InFlight), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task Who_left_before_he_joined_does_not_wait()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        rig.Fill();
        var request = new QueuedRequest(rig.Queue, rig.Heartbeat);

        request.Leave();
        rig.Queue.Join(request, rig.Now + rig.Queue.Timeout);

        Assert.That(QueueRig.EndOf(request).Failure, Is.EqualTo(FailureKind.ClientClosed));
        Assert.That(rig.Queue.Waiting, Is.Zero);
    }

    [Test]
    public async Task A_retry_waits_for_a_backend_that_it_has_not_tried_and_holds_up_nobody()
    {
        await using var rig = new QueueRig(backends: 2, places: 1, requestsMax: 5);
        var taken = rig.Fill();
        var retry = rig.Join(tried: taken[0].Backend!);
        var other = rig.Join();

        rig.End(taken[0]);
        Assert.That(QueueRig.EndOf(other).Backend, Is.SameAs(taken[0].Backend));
        Assert.That(retry.IsListed, Is.True);

        rig.End(taken[1]);
        Assert.That(QueueRig.EndOf(retry).Backend, Is.SameAs(taken[1].Backend));
    }

    [Test]
    public async Task A_session_waits_for_its_own_backend_and_holds_up_nobody()
    {
        await using var rig = new QueueRig(backends: 2, places: 1, requestsMax: 5);
        var taken = rig.Fill();
        var session = rig.Join(home: taken[0].Backend);
        var other = rig.Join();

        rig.End(taken[1]);
        Assert.That(QueueRig.EndOf(other).Backend, Is.SameAs(taken[1].Backend));
        Assert.That(session.IsListed, Is.True);
        rig.End(taken[0]);

        Assert.That(QueueRig.EndOf(session).Backend, Is.SameAs(taken[0].Backend));
    }

    [Test]
    public async Task A_session_whose_backend_fails_or_stays_busy_moves()
    {
        await using var rig = new QueueRig(backends: 2, places: 1, requestsMax: 5);
        var taken = rig.Fill();
        var (first, second) = (rig.Join(home: rig.Backends[0]), rig.Join(home: rig.Backends[0]));
        rig.End(taken.Single(choice => choice.Backend == rig.Backends[1]));
        Assert.That(first.IsListed, Is.True, "its own backend is only busy");

        rig.Clock.Advance(TimeSpan.FromSeconds(5.1));
        rig.End(QueueRig.EndOf(first));
        Assert.That(rig.Backends[1].Requests, Is.EqualTo(2), "better there than refused");
        Assert.That(QueueRig.EndOf(second).Failure, Is.EqualTo(FailureKind.QueueTimedOut));

        var third = rig.Join(home: rig.Backends[0]);
        Assert.That(third.IsListed, Is.True);
        rig.Backends[0].Judge(Verdict.Unhealthy);
        rig.Follow(rig.Backends[1]);
        Assert.That(QueueRig.EndOf(third).Backend, Is.SameAs(rig.Backends[1]));
    }

    [Test]
    public async Task When_the_queue_has_not_been_empty_for_a_while_after_somebody_was_late_the_newest_goes_first()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        var running = rig.Fill()[0];
        var oldest = rig.Join();
        rig.Clock.Advance(TimeSpan.FromMilliseconds(30));
        var second = rig.Join();        // here it is seen that the oldest is late
        rig.Clock.Advance(TimeSpan.FromMilliseconds(60));
        var third = rig.Join();

        rig.End(running);
        var newest = rig.Join();
        rig.End(QueueRig.EndOf(third));
        rig.End(QueueRig.EndOf(newest));
        rig.End(QueueRig.EndOf(second));
        rig.End(QueueRig.EndOf(oldest));
        Assert.That((rig.Queue.Waiting, rig.Backends[0].InFlight), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task Before_that_the_order_is_that_of_arrival()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        var running = rig.Fill()[0];
        var oldest = rig.Join();
        rig.Clock.Advance(TimeSpan.FromMilliseconds(30));
        var second = rig.Join();
        rig.Clock.Advance(TimeSpan.FromMilliseconds(40));

        rig.End(running);
        rig.End(QueueRig.EndOf(oldest));
        Assert.That(QueueRig.EndOf(second).Backend, Is.SameAs(rig.Backends[0]));
    }

    [Test]
    public async Task When_the_queue_has_been_empty_the_order_is_that_of_arrival_again()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        var running = rig.Fill()[0];
        var late = rig.Join();
        rig.Clock.Advance(TimeSpan.FromMilliseconds(30));
        var alsoLate = rig.Join();
        rig.Clock.Advance(TimeSpan.FromMilliseconds(60));
        rig.End(running);
        rig.End(QueueRig.EndOf(alsoLate));
        running = QueueRig.EndOf(late);

        var (first, second) = (rig.Join(), rig.Join());
        rig.End(running);

        Assert.That(QueueRig.EndOf(first).Backend, Is.Not.Null);
        Assert.That(second.IsListed, Is.True);
    }

    [Test]
    public async Task A_full_queue_under_lasting_overload_refuses_the_oldest_instead_of_the_newest()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 2);
        rig.Fill();
        var (oldest, second) = (rig.Join(), rig.Join());
        rig.Clock.Advance(TimeSpan.FromMilliseconds(30));
        Assert.That(QueueRig.EndOf(rig.Join()).Failure, Is.EqualTo(FailureKind.QueueFull), "a burst so far");

        rig.Clock.Advance(TimeSpan.FromMilliseconds(60));
        var newest = rig.Join();

        Assert.That(QueueRig.EndOf(oldest).Failure, Is.EqualTo(FailureKind.QueueFull));
        Assert.That((second.IsListed, newest.IsListed, rig.Queue.Waiting), Is.EqualTo((true, true, 2)));
    }

    [Test]
    public async Task When_no_backend_is_eligible_any_more_nobody_waits_for_one()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        rig.Fill();
        var requests = new[] { rig.Join(), rig.Join() };

        rig.Follow();

        Assert.That(requests.Select(request => QueueRig.EndOf(request).Failure),
            Is.All.EqualTo(FailureKind.NoEligibleBackend));
    }

    [Test]
    public async Task A_request_that_joins_when_no_backend_is_eligible_any_more_does_not_wait()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        rig.Follow();

        Assert.That(QueueRig.EndOf(rig.Join()).Failure, Is.EqualTo(FailureKind.NoEligibleBackend));
        Assert.That(rig.Queue.Waiting, Is.Zero);
    }

    [Test]
    public async Task A_retry_does_not_wait_once_it_has_tried_all_that_are_eligible()
    {
        await using var rig = new QueueRig(backends: 2, places: 1, requestsMax: 5);
        rig.Fill();
        var (retry, other) = (rig.Join(tried: rig.Backends[0]), rig.Join());

        rig.Follow(rig.Backends[0]);

        Assert.That(QueueRig.EndOf(retry).Failure, Is.EqualTo(FailureKind.NoEligibleBackend));
        Assert.That((other.IsListed, rig.Queue.Waiting), Is.EqualTo((true, 1)));
        var late = rig.Join(tried: rig.Backends[0]);
        Assert.That(QueueRig.EndOf(late).Failure, Is.EqualTo(FailureKind.NoEligibleBackend));
    }

    [Test]
    public async Task A_backend_that_comes_along_takes_those_who_wait()
    {
        await using var rig = new QueueRig(backends: 2, places: 1, requestsMax: 5);
        rig.Follow(rig.Backends[0]);
        rig.Fill();
        var (first, second) = (rig.Join(), rig.Join());

        rig.Follow([.. rig.Backends]);

        Assert.That(QueueRig.EndOf(first).Backend, Is.SameAs(rig.Backends[1]));
        Assert.That(second.IsListed, Is.True);
    }

    [Test]
    public async Task A_backend_that_starts_slowly_is_spared_while_others_can_be_waited_for()
    {
        await using var rig = new QueueRig(backends: 2, places: 4, requestsMax: 5);
        rig.Backends[1].Protect(exchangesMax: 1, connectsMax: 1);
        while (rig.Placement.Find(new(0, rig.Now, 0, []), out _) is not null)
        {
        }

        Assert.That(rig.Backends.Select(backend => backend.InFlight), Is.EqualTo(new[] { 4, 1 }));
        var (first, second) = (rig.Join(), rig.Join());
        rig.Backends[1].Protect(exchangesMax: 2, connectsMax: 1);
        rig.Queue.OnRoom();

        Assert.That(QueueRig.EndOf(first).Backend, Is.SameAs(rig.Backends[1]), "released at the ramp");
        rig.Clock.Advance(TimeSpan.FromSeconds(5.1));
        Assert.That(QueueRig.EndOf(second).Backend, Is.SameAs(rig.Backends[1]), "before it is refused");
    }

    [Test]
    public async Task A_backend_on_trial_is_not_spared_when_there_is_nobody_else_to_wait_for()
    {
        await using var rig = new QueueRig(backends: 1, places: 4, requestsMax: 5);
        rig.Backends[0].Protect(exchangesMax: 1, connectsMax: 1);

        Assert.That(rig.Fill(), Has.Count.EqualTo(4));
        Assert.That(rig.Join().IsListed, Is.True, "the hard bound holds");
    }

    [Test]
    public async Task What_is_withdrawn_goes_to_the_next()
    {
        await using var rig = new QueueRig(backends: 1, places: 1, requestsMax: 5);
        var taken = rig.Fill()[0];
        var next = rig.Join();

        taken.Backend!.Withdraw(taken.Admission);

        Assert.That(QueueRig.EndOf(next).Backend, Is.SameAs(rig.Backends[0]));
        Assert.That((rig.Backends[0].InFlight, rig.Backends[0].Requests), Is.EqualTo((1, 1L)));
    }

    [Test]
    public async Task In_a_storm_every_request_ends_once_and_no_place_is_lost_or_used_twice()
    {
        await using var rig = new QueueRig(backends: 3, places: 2, requestsMax: 4_000);
        var most = 0;
        var running = 0;
        var placed = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var round = 0; round < 2_000; round++)
            {
                var request = rig.Join();
                if (random.Next(4) == 0)
                    request.Leave();
                var choice = await request.EndAsync();
                request.Release();
                if (choice.Backend is null)
                    continue;

                Interlocked.Increment(ref placed);
                InterlockedMax(ref most, Interlocked.Increment(ref running));
                await Task.Yield();
                Interlocked.Decrement(ref running);
                rig.End(choice);
            }
        })));

        Assert.That((rig.Queue.Waiting, running, rig.Backends.Sum(backend => backend.InFlight)), Is.EqualTo((0, 0, 0)));
        Assert.That(rig.Backends.Sum(backend => backend.Requests), Is.EqualTo(placed));
        Assert.That(most, Is.LessThanOrEqualTo(6));
        Assert.That(rig.Fill(), Has.Count.EqualTo(6));
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, seen);
    }
}
