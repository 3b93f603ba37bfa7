using NUnit.Framework;
using PolyBalance.Proxy;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>What is recorded of an exchange: the access log, and later metrics and spans, say the same.</summary>
internal sealed class RecordScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task A_record_says_who_asked_what_of_whom_and_how_it_went()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST /a?b=c HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n0\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        World.Clock.Advance(TimeSpan.FromMilliseconds(250));
        await backend.SendAsync("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n");
        await client.ReadResponseAsync();

        var record = await World.RecordAsync();

        Assert.That((record.Method, record.Target, record.Host), Is.EqualTo(("POST", "/a?b=c", "shop.example")));
        Assert.That((record.Cluster, record.Backend), Is.EqualTo(("app", World.Backend("a").Address)));
        Assert.That((record.Outcome, record.BytesIn, record.BytesOut), Is.EqualTo(((201, "", 1), 3L, 4L)));
        Assert.That(record.Duration, Is.EqualTo(TimeSpan.FromMilliseconds(250)));
        Assert.That((record.ClientAddress, record.Details.Length), Is.EqualTo(("127.0.0.1", 0)));
    }

    [Test]
    public async Task A_backends_own_errors_pass_through_and_are_no_failures_of_ours()
    {
        await StartAsync(Two);
        World.Backend("a").Answers("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
        World.Backend("b").Answers("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();

        Assert.That((response.StartLine, response.Text), Is.EqualTo(("HTTP/1.1 503 Busy", "busy")));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "", 1)));
    }

    [Test]
    public async Task A_request_that_was_refused_is_recorded_as_far_as_it_was_read()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
        await client.ReadResponseAsync();

        var record = await World.RecordAsync();

        Assert.That(record.Outcome, Is.EqualTo((400, "repeated_host", 0)));
        Assert.That((record.Method, record.Target), Is.EqualTo(("GET", "/x")));
        Assert.That((record.Cluster, record.Backend, record.RequestId.Length), Is.EqualTo(("", "", 32)));
    }

    [Test]
    public async Task A_record_says_who_was_waited_for_and_for_how_long()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadUntilAsync("abc");
        await World.WaitsForAsync(WaitKind.Client);
        World.Clock.Advance(TimeSpan.FromMilliseconds(100));
        await client.SendAsync("def");
        await backend.ReadUntilAsync("def");
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(250));
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
        await client.ReadUntilAsync("ab");
        await World.WaitsForAsync(WaitKind.Content);
        World.Clock.Advance(TimeSpan.FromMilliseconds(40));
        await backend.SendAsync("cd");
        await client.ReadUntilAsync("cd");

        var record = await World.RecordAsync();

        Assert.That(record.Duration, Is.EqualTo(TimeSpan.FromMilliseconds(390)));
        Assert.That(record.Timing, Is.EqualTo(Timing(client: 100, firstByte: 250)), "the rest is the content's");
    }

    [Test]
    public async Task A_record_says_how_long_a_place_was_waited_for()
    {
        await StartAsync(OneWith("pool: { max_connections: 1 }"));
        var busy = await World.ConnectAsync();
        await busy.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await World.WaitsForAsync(WaitKind.Queue);
        World.Clock.Advance(TimeSpan.FromMilliseconds(70));
        await backend.SendAsync(ScriptedBackend.Ok());
        await busy.ReadResponseAsync();
        await World.RecordAsync();
        await backend.ReadRequestAsync();
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(30));
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        var record = await World.RecordAsync();

        Assert.That(record.Duration, Is.EqualTo(TimeSpan.FromMilliseconds(100)));
        Assert.That(record.Timing, Is.EqualTo(Timing(queue: 70, firstByte: 30)));
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n", "client head")]
    [TestCase("GET /elsewhere HTTP/1.1\r\nHost: h\r\n\r\n", "client select")]
    [TestCase("GET /empty HTTP/1.1\r\nHost: h\r\n\r\n", "gateway select")]
    [TestCase("GET /refusing HTTP/1.1\r\nHost: h\r\n\r\n", "backend connect")]
    [TestCase("POST /app HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nab", "client request_content")]
    [TestCase("POST /app HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", "client response")]
    [TestCase("GET /app HTTP/1.1\r\nHost: h\r\n\r\n", "client response")]
    public async Task A_record_says_who_ended_an_exchange_and_what_it_was_at(string request, string end)
    {
        await StartAsync("""
            clusters: { app: { backends: [ "${a}" ] }, refusing: { backends: [ "${b}" ] }, empty: { backends: [] } }
            routes:
              - { match: { path: /app }, cluster: app }
              - { match: { path: /refusing }, cluster: refusing }
              - { match: { path: /empty }, cluster: empty }
            """);
        World.Backend("b").StopListening();
        var client = await World.ConnectAsync();

        await client.SendAsync(request);
        if (end is "client request_content" or "client response")
        {
            await (await World.Backend("a").AcceptAsync()).ReadUntilAsync(request[^2..]);
            client.Close();
        }

        Assert.That((await World.RecordAsync()).End, Is.EqualTo(end));
    }

    [Test]
    public async Task A_response_that_is_cut_off_ends_in_its_content_because_of_the_backend()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
        backend.Close();

        var record = await World.RecordAsync();

        Assert.That((record.Reason, record.End), Is.EqualTo(("response_truncated", "backend response_content")));
    }

    [Test]
    public async Task The_record_of_a_failed_attempt_says_what_it_was_made_on_and_how_far_it_came()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var first = await World.Backend("a").AcceptAsync();
        await first.ReadRequestAsync();
        await first.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();
        await World.RecordAsync();
        await client.SendGetAsync();
        await first.ReadRequestAsync();
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(20));
        first.Close();
        var second = await World.Backend("a").AcceptAsync();
        await second.ReadRequestAsync();
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(30));
        await second.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        var record = await World.RecordAsync();

        Assert.That(record.Details, Is.EqualTo((string[])["stale_connection 0", " 200"]));
        Assert.That(
            record.AttemptDetails.Select(one => (one.IsReused, one.FirstByte.TotalMilliseconds)),
            Is.EqualTo(((bool, double)[])[(true, 0), (false, 30)]));
        Assert.That(record.Timing, Is.EqualTo(Timing(firstByte: 50)), "all attempts together");
    }

    private static ExchangeTiming Timing(int queue = 0, int firstByte = 0, int client = 0) => new(
        TimeSpan.FromMilliseconds(queue), TimeSpan.Zero, TimeSpan.FromMilliseconds(firstByte),
        TimeSpan.FromMilliseconds(client), TimeSpan.Zero);

    [Test]
    public async Task Each_exchange_of_a_connection_has_its_own_id()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        var other = await World.ConnectAsync();

        var ids = new HashSet<string?>();
        foreach (var connection in (ScriptedClient[])[client, other, client, other])
            ids.Add((await connection.GetAsync())["X-Request-Id"]);

        Assert.That(ids, Has.Count.EqualTo(4));
    }
}
