using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>A cluster that makes more retries than it may.</summary>
internal sealed class RetryBudgetScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task When_the_budget_is_spent_the_last_failure_is_answered_until_requests_earn_more()
    {
        await StartAsync(TwoWith("ejection: off"));
        World.Backend("a").StopListening();
        World.Backend("b").Answers(_ => ScriptedBackend.Ok("b"));
        var client = await World.ConnectAsync();

        var requests = await CountUntilFailureAsync(client);
        var budget = World.Server.Store.Current.Clusters[0].RetryBudget;
        Assert.That((budget.Retries, budget.Refusals), Is.EqualTo((100 + (requests / 5), 1)));

        requests += await CountUntilFailureAsync(client);
        Assert.That((budget.Retries, budget.Refusals), Is.EqualTo((100 + (requests / 5), 2)));
    }

    [Test]
    public async Task Where_nobody_is_left_to_try_nothing_is_spent()
    {
        await StartAsync(OneWith("ejection: off"));
        World.Backend("a").StopListening();
        var client = await World.ConnectAsync();

        for (var request = 0; request < 120; request++)
            Assert.That((await client.GetAsync()).Status, Is.EqualTo(502));

        var budget = World.Server.Store.Current.Clusters[0].RetryBudget;
        Assert.That((budget.Retries, budget.Refusals), Is.EqualTo((0, 0)));
    }

    // The request that failed is counted too: it made one attempt, at the backend that refuses.
    private async Task<int> CountUntilFailureAsync(ScriptedClient client)
    {
        for (var requests = 1; requests < 1_000; requests++)
        {
            var response = await client.GetAsync();
            var record = await World.RecordAsync();
            if (response.Status == 200)
                continue;

            Assert.That(record.Outcome, Is.EqualTo((502, "connect_refused", 1)));
            return requests;
        }

        throw new InvalidOperationException("The budget never ends.");
    }
}
