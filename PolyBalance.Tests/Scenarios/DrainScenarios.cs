using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>The gateway is told to end: what is idle goes at once, what runs may finish, and then it is over.</summary>
internal sealed class DrainScenarios(Medium medium) : ScenarioTests(medium)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Test]
    public async Task Draining_closes_idle_connections_at_once_and_refuses_new_ones()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var used = await World.ConnectAsync();
        await used.GetAsync();
        await World.RecordAsync();
        var unused = await World.ConnectAsync();
        await Eventually.HoldsAsync(() => World.Server.ClientConnections == 2, () => "both are connected");
        World.Clock.Advance(TimeSpan.FromSeconds(1));

        var draining = World.Server.DrainAsync(Deadline);

        Assert.That(await used.EndAsync(), Is.EqualTo(WireEnd.Closed));
        Assert.That(await unused.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
        Assert.That(async () => await World.ConnectAsync(), Throws.Exception);
        Assert.That(World.Clock.Elapsed, Is.LessThan(Deadline));
    }

    [Test]
    public async Task A_client_that_has_just_come_may_still_send_its_first_request()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await Eventually.HoldsAsync(() => World.Server.ClientConnections == 1, () => "it is connected");

        // It tells every connection before it waits for the first time.
        var draining = World.Server.DrainAsync(Deadline);
        await client.SendGetAsync();
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response["Connection"]), Is.EqualTo(("ok", "close")));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
        Assert.That(World.RecordCount, Is.EqualTo(1));
    }

    [Test]
    public async Task A_client_that_has_just_come_and_sends_nothing_is_waited_for_for_a_second()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await Eventually.HoldsAsync(() => World.Server.ClientConnections == 1, () => "it is connected");

        var draining = World.Server.DrainAsync(Deadline);
        await World.AdvanceUntilAsync(client.EndAsync(), TimeSpan.FromSeconds(1));

        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
        Assert.That(World.Clock.Elapsed, Is.LessThan(Deadline));
    }

    [Test]
    public async Task A_client_that_was_just_answered_may_send_one_more_request()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await client.GetAsync();
        await World.RecordAsync();
        World.Clock.Advance(TimeSpan.FromMilliseconds(800));

        var draining = World.Server.DrainAsync(Deadline);
        await client.SendGetAsync();
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response["Connection"]), Is.EqualTo(("ok", "close")));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
        Assert.That(World.RecordCount, Is.EqualTo(2));
    }

    [Test]
    public async Task An_exchange_that_waits_for_its_backend_is_finished_and_says_close()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        var draining = await DrainAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response["Connection"]), Is.EqualTo(("ok", "close")));
        client.ShutdownOutput();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
        Assert.That(World.RecordCount, Is.EqualTo(1));
    }

    [Test]
    public async Task An_exchange_whose_response_has_begun_is_finished_and_one_more_request_is_answered()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
        Assert.That(await client.ReadHeadAsync(), Does.Not.Contain("Connection:"));

        var draining = await DrainAsync();
        await backend.SendAsync("def");

        Assert.That(await client.ReadTextAsync(6), Is.EqualTo("abcdef"));
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        var response = await client.ReadResponseAsync();
        Assert.That((response.Text, response["Connection"]), Is.EqualTo(("ok", "close")));
        client.ShutdownOutput();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
        Assert.That(World.RecordCount, Is.EqualTo(2));
    }

    [Test]
    public async Task A_client_whose_response_had_begun_and_who_asks_for_nothing_more_is_waited_for_for_a_second()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
        await client.ReadHeadAsync();

        var draining = await DrainAsync();
        await backend.SendAsync("def");
        Assert.That(await client.ReadTextAsync(6), Is.EqualTo("abcdef"));
        await World.RecordAsync();
        await World.AdvanceUntilAsync(client.EndAsync(), TimeSpan.FromSeconds(1));

        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        await EndsAsync(draining);
    }

    [Test]
    public async Task A_request_that_has_begun_is_still_served()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost:");
        // Only a head that has begun holds memory.
        await Eventually.HoldsAsync(() => World.Blocks.Rented > 0, () => "the gateway has read the first bytes");

        var draining = await DrainAsync();
        await client.SendAsync(" h\r\n\r\n");
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response["Connection"]), Is.EqualTo(("ok", "close")));
        await EndsAsync(draining);
    }

    [Test]
    public async Task What_is_not_finished_at_the_deadline_is_cut_off()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        var draining = World.Server.DrainAsync(Deadline);
        await World.AdvanceUntilAsync(draining, Deadline);

        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "shutting_down", 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task A_tunnel_lives_until_the_deadline()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: "Upgrade: x\r\nConnection: upgrade\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
        await client.ReadHeadAsync();

        var draining = await DrainAsync();
        await client.SendAsync("still here");
        Assert.That(await backend.ReadTextAsync(10), Is.EqualTo("still here"));
        await World.AdvanceUntilAsync(draining, Deadline);

        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That((await World.RecordAsync()).Status, Is.EqualTo(101));
    }

    [Test]
    public async Task A_second_signal_ends_everything_at_once()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        var draining = World.Server.DrainAsync(Deadline);
        World.Server.StopNow();
        await draining.InTime();

        Assert.That(World.Clock.Elapsed, Is.EqualTo(TimeSpan.Zero));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
    }

    // The first drain has closed its listeners when it closes an idle connection. The second one then has nothing to
    // wait for, so it has told every connection when the call returns.
    private async Task<Task> DrainAsync()
    {
        var before = World.Server.ClientConnections;
        var idle = await World.ConnectAsync();
        await Eventually.HoldsAsync(() => World.Server.ClientConnections > before, () => "the client is connected");
        World.Clock.Advance(TimeSpan.FromSeconds(1));
        var draining = World.Server.DrainAsync(Deadline);
        Assert.That(await idle.EndAsync(), Is.EqualTo(WireEnd.Closed));
        return Task.WhenAll(draining, World.Server.DrainAsync(Deadline));
    }

    // The drain looks at its connections once per tick.
    private async Task EndsAsync(Task draining)
    {
        await Eventually.HoldsAsync(
            () =>
            {
                World.Clock.Advance(TimeSpan.FromMilliseconds(50));
                return draining.IsCompleted;
            },
            () => "the drain ended");
        Assert.That(World.Server.ClientConnections, Is.Zero);
    }
}
