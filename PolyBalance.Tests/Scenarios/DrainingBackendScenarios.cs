using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Scenarios;

/// <summary>A backend that is to get no new work.</summary>
internal sealed class DrainingBackendScenarios(Medium medium) : ScenarioTests(medium)
{
    private Cluster Cluster => World.Server.Store.Current.Clusters[0];

    [Test]
    public async Task A_response_that_asks_for_no_new_work_is_the_last_one_of_its_backend_for_a_while()
    {
        await StartAsync(Two);
        World.Backend("a").Answers(ScriptedBackend.Ok("a", "X-PolyBalance: drain\r\n"));
        World.Backend("b").Answers(ScriptedBackend.Ok("b"));
        var client = await World.ConnectAsync();
        for (var text = ""; text != "a";)
        {
            var answer = await client.GetAsync();
            text = answer.Text;
            Assert.That(answer["X-PolyBalance"], Is.Null, "it is for us alone");
        }

        await Eventually.HoldsAsync(() => Cluster.Eligible.Length == 1, () => "one is left");
        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Text, Is.EqualTo("b"));

        World.Clock.Advance(TimeSpan.FromSeconds(30.3));
        await Eventually.HoldsAsync(() => Cluster.Eligible.Length == 2, () => "its time is over");
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task What_a_draining_backend_has_in_flight_is_finished()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        Cluster.Backends[0].BeginDrain(DrainCauses.Operator);
        await Eventually.HoldsAsync(() => Cluster.Eligible.IsEmpty, () => "it gets nothing new");
        await backend.SendAsync(ScriptedBackend.Ok());

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
    }

    [Test]
    public async Task When_all_backends_wish_to_leave_they_still_serve()
    {
        await StartAsync(Two);
        World.Backend("a").Answers(ScriptedBackend.Ok("a", "X-PolyBalance: drain\r\n"));
        World.Backend("b").Answers(ScriptedBackend.Ok("b", "X-PolyBalance: Drain\r\n"));
        var client = await World.ConnectAsync();

        for (var request = 0; request < 20; request++)
            Assert.That((await client.GetAsync()).Status, Is.EqualTo(200));

        Assert.That(Cluster.Backends.Select(backend => backend.Drain.Causes), Is.All.EqualTo(DrainCauses.Response));
    }

    [Test]
    public async Task When_the_operator_has_drained_all_backends_a_request_is_503()
    {
        await StartAsync("clusters: { app: { backends: [ { address: \"${a}\", drain: true } ] } }");
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync()).Status, Is.EqualTo(503));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "no_eligible_backend", 0)));
    }

    [Test]
    public async Task A_client_cannot_drain_a_backend_and_its_field_goes_nowhere()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: "X-PolyBalance: drain\r\n");
        var backend = await World.Backend("a").AcceptAsync();

        Assert.That((await backend.ReadRequestAsync())["X-PolyBalance"], Is.Null);
        await backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That(Cluster.Backends[0].Drain.IsDraining, Is.False);
    }
}
