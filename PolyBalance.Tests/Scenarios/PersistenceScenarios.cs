using System.Globalization;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Which connections live on after an exchange, on both sides. RFC 9112 §9.3.</summary>
internal sealed class PersistenceScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task Many_requests_share_one_client_connection_and_one_backend_connection()
    {
        await StartAsync(One);
        World.Backend("a").Answers(request => ScriptedBackend.Ok(request.StartLine + request.Text));
        var client = await World.ConnectAsync();

        for (var index = 0; index < 20; index++)
        {
            var get = await client.GetAsync($"/{index}");
            var post = await client.PostAsync($"content {index}");
            Assert.That(get.Text, Is.EqualTo($"GET /{index} HTTP/1.1"));
            Assert.That(post.Text, Does.EndWith($"content {index}"));
            Assert.That(post["Connection"], Is.Null);
        }

        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_hundred_pipelined_requests_are_answered_in_their_order()
    {
        await StartAsync(Three);
        foreach (var name in (string[])["a", "b", "c"])
            World.Backend(name).Answers(request => ScriptedBackend.Ok(request.StartLine + request.Text));
        var client = await World.ConnectAsync();
        // With a body that another attempt could need, with one that none could, and with none.
        var methods = (string[])["PUT", "POST", "GET"];
        var requests = Enumerable.Range(0, 100).Select(index => $"{methods[index % 3]} /{index} HTTP/1.1\r\nHost: h\r\n"
            + (index % 3 == 2 ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));

        await client.SendAsync(string.Concat(requests));
        for (var index = 0; index < 100; index++)
        {
            var response = await client.ReadResponseAsync();
            var content = index % 3 == 2 ? "" : "abc";
            Assert.That(response.Text, Is.EqualTo($"{methods[index % 3]} /{index} HTTP/1.1{content}"));
        }
    }

    [TestCase("POST")]
    [TestCase("PUT")]
    public async Task A_request_whose_body_comes_after_its_head_keeps_its_connection(string method)
    {
        await StartAsync(One);
        World.Backend("a").Answers(request => ScriptedBackend.Ok(request.Text));
        var client = await World.ConnectAsync();

        for (var round = 0; round < 200; round++)
        {
            await client.SendAsync($"{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
            await client.SendAsync("ab");
            await client.SendAsync("cd");
            var response = await client.ReadResponseAsync();
            Assert.That((response.Text, response["Connection"]), Is.EqualTo(("abcd", (string?)null)), $"round {round}");
        }
    }

    [Test]
    public async Task A_client_that_says_close_is_closed_after_the_response()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        var response = await client.GetAsync(lines: "Connection: close\r\n");

        Assert.That(response["Connection"], Is.EqualTo("close"));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
    }

    [Test]
    public async Task What_comes_after_a_request_that_says_close_is_not_answered()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        await client.SendAsync("GET /1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            + "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        await client.ReadResponseAsync();

        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        Assert.That(World.Backend("a").Requests, Is.EqualTo(1));
    }

    [Test]
    public async Task A_client_of_HTTP_1_0_is_closed_after_the_response()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");
        var response = await client.ReadResponseAsync();

        Assert.That((response.StartLine, response["Connection"]), Is.EqualTo(("HTTP/1.1 200 OK", "close")));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
    }

    [Test]
    public async Task A_client_of_HTTP_1_0_that_asks_for_it_keeps_its_connection()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        for (var index = 0; index < 2; index++)
        {
            await client.SendAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            var response = await client.ReadResponseAsync();
            Assert.That((response["Connection"], response.Text), Is.EqualTo(("keep-alive", "ok")));
        }
    }

    [Test]
    public async Task A_client_of_HTTP_1_0_gets_a_chunked_response_until_close()
    {
        await StartAsync(One);
        World.Backend("a").Answers(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
            + "3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n");
        var client = await World.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response.IsWhole, response.IsChunked), Is.EqualTo(("abcde", true, false)));
        Assert.That((response["Connection"], response["Trailer"]), Is.EqualTo(("close", (string?)null)));
    }

    [Test]
    public async Task A_request_of_HTTP_1_0_goes_on_as_HTTP_1_1()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST /x HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That(request.StartLine, Is.EqualTo("POST /x HTTP/1.1"));
        Assert.That(request["Host"], Is.EqualTo(World.Backend("a").Address));
        Assert.That((request["Via"], request.Text), Is.EqualTo(("1.0 polybalance", "hi")));
    }

    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 2)]
    [TestCase("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 2)]
    [TestCase("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 1)]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1)]
    public async Task A_backend_connection_is_reused_only_when_the_response_lets_it_persist(
        string answer, int connections)
    {
        await StartAsync(One);
        World.Backend("a").Answers(answer);
        var client = await World.ConnectAsync();

        var first = await client.GetAsync();
        var second = await client.GetAsync();

        Assert.That((first.Text, first["Connection"], second.Text), Is.EqualTo(("ok", (string?)null, "ok")));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(connections));
    }

    [TestCase("HTTP/1.1")]
    [TestCase("HTTP/1.0")]
    public async Task A_response_until_close_reaches_the_client_chunked_and_its_connection_goes_on(string version)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();

        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync($"{version} 200 OK\r\n\r\nabc");
        backend.Close();
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response.IsChunked, response.IsWhole), Is.EqualTo(("abc", true, true)));
        await client.SendGetAsync();
        var next = await World.Backend("a").AcceptAsync();
        await next.ReadRequestAsync();
        await next.SendAsync(ScriptedBackend.Ok());
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_response_until_close_reaches_a_client_of_HTTP_1_0_until_close()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.0 200 OK\r\n\r\nabc");
        backend.Close();
        var response = await client.ReadResponseAsync();

        Assert.That((response.Text, response.Length, response.IsWhole), Is.EqualTo(("abc", (long?)null, true)));
    }

    [Test]
    public async Task Bytes_after_a_response_end_the_backend_connection()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();

        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok() + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("ok"));
        Assert.That(await backend.EndAsync(), Is.Not.EqualTo(WireEnd.None));

        await client.SendGetAsync();
        var next = await World.Backend("a").AcceptAsync();
        await next.ReadRequestAsync();
        await next.SendAsync(ScriptedBackend.Ok("fresh"));
        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("fresh"));
    }

    [Test]
    public async Task Bytes_on_an_idle_backend_connection_end_it_and_are_never_an_answer()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();
        await World.RecordAsync();

        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
        Assert.That(await backend.EndAsync(), Is.Not.EqualTo(WireEnd.None));

        await client.SendGetAsync();
        var next = await World.Backend("a").AcceptAsync();
        await next.ReadRequestAsync();
        await next.SendAsync(ScriptedBackend.Ok("fresh"));
        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("fresh"));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task An_idle_backend_connection_that_closed_is_not_used_again()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendPostAsync("1");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        backend.Close();
        await Eventually.HoldsAsync(() => World.BackendConnections == 0,
            () => string.Create(CultureInfo.InvariantCulture, $"{World.BackendConnections} connections are 0"));
        await client.SendPostAsync("2");
        var next = await World.Backend("a").AcceptAsync();
        await next.ReadRequestAsync();
        await next.SendAsync(ScriptedBackend.Ok("fresh"));

        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo("fresh"));
        await World.RecordAsync();
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
    }

    [Test]
    public async Task Empty_lines_between_requests_are_no_request()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        await client.PostAsync("x");
        await client.SendAsync("\r\n");
        World.Clock.Advance(TimeSpan.FromSeconds(20));
        var response = await client.GetAsync();
        await client.SendAsync("\r\n");
        client.ShutdownOutput();

        Assert.That(response.Status, Is.EqualTo(200));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        Assert.That(World.RecordCount, Is.EqualTo(2));
    }
}
