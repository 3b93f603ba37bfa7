using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>What crosses the gateway, what does not, and what it adds. RFC 9110 §7.6.</summary>
internal sealed class ForwardingScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task A_request_crosses_with_method_target_query_and_content_byte_for_byte()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        var content = new string([.. Enumerable.Range(0, 256).Select(value => (char)value)]);
        await client.SendAsync("PROPFIND /%7Ea/b%2Fc//d?x=%20&y=[]'&&z HTTP/1.1\r\nHost: a.example:81\r\n"
            + "Accept:  text/plain \r\nX-Empty:\r\ncookie: a=b\r\nCookie: c=d\r\n"
            + $"Content-Length: 256\r\n\r\n{content}");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That(request.StartLine, Is.EqualTo("PROPFIND /%7Ea/b%2Fc//d?x=%20&y=[]'&&z HTTP/1.1"));
        Assert.That(request.Lines[..5], Is.EqualTo((string[])
            ["Host: a.example:81", "Accept:  text/plain ", "X-Empty:", "cookie: a=b", "Cookie: c=d"]));
        Assert.That(request.Text, Is.EqualTo(content));
    }

    [Test]
    public async Task A_response_crosses_with_status_reason_fields_and_content_byte_for_byte()
    {
        await StartAsync(One);
        World.Backend("a").Answers("HTTP/1.1 299 Quite so\r\nServer: x\r\nSet-Cookie: a=b\r\nset-cookie: c=d\r\n"
            + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 3\r\n\r\n\0\xff\n");
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();

        Assert.That(response.StartLine, Is.EqualTo("HTTP/1.1 299 Quite so"));
        Assert.That(response.Lines[..4], Is.EqualTo((string[])
            ["Server: x", "Set-Cookie: a=b", "set-cookie: c=d", "Date: Sun, 06 Nov 1994 08:49:37 GMT"]));
        Assert.That(response.Text, Is.EqualTo("\0\xff\n"));
    }

    [Test]
    public async Task Hop_by_hop_fields_of_a_request_do_not_cross()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: "Connection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"
            + "Proxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
            + "Proxy-Authorization: Basic YTpi\r\nX-Public: 2\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        var hops = (string[])["Connection", "X-Secret", "Keep-Alive", "Proxy-Connection", "TE", "Upgrade",
            "HTTP2-Settings", "Proxy-Authorization", "Transfer-Encoding"];
        Assert.That(hops.Where(name => request[name] is not null), Is.Empty);
        Assert.That(request["X-Public"], Is.EqualTo("2"));
    }

    [Test]
    public async Task Hop_by_hop_fields_of_a_response_do_not_cross()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok(lines: "Connection: X-Secret\r\nX-Secret: 1\r\n"
            + "Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic\r\n"
            + "WWW-Authenticate: Basic\r\n"));
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();

        var hops = (string[])["Connection", "X-Secret", "Keep-Alive", "Proxy-Connection", "Upgrade",
            "Proxy-Authenticate"];
        Assert.That(hops.Where(name => response[name] is not null), Is.Empty);
        Assert.That(response["WWW-Authenticate"], Is.EqualTo("Basic"));
    }

    [Test]
    public async Task What_an_untrusted_client_claims_about_others_is_replaced()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: "X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-Proto: https\r\n"
            + "X-Forwarded-Host: evil\r\nForwarded: for=8.8.8.8\r\nX_Forwarded_For: 9.9.9.9\r\nX-Request-Id: mine\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        var response = await client.ReadResponseAsync();
        var record = await World.RecordAsync();

        Assert.That(request["X-Forwarded-For"], Is.EqualTo("127.0.0.1"));
        Assert.That(request["X-Forwarded-Proto"], Is.EqualTo("http"));
        Assert.That(request["X-Forwarded-Host"], Is.EqualTo("example.com"));
        Assert.That(request.Head, Does.Not.Contain("8.8.8.8").And.Not.Contain("9.9.9.9"));
        Assert.That(request["Via"], Is.EqualTo("1.1 polybalance"));
        Assert.That(request["X-Request-Id"], Has.Length.EqualTo(32));
        Assert.That(response["X-Request-Id"], Is.EqualTo(request["X-Request-Id"]));
        Assert.That(record.RequestId, Is.EqualTo(request["X-Request-Id"]));
        Assert.That(record.ClientAddress, Is.EqualTo("127.0.0.1"));
    }

    [Test]
    public async Task A_trusted_proxy_is_believed_and_added_to_its_own_list()
    {
        await StartAsync("listeners: [ { bind: \"127.0.0.1:8000\", trusted_proxies: [ 127.0.0.0/8 ] } ]\n" + One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: "X-Forwarded-For: 8.8.8.8\r\nX-Forwarded-For: 127.9.9.9\r\n"
            + "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\nX-Request-Id: mine\r\nVia: 1.1 outer\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        var response = await client.ReadResponseAsync();
        var record = await World.RecordAsync();

        Assert.That(request["X-Forwarded-For"], Is.EqualTo("8.8.8.8, 127.9.9.9, 127.0.0.1"));
        Assert.That(request["X-Forwarded-Proto"], Is.EqualTo("https"));
        Assert.That(request["X-Forwarded-Host"], Is.EqualTo("shop"));
        Assert.That(request["Via"], Is.EqualTo("1.1 outer, 1.1 polybalance"));
        Assert.That(request["X-Request-Id"], Is.EqualTo("mine"));
        Assert.That(response["X-Request-Id"], Is.EqualTo("mine"));
        Assert.That((record.RequestId, record.ClientAddress), Is.EqualTo(("mine", "8.8.8.8")));
    }

    [Test]
    public async Task Trace_context_and_an_interest_in_trailers_cross()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        var trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        await client.SendGetAsync(
            lines: $"traceparent: {trace}\r\ntracestate: a=b\r\nTE: trailers\r\nConnection: TE\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That(request["traceparent"], Is.EqualTo(trace));
        Assert.That(request["tracestate"], Is.EqualTo("a=b"));
        Assert.That((request["TE"], request["Connection"]), Is.EqualTo(("trailers", "TE")));
    }

    [TestCase("preserve", "example.com:81")]
    [TestCase("backend", "the backend's address")]
    [TestCase("inner.example", "inner.example")]
    public async Task The_Host_of_a_forwarded_request_is_what_the_cluster_says(string policy, string expected)
    {
        await StartAsync(OneWith($"host: \"{policy}\""));
        var client = await World.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHost: example.com:81\r\n\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That(request["Host"], Is.EqualTo(policy == "backend" ? World.Backend("a").Address : expected));
        Assert.That(request["X-Forwarded-Host"], Is.EqualTo("example.com:81"));
    }

    [Test]
    public async Task Routes_lead_to_their_clusters()
    {
        await StartAsync("""
            clusters:
              web: { backends: [ "${a}" ] }
              api: { backends: [ "${b}" ] }
            routes:
              - { match: { host: api.example.com, path: /v1 }, cluster: api }
              - { match: { host: "*.example.com" }, cluster: web }
            """);
        World.Backend("a").Answers(ScriptedBackend.Ok("web"));
        World.Backend("b").Answers(ScriptedBackend.Ok("api"));
        var client = await World.ConnectAsync();

        await client.SendAsync("GET /v1/x HTTP/1.1\r\nHost: API.example.com:80\r\n\r\n");
        var first = await client.ReadResponseAsync();
        await client.SendAsync("GET /v10 HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
        var second = await client.ReadResponseAsync();

        Assert.That((first.Text, second.Text), Is.EqualTo(("api", "web")));
        Assert.That((await World.RecordAsync()).Cluster, Is.EqualTo("api"));
        Assert.That((await World.RecordAsync()).Cluster, Is.EqualTo("web"));
    }

    [Test]
    public async Task A_request_that_no_route_matches_gets_404_and_the_connection_goes_on()
    {
        await StartAsync("clusters: { app: { backends: [ \"${a}\" ] } }\n"
            + "routes: [ { match: { path: /app }, cluster: app } ]");
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        var refused = await client.GetAsync("/other");
        var served = await client.GetAsync("/app");

        Assert.That((refused.Status, served.Status), Is.EqualTo((404, 200)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((404, "no_route", 0)));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, "", 1)));
    }

    [Test]
    public async Task OPTIONS_and_TRACE_with_no_forwards_left_are_answered_here()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();

        await client.SendAsync("TRACE /x HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\nCookie: secret\r\nX-A: b\r\n\r\n");
        var trace = await client.ReadResponseAsync();
        await client.SendAsync("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n");
        var options = await client.ReadResponseAsync();

        Assert.That(trace["Content-Type"], Is.EqualTo("message/http"));
        Assert.That(trace.Text, Does.StartWith("TRACE /x HTTP/1.1\r\n").And.Contain("X-A: b"));
        Assert.That(trace.Text, Does.Not.Contain("secret"));
        Assert.That(options["Allow"], Does.Contain("GET"));
        Assert.That(World.Backend("a").Connections, Is.Zero);
    }
}
