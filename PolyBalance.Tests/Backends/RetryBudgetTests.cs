using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Topology;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Backends;

internal sealed class RetryBudgetTests
{
    private const long Second = 1_000;

    [Test]
    public void Without_requests_a_hundred_retries_are_allowed_until_all_of_their_second_is_over()
    {
        var budget = new RetryBudget(20, Second, now: 0);

        Assert.That(Take(budget, 500, now: 700), Is.EqualTo(100));
        Assert.That(Take(budget, 500, now: 10_999), Is.Zero);
        Assert.That(Take(budget, 500, now: 11_000), Is.EqualTo(100));
        Assert.That((budget.Retries, budget.Refusals), Is.EqualTo((200, 1_300)));
    }

    [TestCase(0, 100)]
    [TestCase(20, 300)]
    [TestCase(100, 1_100)]
    public void The_share_of_the_requests_comes_on_top(int percent, int allowed)
    {
        var budget = new RetryBudget(percent, Second, now: 0);

        budget.Observe(1_000, attempts: 1_000);

        Assert.That(Take(budget, 2_000, now: 1_000), Is.EqualTo(allowed));
    }

    [TestCase(87, 31, 126)]
    [TestCase(5, 19, 100)]
    [TestCase(5, 20, 101)]
    public void A_part_of_a_retry_is_no_retry(int requests, int percent, int allowed)
    {
        var budget = new RetryBudget(percent, Second, now: 0);

        budget.Observe(1_000, requests);

        Assert.That(Take(budget, 500, now: 1_000), Is.EqualTo(allowed));
    }

    [Test]
    public void Requests_that_came_since_the_last_look_count_at_once()
    {
        var budget = new RetryBudget(20, Second, now: 0);
        var taken = 0;

        // Of the attempts that backends have counted, those that were retries are no requests.
        while (budget.TryTake(now: 500, attempts: 1_000 + taken))
            taken++;

        Assert.That(taken, Is.EqualTo(300));
    }

    [Test]
    public void Requests_count_for_ten_seconds_whether_or_not_others_follow()
    {
        var budget = new RetryBudget(20, Second, now: 0);
        budget.Observe(1_000, attempts: 1_000);

        Assert.That(Take(budget, 150, now: 10_000), Is.EqualTo(150));
        Assert.That(budget.TryTake(10_001, attempts: 0), Is.False);
    }

    [Test]
    public void Neither_retries_nor_resends_are_requests()
    {
        var budget = new RetryBudget(100, Second, now: 0);
        Assert.That(Take(budget, 50, now: 500), Is.EqualTo(50));
        for (var resend = 0; resend < 30; resend++)
            budget.NoteResend();

        budget.Observe(1_000, attempts: 90);

        Assert.That(Take(budget, 500, now: 1_000), Is.EqualTo(60), "100, and 10 for the requests, less 50");
    }

    [Test]
    public void A_backend_that_is_gone_takes_its_count_along_and_nobody_gets_more_for_it()
    {
        var budget = new RetryBudget(100, Second, now: 0);
        budget.Observe(1_000, attempts: 1_000);

        budget.Observe(2_000, attempts: 10);
        budget.Observe(3_000, attempts: 40);

        Assert.That(Take(budget, 5_000, now: 3_000), Is.EqualTo(100 + 1_000 + 30));
    }

    [Test]
    public void Another_share_holds_at_once()
    {
        var budget = new RetryBudget(20, Second, now: 0);
        budget.Observe(1_000, attempts: 1_000);

        budget.Percent = 50;

        Assert.That(Take(budget, 2_000, now: 1_000), Is.EqualTo(600));
    }

    [Test]
    public async Task Threads_that_take_at_once_never_take_too_many()
    {
        var budget = new RetryBudget(20, Second, now: 0);

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Take(budget, 1_000, 0))));

        Assert.That(taken.Sum(), Is.EqualTo(100));
    }

    [Test]
    public void The_budget_is_never_exceeded_over_any_ten_seconds([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        var percent = random.Next(101);
        var busy = random.Next(1, 200);
        var budget = new RetryBudget(percent, Second, now: 0);
        var requests = new List<long>();
        var retries = new List<long>();
        var resends = 0;
        var sweep = Second;

        for (var now = 0L; now < 60 * Second; now += random.Next(1, busy))
        {
            if (now >= sweep)
            {
                budget.Observe(now, requests.Count + retries.Count + resends);
                sweep = now + random.Next(200, 3_000);
            }

            for (var burst = random.Next(8); burst > 0; burst--)
            {
                requests.Add(now);
                if (random.Next(9) == 0)
                {
                    budget.NoteResend();
                    resends++;
                }

                if (random.Next(3) == 0 || !budget.TryTake(now, attempts: 0))
                    continue;

                var recentRetries = retries.Count(at => at > now - (10 * Second));
                var recentRequests = requests.Count(at => at >= now - (10 * Second));
                Assert.That(recentRetries * 100, Is.LessThan((recentRequests * percent) + 10_000), $"at {now}");
                retries.Add(now);
            }
        }

        Assert.That(retries, Is.Not.Empty);
    }

    [Test]
    public void Refusals_are_told_at_once_and_then_at_most_every_ten_seconds()
    {
        var budget = new RetryBudget(20, Second, now: 0);
        Assert.That(budget.TryTell(0, out _), Is.False);

        Take(budget, 103, now: 0);
        Assert.That((budget.TryTell(1_000, out var first), first), Is.EqualTo((true, 3)));
        Take(budget, 5, now: 2_000);
        Assert.That(budget.TryTell(10_999, out _), Is.False);
        Assert.That((budget.TryTell(11_000, out var second), second), Is.EqualTo((true, 5)));
        Assert.That(budget.TryTell(60_000, out _), Is.False);
    }

    [Test]
    public async Task It_survives_reloads_and_refreshes_and_takes_the_new_share()
    {
        await using var worlds = new Worlds();
        var first = worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] } }");
        var budget = first.Clusters[0].RetryBudget;

        first.Clusters[0].Backends[0].Judge(Verdict.Unhealthy);
        var second = SnapshotBuilder.Refresh(first);
        var third = worlds.Build(
            "clusters: { web: { retries: { budget: 7% }, backends: [ \"10.0.0.3:80\" ] } }", second);

        Assert.That(second, Is.Not.SameAs(first));
        Assert.That(second.Clusters[0].RetryBudget, Is.SameAs(budget));
        Assert.That(third.Clusters[0].RetryBudget, Is.SameAs(budget));
        Assert.That(budget.Percent, Is.EqualTo(7));
    }

    private static int Take(RetryBudget budget, int times, long now)
    {
        var taken = 0;
        for (var time = 0; time < times; time++)
            taken += budget.TryTake(now, attempts: 0) ? 1 : 0;
        return taken;
    }
}
