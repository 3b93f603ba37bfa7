using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Every timeout: what it measures, how it ends, what is said of it. Only the test moves the clock.</summary>
internal sealed class TimeoutScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task A_backend_that_does_not_accept_in_time_is_502()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await World.Backend("a").StopAcceptingAsync();
        await client.SendGetAsync();

        var response = client.ReadResponseAsync();
        await TakesAsync(response, 3);

        Assert.That((await response).Status, Is.EqualTo(502));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "connect_timed_out", 1)));
    }

    [Test]
    public async Task A_backend_that_does_not_answer_a_get_in_time_is_504_after_one_other_was_tried()
    {
        await StartAsync(Three);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();

        var (_, first) = await World.AcceptAsync();
        await first.ReadRequestAsync();
        var ended = first.EndAsync();
        await TakesAsync(ended, 30);
        var (_, second) = await World.AcceptAsync();
        await second.ReadRequestAsync();
        var response = client.ReadResponseAsync();
        await TakesAsync(response, 30);

        Assert.That((await response).Status, Is.EqualTo(504));
        Assert.That((await ended, await second.EndAsync()), Is.EqualTo((WireEnd.Reset, WireEnd.Reset)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((504, "response_timed_out", 2)));
    }

    [TestCase("once")]
    [TestCase("")]
    public async Task A_backend_that_does_not_answer_a_post_in_time_is_504_at_once(string content)
    {
        await StartAsync(Three);
        var client = await World.ConnectAsync();
        await client.SendPostAsync(content);
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();

        var response = client.ReadResponseAsync();
        await TakesAsync(response, 30);

        Assert.That(((await response).Status, (await response)["Connection"]), Is.EqualTo((504, (string?)null)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((504, "response_timed_out", 1)));
    }

    [Test]
    public async Task A_backend_that_takes_no_more_of_a_body_is_504()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        var sending = client.TrySendAsync(new byte[32 * 1024 * 1024]);
        await IsStuckAsync(sending);

        var response = client.ReadResponseAsync();
        await TakesAsync(response, 30);

        Assert.That((await response).Status, Is.EqualTo(504));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((504, "response_timed_out", 1)));
        client.Close();
        await sending;
    }

    [Test]
    public async Task A_response_that_pauses_for_too_long_is_cut_off()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxyz");
        await client.ReadUntilAsync("xyz");

        var ended = client.EndAsync();
        await TakesAsync(ended, 60);

        Assert.That((await ended, await backend.EndAsync()), Is.EqualTo((WireEnd.Reset, WireEnd.Reset)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "response_idle_timed_out", 1)));
    }

    [Test]
    public async Task An_event_stream_may_pause_as_long_as_a_tunnel()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        await client.ReadHeadAsync();

        World.Clock.Advance(TimeSpan.FromMinutes(50));
        await backend.SendAsync("1\r\nx\r\n");
        Assert.That(await client.ReadTextAsync(6), Is.EqualTo("1\r\nx\r\n"));

        var ended = client.EndAsync();
        await TakesAsync(ended, 3600);
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "response_idle_timed_out", 1)));
    }

    [TestCase("")]
    [TestCase("X-Slow: very\r\n")]
    public async Task A_head_that_does_not_end_in_time_is_408(string trickle)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\n");

        var response = client.ReadResponseAsync();
        for (var second = 0; second < 9 && trickle.Length > 0; second++)
        {
            World.Clock.Advance(TimeSpan.FromSeconds(1));
            await client.SendAsync(trickle);
        }

        await TakesAsync(response, trickle.Length > 0 ? 1 : 10);

        Assert.That(((await response).Status, (await response)["Connection"]), Is.EqualTo((408, "close")));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((408, "client_head_timed_out", 0)));
    }

    [Test]
    public async Task A_connection_that_carries_no_request_is_closed_without_a_word()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await client.GetAsync();
        var fresh = await World.ConnectAsync();

        var ended = Task.WhenAll(client.EndAsync(), fresh.EndAsync());
        await TakesAsync(ended, 75);

        Assert.That(await ended, Is.All.EqualTo(WireEnd.Closed));
        Assert.That(World.RecordCount, Is.EqualTo(1));
    }

    [TestCase(100, 5)]
    [TestCase(2_400, 15)]
    [TestCase(24_000, 30)]
    public async Task A_body_that_pauses_for_too_long_or_is_too_slow_is_408(int sent, int seconds)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n\r\n" + new string('s', sent));
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.ReadTextAsync(sent);

        var response = client.ReadResponseAsync();
        await TakesAsync(response, seconds);

        Assert.That(((await response).Status, (await response)["Connection"]), Is.EqualTo((408, "close")));
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((408, "client_body_timed_out", 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task A_body_that_trickles_is_408_although_it_never_pauses_for_long()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        var response = client.ReadResponseAsync();
        for (var second = 0; second < 4; second++)
        {
            World.Clock.Advance(TimeSpan.FromSeconds(1));
            await client.SendAsync("x");
            await backend.ReadTextAsync(1);
        }

        await TakesAsync(response, 1);
        Assert.That((await response).Status, Is.EqualTo(408));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((408, "client_body_timed_out", 1)));
    }

    [Test]
    public async Task While_we_wait_for_the_client_the_backends_time_stands_still()
    {
        await StartAsync(OneWith("timeouts: { response: 10s }"));
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 48002\r\n\r\n" + new string('s', 48_000));
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.ReadTextAsync(48_000);
        for (var index = 0; index < 2; index++)
        {
            World.Clock.Advance(TimeSpan.FromSeconds(25));
            await client.SendAsync("x");
            await backend.ReadTextAsync(1);
        }

        World.Clock.Advance(TimeSpan.FromSeconds(9));
        await backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_client_that_waits_for_100_is_not_slow_but_the_backend_is()
    {
        await StartAsync(OneWith("timeouts: { response: 40s }"));
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();

        var response = client.ReadResponseAsync();
        await TakesAsync(response, 40);

        Assert.That((await response).Status, Is.EqualTo(504));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((504, "response_timed_out", 1)));
    }

    [Test]
    public async Task A_client_that_sends_nothing_after_100_is_408()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        await client.ReadResponseAsync();

        var response = client.ReadResponseAsync();
        await TakesAsync(response, 30);

        Assert.That((await response).Status, Is.EqualTo(408));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((408, "client_body_timed_out", 1)));
    }

    [Test]
    public async Task A_client_that_stops_reading_for_too_long_is_cut_off()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\n\r\n");
        await client.ReadHeadAsync();
        var sending = backend.TrySendAsync(new byte[32 * 1024 * 1024]);
        await IsStuckAsync(sending);

        await TakesAsync(sending, 60);

        Assert.That(await sending, Is.False);
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "client_write_timed_out", 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task A_tunnel_that_carries_nothing_for_too_long_ends()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: "Upgrade: x\r\nConnection: upgrade\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
        await client.ReadHeadAsync();
        for (var index = 0; index < 3; index++)
        {
            World.Clock.Advance(TimeSpan.FromMinutes(50));
            await client.SendAsync("x");
            Assert.That(await backend.ReadTextAsync(1), Is.EqualTo("x"));
        }

        var ended = client.EndAsync();
        await TakesAsync(ended, 3600);
        Assert.That((await ended, await backend.EndAsync()), Is.EqualTo((WireEnd.Reset, WireEnd.Reset)));
        Assert.That((await World.RecordAsync()).Status, Is.EqualTo(101));
    }

    [Test]
    public async Task A_whole_exchange_that_takes_too_long_is_504_and_not_retried()
    {
        await StartAsync(TwoWith("timeouts: { request: 5s }"));
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();

        var response = client.ReadResponseAsync();
        await TakesAsync(response, 5);

        Assert.That((await response).Status, Is.EqualTo(504));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((504, "request_timed_out", 1)));
    }

    [Test]
    public async Task A_whole_exchange_that_takes_too_long_in_its_response_is_cut_off()
    {
        await StartAsync(OneWith("timeouts: { request: 5s }"));
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxyz");
        await client.ReadUntilAsync("xyz");

        var ended = client.EndAsync();
        await TakesAsync(ended, 5);

        Assert.That(await ended, Is.EqualTo(WireEnd.Reset));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "request_timed_out", 1)));
    }

    [Test]
    public async Task An_idle_backend_connection_is_closed_in_an_orderly_way_after_its_time()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();
        await World.RecordAsync();

        var ended = backend.EndAsync();
        await TakesAsync(ended, 30);

        Assert.That(await ended, Is.EqualTo(WireEnd.Closed));
    }

    // A timeout never fires early. How late is bounded by what the clock was moved while other threads caught up.
    private async Task TakesAsync(Task happened, int seconds)
    {
        var waited = await World.AdvanceUntilAsync(happened, TimeSpan.FromSeconds(seconds));
        Assert.That(waited.TotalSeconds, Is.InRange(seconds, (2 * seconds) + 10));
    }
}
