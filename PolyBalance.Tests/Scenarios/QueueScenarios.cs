using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Every backend has as many exchanges as it may have.</summary>
internal sealed class QueueScenarios(Medium medium) : ScenarioTests(medium)
{
    private RequestQueue Queue => World.Server.Store.Current.Clusters[0].Queue;

    [Test]
    public async Task When_every_backend_is_busy_a_request_waits_for_the_first_place()
    {
        await StartAsync(TwoWith("pool: { max_connections: 1 }"));
        var busy = await OccupyAsync(2);
        var client = await World.ConnectAsync();
        await client.SendGetAsync("/third");
        await WaitingAsync(1);

        await busy[1].Backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await busy[1].Client.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
        var request = await busy[1].Backend.ReadRequestAsync();
        Assert.That(request.StartLine, Does.Contain("/third"), "on the same connection");
        await busy[1].Backend.SendAsync(ScriptedBackend.Ok("third"));

        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("third"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
        await EndAsync(busy[0]);
    }

    [Test]
    public async Task Requests_that_wait_are_served_in_the_order_of_their_arrival()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        var (busy, backend) = (await OccupyAsync(1))[0];
        var clients = new List<ScriptedClient>();
        for (var index = 0; index < 10; index++)
        {
            clients.Add(await World.ConnectAsync());
            await clients[index].SendGetAsync($"/{index}");
            await WaitingAsync(index + 1);
        }

        await backend.SendAsync(ScriptedBackend.Ok());
        await busy.ReadResponseAsync();
        for (var index = 0; index < 10; index++)
        {
            Assert.That((await backend.ReadRequestAsync()).StartLine, Does.Contain($"/{index} "));
            await backend.SendAsync(ScriptedBackend.Ok());
            Assert.That((await clients[index].ReadResponseAsync()).Status, Is.EqualTo(200));
        }

        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_request_that_waits_for_too_long_is_503()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        var busy = await OccupyAsync(1);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await WaitingAsync(1);

        var answer = client.ReadResponseAsync();
        await World.AdvanceUntilAsync(answer, TimeSpan.FromSeconds(5));

        Assert.That(((await answer).Status, (await answer)["Retry-After"]), Is.EqualTo((503, "1")));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "queue_timed_out", 0)));
        await EndAsync(busy[0]);
    }

    [Test]
    public async Task A_request_beyond_the_size_of_the_queue_is_503_at_once()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }, queue: { size: 1 }"));
        var busy = await OccupyAsync(1);
        var waiting = await World.ConnectAsync();
        await waiting.SendGetAsync();
        await WaitingAsync(1);

        var answer = await (await World.ConnectAsync()).GetAsync();

        Assert.That((answer.Status, answer["Retry-After"]), Is.EqualTo((503, "1")));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "queue_full", 0)));
        await EndAsync(busy[0]);
        Assert.That((await busy[0].Backend.ReadRequestAsync()).StartLine, Does.StartWith("GET"));
        await busy[0].Backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await waiting.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_client_that_leaves_while_it_waits_leaves_the_queue_at_once()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        var busy = await OccupyAsync(1);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await WaitingAsync(1);

        client.Close();

        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((499, "client_closed", 0)));
        await WaitingAsync(0);
        await EndAsync(busy[0]);
        Assert.That((World.Backend("a").Connections, World.InFlight), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task A_retry_waits_too_when_every_other_backend_is_busy()
    {
        await StartAsync(TwoWith("pool: { max_connections: 1 }"));
        var busy = await OccupyAsync(1);
        var client = await World.ConnectAsync();
        await client.SendGetAsync("/again");
        var (_, failing) = await World.AcceptAsync();
        await failing.ReadRequestAsync();
        failing.Close();
        await WaitingAsync(1);

        await EndAsync(busy[0]);
        Assert.That((await busy[0].Backend.ReadRequestAsync()).StartLine, Does.Contain("/again"));
        await busy[0].Backend.SendAsync(ScriptedBackend.Ok());

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 2)));
    }

    [Test]
    public async Task The_time_for_the_whole_exchange_ends_a_wait()
    {
        // A tunnel holds its place for longer than any exchange may take.
        await StartAsync(OneWith("pool: { max_connections: 1 }, timeouts: { request: 2s }"));
        var tunnel = await World.ConnectAsync();
        await tunnel.SendGetAsync(lines: "Connection: upgrade\r\nUpgrade: websocket\r\n");
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        await tunnel.ReadHeadAsync();
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await WaitingAsync(1);

        var answer = client.ReadResponseAsync();
        await World.AdvanceUntilAsync(answer, TimeSpan.FromSeconds(2));

        Assert.That((await answer).Status, Is.EqualTo(504));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((504, "request_timed_out", 0)));
        tunnel.Close();
        backend.Close();
    }

    [Test]
    public async Task When_the_last_backend_becomes_unhealthy_those_who_wait_are_refused_at_once()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        var busy = await OccupyAsync(1);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await WaitingAsync(1);

        World.Server.Store.Current.Clusters[0].Backends[0].Judge(Verdict.Unhealthy);
        World.Server.Store.RequestRefresh();

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(503));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "no_eligible_backend", 0)));
        await EndAsync(busy[0]);
    }

    [Test]
    public async Task Draining_ends_when_those_who_wait_have_been_served()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        var busy = await OccupyAsync(1);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await WaitingAsync(1);

        var drain = World.Server.DrainAsync(TimeSpan.FromSeconds(10));
        await EndAsync(busy[0]);
        Assert.That((await busy[0].Backend.ReadRequestAsync()).StartLine, Does.StartWith("GET"));
        await busy[0].Backend.SendAsync(ScriptedBackend.Ok());

        var answer = await client.ReadResponseAsync();
        Assert.That((answer.Status, answer["Connection"]), Is.EqualTo((200, "close")));
        // It looks at its connections once per tick, unless they have ended before it looks for the first time.
        await Eventually.HoldsAsync(
            () =>
            {
                World.Clock.Advance(Heartbeat.Period);
                return drain.IsCompleted;
            },
            () => "the drain ended");
    }

    [Test]
    public async Task What_waits_at_the_end_of_a_drain_is_cut_off()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        await OccupyAsync(1);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await WaitingAsync(1);

        var drain = World.Server.DrainAsync(TimeSpan.FromSeconds(1));
        await World.AdvanceUntilAsync(drain, TimeSpan.FromSeconds(1));

        await WaitingAsync(0);
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Reset));
    }

    // So many requests, each at a backend that does not answer yet.
    private async Task<List<(ScriptedClient Client, ScriptedConnection Backend)>> OccupyAsync(int count)
    {
        var busy = new List<(ScriptedClient, ScriptedConnection)>();
        for (var index = 0; index < count; index++)
        {
            var client = await World.ConnectAsync();
            await client.SendGetAsync("/busy");
            var (_, backend) = await World.AcceptAsync();
            await backend.ReadRequestAsync();
            busy.Add((client, backend));
        }

        return busy;
    }

    private async Task EndAsync((ScriptedClient Client, ScriptedConnection Backend) busy)
    {
        await busy.Backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await busy.Client.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That((await World.RecordAsync()).Status, Is.EqualTo(200));
    }

    private Task WaitingAsync(int count)
        => Eventually.HoldsAsync(() => Queue.Waiting == count, () => $"{Queue.Waiting} requests wait, not {count}");
}
