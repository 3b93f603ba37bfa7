using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>
/// Backends that fail before the client has a byte of a final response: when another attempt follows. RFC 9110 §9.2.2.
/// </summary>
internal sealed class RetryScenarios(Medium medium) : ScenarioTests(medium)
{
    [TestCase("GET")]
    [TestCase("POST")]
    public async Task A_backend_that_refuses_is_passed_over_whatever_the_method(string method)
    {
        await StartAsync(Two);
        World.Backend("a").StopListening();
        World.Backend("b").Answers(request => ScriptedBackend.Ok(request.Text));
        var client = await World.ConnectAsync();

        for (var index = 0; index < 2; index++)
            Assert.That((await client.PostAsync("content", method)).Text, Is.EqualTo("content"));

        // One of two requests in a row begins at the backend that refuses.
        var record = await World.RecordAsync();
        var other = await World.RecordAsync();
        if (other.Attempts > record.Attempts)
            (record, other) = (other, record);
        Assert.That((record.Outcome, other.Outcome), Is.EqualTo(((200, "", 2), (200, "", 1))));
        Assert.That(record.Details, Is.EqualTo((string[])["connect_refused 0", " 200"]));
    }

    [Test]
    public async Task When_every_backend_refuses_the_last_refusal_decides()
    {
        await StartAsync(Two);
        World.Backend("a").StopListening();
        World.Backend("b").StopListening();
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();
        var record = await World.RecordAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((502, (string?)null)));
        Assert.That(response.Text, Does.Contain("\"reason\":\"connect_refused\"").And.Contain(record.Backend));
        Assert.That(record.Outcome, Is.EqualTo((502, "connect_refused", 2)));
        Assert.That(record.Details, Is.EqualTo((string[])["connect_refused 0", "connect_refused 0"]));
    }

    [Test]
    public async Task Attempts_end_after_the_first_and_the_configured_further_ones()
    {
        await StartAsync("clusters: { app: { backends: [ \"${a}\", \"${b}\", \"${c}\", \"${d}\", \"${e}\" ] } }");
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
            World.Backend(name).StopListening();
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync()).Status, Is.EqualTo(502));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "connect_refused", 3)));
    }

    [Test]
    public async Task A_cluster_without_backends_answers_503_at_once()
    {
        await StartAsync("clusters: { app: { backends: [] } }");
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();

        Assert.That((response.Status, response["Retry-After"]), Is.EqualTo((503, "1")));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "no_eligible_backend", 0)));
    }

    [Test]
    public async Task A_get_that_loses_a_reused_connection_is_sent_once_more_on_a_fresh_one()
    {
        await StartAsync(OneWith("retries: off"));
        var (client, backend) = await OpenAsync();

        await client.SendGetAsync("/second");
        Assert.That(await backend.ReadHeadAsync(), Does.Contain("/second"));
        backend.Close();
        var fresh = await World.Backend("a").AcceptAsync();
        Assert.That(await fresh.ReadHeadAsync(), Does.Contain("/second"));
        await fresh.SendAsync(ScriptedBackend.Ok("fresh"));

        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("fresh"));
        var record = await World.RecordAsync();
        Assert.That(record.Outcome, Is.EqualTo((200, "", 2)));
        Assert.That(record.Details, Is.EqualTo((string[])["stale_connection 0", " 200"]));
    }

    [Test]
    public async Task A_reused_connection_that_ends_after_an_interim_response_is_not_stale()
    {
        await StartAsync(OneWith("retries: off"));
        var (client, backend) = await OpenAsync();

        await client.SendGetAsync("/second");
        await backend.ReadHeadAsync();
        await backend.SendAsync("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        Assert.That((await client.ReadResponseAsync(hasBody: false)).Status, Is.EqualTo(103));
        backend.Close();

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(502));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "backend_closed", 1)));
    }

    [TestCase("once")]
    [TestCase("")]
    public async Task A_post_that_loses_a_reused_connection_is_never_sent_twice(string content)
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (first, backend) = await World.AcceptAsync();
        await AnswerAsync(backend);
        await client.ReadResponseAsync();
        await client.SendGetAsync();
        var (second, other) = await World.AcceptAsync();
        await AnswerAsync(other);
        await client.ReadResponseAsync();

        await client.SendPostAsync(content);
        Assert.That((await backend.ReadRequestAsync()).Text, Is.EqualTo(content));
        backend.Close();

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(502));
        Assert.That((first.Connections, second.Connections), Is.EqualTo((1, 1)));
        await World.RecordAsync();
        await World.RecordAsync();
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "stale_connection", 1)));
    }

    [TestCase("", 502, 1)]
    [TestCase("Idempotency-Key: \"k\"\r\n", 200, 2)]
    public async Task A_post_may_be_sent_again_only_when_it_has_an_idempotency_key(
        string lines, int status, int attempts)
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendPostAsync("content", lines: lines);

        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        backend.Close();
        if (attempts == 2)
        {
            var (_, next) = await World.AcceptAsync();
            Assert.That((await next.ReadRequestAsync()).Text, Is.EqualTo("content"));
            await next.SendAsync(ScriptedBackend.Ok());
        }

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(status));
        var record = await World.RecordAsync();
        Assert.That((record.Status, record.Attempts), Is.EqualTo((status, attempts)));
        Assert.That(World.Backend("a").Connections + World.Backend("b").Connections, Is.EqualTo(attempts));
    }

    [TestCase("close")]
    [TestCase("reset")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Le")]
    [TestCase("nonsense\r\n\r\n")]
    public async Task A_get_whose_backend_fails_before_a_response_goes_to_another(string failing)
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (first, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await FailAsync(backend, failing);

        var (second, next) = await World.AcceptAsync();
        await AnswerAsync(next);

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That(second, Is.Not.SameAs(first));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 2)));
        Assert.That(World.BackendFailures, Is.EqualTo(1));
    }

    [TestCase("GET", 200, 2)]
    [TestCase("POST", 502, 1)]
    public async Task A_backend_that_fails_after_an_interim_response_has_not_answered(
        string method, int status, int attempts)
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendPostAsync("content", method);
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(103));
        backend.Close();
        if (attempts == 2)
            await AnswerAsync((await World.AcceptAsync()).Connection);

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(status));
        var record = await World.RecordAsync();
        Assert.That((record.Status, record.Attempts, World.BackendFailures), Is.EqualTo((status, attempts, 1L)));
    }

    [TestCase("once", "close", "backend_closed")]
    [TestCase("once", "reset", "backend_closed")]
    [TestCase("once", "HTTP/1.1 200 OK\r\nContent-Le", "backend_closed")]
    [TestCase("once", "nonsense\r\n\r\n", "malformed_response")]
    [TestCase("", "close", "backend_closed")]
    [TestCase("", "nonsense\r\n\r\n", "malformed_response")]
    public async Task A_post_whose_backend_fails_before_a_response_gets_502(
        string content, string failing, string reason)
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendPostAsync(content);
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await FailAsync(backend, failing);

        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((502, (string?)null)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, reason, 1)));
        Assert.That(World.Backend("a").Connections + World.Backend("b").Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_body_that_fits_the_replay_buffer_is_sent_whole_to_the_next_backend()
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        var content = new string('p', 60_000);
        await client.SendPostAsync(content, "PUT");
        var (_, backend) = await World.AcceptAsync();
        Assert.That((await backend.ReadRequestAsync()).Text, Is.EqualTo(content));
        backend.Close();

        var (_, next) = await World.AcceptAsync();
        Assert.That((await next.ReadRequestAsync()).Text, Is.EqualTo(content));
        await next.SendAsync(ScriptedBackend.Ok());

        Assert.That((await client.ReadResponseAsync())["Connection"], Is.Null);
        var record = await World.RecordAsync();
        Assert.That((record.Outcome, record.BytesIn), Is.EqualTo(((200, "", 2), 60_000L)));
        await client.SendGetAsync();
        await AnswerAsync(next);
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_body_that_is_still_arriving_when_its_backend_fails_goes_on_to_the_next()
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendAsync("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadUntilAsync("first\r\n");
        backend.Reset();

        var (_, next) = await World.AcceptAsync();
        await next.ReadUntilAsync("first\r\n");
        await client.SendAsync("6\r\nsecond\r\n0\r\n\r\n");
        await next.ReadUntilAsync("second\r\n0\r\n\r\n");
        await next.SendAsync(ScriptedBackend.Ok());

        Assert.That((await client.ReadResponseAsync())["Connection"], Is.Null);
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 2)));
    }

    [Test]
    public async Task A_body_beyond_the_replay_buffer_is_not_sent_again()
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendPostAsync(new string('p', 70_000), "PUT");
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        backend.Close();

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(502));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "backend_closed", 1)));
    }

    [TestCase("HTTP/2 200 OK\r\n\r\n")]
    [TestCase("HTTP/1.1 99 Low\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\nContent-Length: 0\n\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 0\r\n\r\n")]
    public async Task An_answer_that_is_no_clear_response_is_502(string answer)
    {
        await StartAsync(One);
        World.Backend("a").Answers(answer);
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((502, (string?)null)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "malformed_response", 1)));
    }

    [Test]
    public async Task A_response_head_without_end_is_a_malformed_answer()
    {
        await StartAsync(One);
        World.Backend("a").Answers("HTTP/1.1 200 OK\r\nX: " + new string('x', 100_000));
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync()).Status, Is.EqualTo(502));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "malformed_response", 1)));
    }

    [Test]
    public async Task An_answer_sent_before_the_backend_closed_its_ears_goes_through()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.SendAsync("HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
        backend.Close();

        await client.TrySendAsync(new byte[100_000]);
        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response.Text, response["Connection"]), Is.EqualTo((403, "no", "close")));
    }

    [Test]
    public async Task Where_nobody_may_wait_and_every_backend_is_busy_the_next_request_is_503()
    {
        await StartAsync(TwoWith("pool: { max_connections: 1 }, queue: off"));
        var clients = new List<ScriptedClient>();
        var backends = new List<ScriptedConnection>();
        for (var index = 0; index < 2; index++)
        {
            clients.Add(await World.ConnectAsync());
            await clients[index].SendGetAsync();
            backends.Add((await World.AcceptAsync()).Connection);
            await backends[index].ReadRequestAsync();
        }

        var third = await World.ConnectAsync();
        var refused = await third.GetAsync();
        Assert.That((refused.Status, refused["Retry-After"]), Is.EqualTo((503, "1")));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((503, "pool_exhausted", 0)));

        for (var index = 0; index < 2; index++)
        {
            await backends[index].SendAsync(ScriptedBackend.Ok());
            Assert.That((await clients[index].ReadResponseAsync()).Status, Is.EqualTo(200));
        }
    }

    private static async Task FailAsync(ScriptedConnection backend, string how)
    {
        if (how == "reset")
        {
            backend.Reset();
            return;
        }

        if (how != "close")
            await backend.SendAsync(how);
        backend.Close();
    }

    private static async Task AnswerAsync(ScriptedConnection backend)
    {
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
    }

    private async Task<(ScriptedClient Client, ScriptedConnection Backend)> OpenAsync()
    {
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await AnswerAsync(backend);
        await client.ReadResponseAsync();
        await World.RecordAsync();
        return (client, backend);
    }
}
