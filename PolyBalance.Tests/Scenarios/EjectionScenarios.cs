using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Traffic shows which backend is no good, and brings it back gently.</summary>
internal sealed class EjectionScenarios(Medium medium) : ScenarioTests(medium)
{
    private Cluster Cluster => World.Server.Store.Current.Clusters[0];

    [Test]
    public async Task Five_refused_connects_in_a_row_eject_a_backend_and_no_client_notices()
    {
        await StartAsync(Two);
        World.Backend("a").StopListening();
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        await AskUntilAsync(client, () => World.BackendFailures == 5);
        await StageOfAAsync(ServiceStage.Ejected);
        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Status, Is.EqualTo(200));

        Assert.That(World.BackendFailures, Is.EqualTo(5), "it gets nothing any more");
    }

    [Test]
    public async Task The_only_backend_is_never_ejected()
    {
        await StartAsync(OneWith("retries: off"));
        World.Backend("a").StopListening();
        var client = await World.ConnectAsync();

        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Status, Is.EqualTo(502));

        World.Backend("a").Answers(ScriptedBackend.Ok());
        World.Backend("a").Revive();
        Assert.That((await client.GetAsync()).Status, Is.EqualTo(200));
        Assert.That(Cluster.Backends[0].Passive.Stage, Is.EqualTo(ServiceStage.InService));
    }

    [Test]
    public async Task Clients_that_leave_eject_nobody()
    {
        await StartAsync(Two);
        for (var turn = 0; turn < 20; turn++)
        {
            var client = await World.ConnectAsync();
            await client.SendGetAsync();
            var (_, backend) = await World.AcceptAsync();
            await backend.ReadRequestAsync();
            client.Close();
            Assert.That((await World.RecordAsync()).Status, Is.EqualTo(499));
        }

        World.Clock.Advance(TimeSpan.FromSeconds(15));
        Assert.That((World.BackendFailures, Cluster.Eligible.Length), Is.EqualTo((0L, 2)));
    }

    [Test]
    public async Task A_backends_own_errors_count_only_where_that_is_configured([Values] bool isConfigured)
    {
        await StartAsync(TwoWith(isConfigured ? "ejection: { statuses: 500-599 }" : "host: preserve"));
        World.Backend("a").Answers("HTTP/1.1 503 Overloaded\r\nContent-Length: 0\r\n\r\n");
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        for (var request = 0; request < 20; request++)
            await client.GetAsync();

        if (isConfigured)
            await StageOfAAsync(ServiceStage.Ejected);
        World.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(Cluster.Eligible, Has.Length.EqualTo(isConfigured ? 1 : 2));
    }

    [Test]
    public async Task A_trial_after_the_ejection_decides_over_the_return()
    {
        await StartAsync(Two);
        World.Backend("a").StopListening();
        World.Backend("a").Answers(ScriptedBackend.Ok());
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await AskUntilAsync(client, () => World.BackendFailures == 5);
        await StageOfAAsync(ServiceStage.Ejected);

        World.Clock.Advance(TimeSpan.FromSeconds(10.3));
        await StageOfAAsync(ServiceStage.OnTrial);
        await AskUntilAsync(client, () => World.BackendFailures == 6);
        await StageOfAAsync(ServiceStage.Ejected);

        World.Backend("a").Revive();
        World.Clock.Advance(TimeSpan.FromSeconds(15));
        Assert.That(Cluster.Backends[0].Passive.Stage, Is.EqualTo(ServiceStage.Ejected), "twice as long");
        World.Clock.Advance(TimeSpan.FromSeconds(5.3));
        await StageOfAAsync(ServiceStage.OnTrial);
        await AskUntilAsync(client, () => World.Backend("a").Requests > 0);
        await StageOfAAsync(ServiceStage.InService);

        Assert.That(Cluster.Eligible.Select(candidate => candidate.Weight), Is.EqualTo(new[] { 1, 10 }));
        World.Clock.Advance(TimeSpan.FromSeconds(10.3));
        await Eventually.HoldsAsync(() => Cluster.Eligible.All(candidate => candidate.Weight == 1),
            () => "its slow start is over");
    }

    [Test]
    public async Task A_backend_on_trial_has_one_request_at_a_time_and_the_others_go_elsewhere()
    {
        await StartAsync(Two);
        // Of what is held only the head comes.
        foreach (var name in (string[])["a", "b"])
        {
            World.Backend(name).Answers(request => request.StartLine.Contains("/held", StringComparison.Ordinal)
                ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
                : ScriptedBackend.Ok());
        }

        World.Backend("a").StopListening();
        var client = await World.ConnectAsync();
        await AskUntilAsync(client, () => World.BackendFailures == 5);
        await StageOfAAsync(ServiceStage.Ejected);
        World.Backend("a").Revive();
        World.Clock.Advance(TimeSpan.FromSeconds(10.3));
        await StageOfAAsync(ServiceStage.OnTrial);

        var clients = new List<ScriptedClient>();
        for (var index = 0; index < 20; index++)
        {
            clients.Add(await World.ConnectAsync());
            await clients[index].SendGetAsync("/held");
        }

        await Eventually.HoldsAsync(() => World.InFlight == 20, () => $"{World.InFlight} are twenty");
        Assert.That(Cluster.Backends[0].InFlight, Is.EqualTo(1));
        Assert.That(Cluster.Backends[1].InFlight, Is.EqualTo(19));
    }

    [Test]
    public async Task A_request_that_has_nowhere_else_to_go_goes_to_the_backend_on_trial()
    {
        await StartAsync(Two);
        World.Backend("a").StopListening();
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await AskUntilAsync(client, () => World.BackendFailures == 5);
        await StageOfAAsync(ServiceStage.Ejected);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        World.Backend("a").Revive();
        World.Clock.Advance(TimeSpan.FromSeconds(10.3));
        await StageOfAAsync(ServiceStage.OnTrial);
        World.Backend("b").Kill();

        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => World.ConnectAsync()));
        var answers = await Task.WhenAll(clients.Select(each => each.GetAsync()));

        Assert.That(answers.Select(answer => answer.Status), Is.All.EqualTo(200));
    }

    [Test]
    public async Task A_storm_of_requests_at_a_backend_without_connections_connects_a_few_at_a_time()
    {
        await StartAsync(OneWith("retries: off"));
        await World.Backend("a").StopAcceptingAsync();
        var clients = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => World.ConnectAsync()));
        foreach (var each in clients)
            await each.SendGetAsync();
        await Eventually.HoldsAsync(() => World.InFlight == 60, () => $"{World.InFlight} are sixty");
        Assert.That(World.BackendConnections, Is.EqualTo(Limits.ConnectsAtOnce));

        // Those who leave while they wait are gone at once; of forty no more than sixteen can be connecting.
        for (var index = 20; index < 60; index++)
            clients[index].Close();
        await Eventually.HoldsAsync(() => World.InFlight <= 20 + Limits.ConnectsAtOnce,
            () => $"{World.InFlight} are twenty and those who connect");

        var answers = Task.WhenAll(clients.Take(20).Select(each => each.ReadResponseAsync()));
        await World.AdvanceUntilAsync(answers, TimeSpan.FromSeconds(3));
        foreach (var answer in await answers)
            Assert.That((answer.Status, answer.Text.Contains("connect_timed_out", StringComparison.Ordinal)),
                Is.EqualTo((502, true)));
    }

    private static async Task AskUntilAsync(ScriptedClient client, Func<bool> isEnough)
    {
        for (var request = 0; request < 100 && !isEnough(); request++)
            Assert.That((await client.GetAsync()).Status, Is.EqualTo(200));
        Assert.That(isEnough(), Is.True);
    }

    // Published too: what comes next is then under way.
    private Task StageOfAAsync(ServiceStage stage)
        => Eventually.HoldsAsync(
            () => Cluster.Backends[0].Passive.Stage == stage
                && Cluster.Eligible.Length == (stage == ServiceStage.Ejected ? 1 : 2),
            () => $"{Cluster.Backends[0].Passive.Stage} is {stage}");
}
