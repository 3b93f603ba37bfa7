using NUnit.Framework;
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
