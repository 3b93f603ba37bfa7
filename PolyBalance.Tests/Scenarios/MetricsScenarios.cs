using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>What operators and their programs are told: counters after known exchanges, and readiness.</summary>
internal sealed class MetricsScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Exposed =
        "listeners: [ { bind: \"127.0.0.1:8000\", expose: [ healthz, readyz, metrics ] } ]\n";

    [Test]
    public async Task Finished_exchanges_are_counted_by_route_status_and_method()
    {
        await StartAsync(Exposed + One + "\nroutes: [ { match: { host: shop.example, path: /v1 }, cluster: app } ]");
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        foreach (var method in (string[])["GET", "GET", "POST", "PURGE"])
        {
            await client.SendAsync($"{method} /v1/a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\n\r\n");
            Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        }

        Assert.That((await client.GetAsync("/v1")).Status, Is.EqualTo(404), "the host is another");
        var scrape = await ScrapeAsync(after: 5);

        Assert.That(scrape[Requests("200", "GET", "shop.example/v1")], Is.EqualTo(2));
        Assert.That(scrape[Requests("200", "POST", "shop.example/v1")], Is.EqualTo(1));
        Assert.That(scrape[Requests("200", "other", "shop.example/v1")], Is.EqualTo(1));
        Assert.That(scrape["requests_total{cluster=\"\",route=\"\",code=\"404\",method=\"GET\"}"], Is.EqualTo(1));
        Assert.That(scrape["request_errors_total{reason=\"no_route\"}"], Is.EqualTo(1));
        Assert.That(scrape[OfA("backend_requests_total", "code=\"200\"")], Is.EqualTo(4));
        Assert.That((scrape["request_duration_seconds_count"], scrape[OfA("backend_ttfb_seconds_count")]),
            Is.EqualTo((5, 4)));
        Assert.That((scrape[OfA("pool_opened_total")], scrape[OfA("pool_reused_total")]), Is.EqualTo((1, 3)));
        Assert.That(scrape[OfA("backend_connect_duration_seconds_count")], Is.EqualTo(1));
        Assert.That(scrape["client_connections"], Is.EqualTo(2));
        scrape.AssertHistogramsAreWhole();
    }

    [Test]
    public async Task Sessions_are_counted_by_what_became_of_them()
    {
        await StartAsync(Exposed + "clusters: { app: { backends: [ \"${a}\" ], sticky: { max_age: 60s } } }");
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        var cookie = (await client.GetAsync("/"))["Set-Cookie"]!.Split(';')[0];
        foreach (var value in (string[])[cookie, cookie, "X-LB-Backend=forged"])
        {
            await client.SendAsync($"GET / HTTP/1.1\r\nHost: a\r\nCookie: {value}\r\n\r\n");
            Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
        }

        var scrape = await ScrapeAsync(after: 4);

        Assert.That(
            (string[])[.. ((string[])["new", "hit", "renewed", "moved", "invalid"])
                .Select(result => $"{result} {scrape[$"sticky_total{{result=\"{result}\"}}"]}")],
            Is.EqualTo((string[])["new 1", "hit 2", "renewed 0", "moved 0", "invalid 1"]));
    }

    [Test]
    public async Task Durations_are_those_of_the_exchange_the_attempt_and_its_first_byte()
    {
        await StartAsync(Exposed + One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        World.Clock.Advance(TimeSpan.FromMilliseconds(250));
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
        await client.ReadUntilAsync("ab");
        World.Clock.Advance(TimeSpan.FromMilliseconds(500));
        await backend.SendAsync("cd");
        await client.ReadUntilAsync("cd");

        var scrape = await ScrapeAsync(after: 1);

        Assert.That(scrape["request_duration_seconds_sum"], Is.EqualTo(0.75).Within(1e-9));
        Assert.That(scrape[OfA("backend_request_duration_seconds_sum")], Is.EqualTo(0.75).Within(1e-9));
        Assert.That(scrape[OfA("backend_ttfb_seconds_sum")], Is.EqualTo(0.25).Within(1e-9));
        Assert.That(scrape[OfA("backend_request_duration_seconds_bucket", "le=\"0.5\"")], Is.Zero);
        Assert.That(scrape[OfA("backend_request_duration_seconds_bucket", "le=\"1\"")], Is.EqualTo(1));
        Assert.That(scrape[OfA("backend_latency_seconds", "quantile=\"0.99\"")], Is.EqualTo(0.75).Within(0.0075));
        Assert.That(scrape["proxy_overhead_seconds_count"], Is.EqualTo(1));
    }

    [Test]
    public async Task Retries_are_counted_by_what_made_them_necessary()
    {
        await StartAsync(Exposed + Two);
        World.Backend("a").StopListening();
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        await client.GetAsync();
        await client.GetAsync();

        var scrape = await ScrapeAsync(after: 2);

        Assert.That(scrape["retries_total{reason=\"connect_refused\"}"], Is.EqualTo(1));
        Assert.That(scrape[OfA("backend_errors_total", "reason=\"connect_refused\"")], Is.EqualTo(1));
        Assert.That(scrape[OfA("backend_requests_total", "code=\"502\"")], Is.EqualTo(1));
        Assert.That(scrape[Requests("200", "GET")], Is.EqualTo(2));
        Assert.That(scrape.Sum("polybalance_request_errors_total"), Is.Zero, "no client noticed");
    }

    [Test]
    public async Task Failed_exchanges_are_counted_with_the_reason_of_their_record()
    {
        await StartAsync(Exposed + OneWith("retries: off"));
        World.Backend("a").StopListening();
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync()).Status, Is.EqualTo(502));
        var scrape = await ScrapeAsync(after: 1);

        Assert.That(scrape[Requests("502", "GET")], Is.EqualTo(1));
        Assert.That(scrape["request_errors_total{reason=\"connect_refused\"}"], Is.EqualTo(1));
        Assert.That(scrape[OfA("backend_errors_total", "reason=\"connect_refused\"")], Is.EqualTo(1));
        Assert.That((scrape[OfA("pool_opened_total")], scrape[OfA("backend_ttfb_seconds_count")]), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_client_that_left_is_counted_as_499_and_against_nobody()
    {
        await StartAsync(Exposed + One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await (await World.Backend("a").AcceptAsync()).ReadRequestAsync();
        var during = await ScrapeAsync(after: 0);
        client.Close();

        var scrape = await ScrapeAsync(after: 2);

        Assert.That(during[OfA("backend_in_flight")], Is.EqualTo(1));
        Assert.That(during[OfA("pool_connections", "state=\"active\"")], Is.EqualTo(1));
        Assert.That(scrape[Requests("499", "GET")], Is.EqualTo(1));
        Assert.That(scrape["request_errors_total{reason=\"client_closed\"}"], Is.EqualTo(1));
        Assert.That((scrape[OfA("backend_requests_total", "code=\"499\"")], scrape[OfA("backend_in_flight")]),
            Is.EqualTo((1, 0)));
        Assert.That(scrape.Sum("polybalance_backend_errors_total"), Is.Zero);
    }

    [Test]
    public async Task Ejections_are_counted_and_seen_in_the_states_of_the_backends()
    {
        await StartAsync(Exposed + Two);
        World.Backend("a").StopListening();
        World.Backend("b").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        var asked = 0;
        for (; World.BackendFailures < 5; asked++)
            await client.GetAsync();
        await Eventually.HoldsAsync(
            () => World.Server.Store.Current.Clusters[0].Backends[0].Passive.Stage == ServiceStage.Ejected,
            () => "a is ejected");

        var scrape = await ScrapeAsync(after: asked);

        Assert.That(scrape["ejections_total{reason=\"consecutive_failures\"}"], Is.EqualTo(1));
        Assert.That(scrape["backends{cluster=\"app\",state=\"ejected\"}"], Is.EqualTo(1));
        Assert.That(scrape["backends{cluster=\"app\",state=\"healthy\"}"], Is.EqualTo(1));
        Assert.That(scrape.Sum("polybalance_backends"), Is.EqualTo(2));
    }

    [Test]
    public async Task Stale_connections_are_counted_by_what_became_of_them()
    {
        await StartAsync(Exposed + OneWith("retries: off"));
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await AnswerAsync(client, backend);

        // Closed while a GET is on its way: sent again. Closed while a POST is: lost. Closed while idle: seen in time.
        await client.SendGetAsync();
        await backend.ReadHeadAsync();
        backend.Close();
        backend = await World.Backend("a").AcceptAsync();
        await AnswerAsync(client, backend);
        await client.SendPostAsync("once");
        await backend.ReadRequestAsync();
        backend.Close();
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(502));
        await client.SendGetAsync();
        backend = await World.Backend("a").AcceptAsync();
        await AnswerAsync(client, backend);
        await Eventually.HoldsAsync(() => Pool.Idle == 1, () => "the connection is idle");
        backend.Close();
        await Eventually.HoldsAsync(() => Pool.Idle == 0, () => "the close is seen");

        var scrape = await ScrapeAsync(after: 4);

        foreach (var action in (string[])["resent", "failed", "discarded"])
            Assert.That(scrape[$"stale_connections_total{{action=\"{action}\"}}"], Is.EqualTo(1), action);
        Assert.That(scrape.Sum("polybalance_retries_total"), Is.Zero, "a resend is no retry");
        Assert.That(scrape.Sum("polybalance_backend_errors_total"), Is.Zero);
    }

    [Test]
    public async Task A_tunnel_is_measured_up_to_the_switch()
    {
        await StartAsync(Exposed + One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync("/", "Connection: upgrade\r\nUpgrade: websocket\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        await client.ReadHeadAsync();
        World.Clock.Advance(TimeSpan.FromMinutes(5));
        client.Close();
        backend.Close();

        var scrape = await ScrapeAsync(after: 1);

        Assert.That(scrape[Requests("101", "GET")], Is.EqualTo(1));
        Assert.That((scrape["request_duration_seconds_sum"], scrape["proxy_overhead_seconds_sum"]), Is.EqualTo((0, 0)));
        Assert.That(scrape[OfA("backend_request_duration_seconds_bucket", "le=\"0.001\"")], Is.EqualTo(1));
    }

    [Test]
    public async Task Metrics_are_text_for_GET_and_HEAD_and_nothing_else()
    {
        await StartAsync(Exposed + One);
        var client = await World.ConnectAsync();

        var got = await client.GetAsync("/metrics");
        await client.SendAsync("HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
        var head = await client.ReadResponseAsync(hasBody: false);
        await client.SendAsync("DELETE /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
        var refused = await client.ReadResponseAsync();

        Assert.That((got.Status, got["Content-Type"]), Is.EqualTo((200, "text/plain; version=0.0.4; charset=utf-8")));
        Assert.That((head.Status, head["Content-Type"], head.Length > 1000),
            Is.EqualTo((200, got["Content-Type"], true)));
        Assert.That((refused.Status, refused["Allow"]), Is.EqualTo((405, "GET, HEAD")));
    }

    [Test]
    public async Task A_listener_answers_only_what_it_exposes()
    {
        await StartAsync("listeners: [ { bind: \"127.0.0.1:8000\", expose: [ readyz ] } ]\n" + One);
        World.Backend("a").Answers(ScriptedBackend.Ok("theirs"));
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync("/metrics")).Text, Is.EqualTo("theirs"));
        Assert.That((await client.GetAsync("/healthz")).Text, Is.EqualTo("theirs"));
        Assert.That((await client.GetAsync("/readyz")).Text, Is.EqualTo("{\"status\":\"ready\",\"reasons\":[]}\n"));
    }

    [Test]
    public async Task Who_has_no_eligible_backend_is_alive_and_not_ready()
    {
        await StartAsync(Exposed + "clusters: { app: { backends: [] } }");
        var client = await World.ConnectAsync();

        var ready = await client.GetAsync("/readyz");

        Assert.That((ready.Status, ready["Content-Type"], ready.Text), Is.EqualTo(
            (503, "application/json", "{\"status\":\"not_ready\",\"reasons\":[\"no_eligible_backend\"]}\n")));
        Assert.That((await client.GetAsync("/healthz")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Who_is_told_to_stop_is_not_ready_and_serves_on()
    {
        await StartAsync(Exposed + One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();
        Assert.That((await client.GetAsync("/readyz")).Status, Is.EqualTo(200));

        World.Server.AnnounceDrain();
        var ready = await client.GetAsync("/readyz");

        Assert.That((ready.Status, ready.Text),
            Is.EqualTo((503, "{\"status\":\"not_ready\",\"reasons\":[\"draining\"]}\n")));
        Assert.That((await client.GetAsync()).Status, Is.EqualTo(200));
    }

    private ConnectionPool Pool => World.Server.Store.Current.Clusters[0].Backends[0].Pool;

    private static string Requests(string code, string method, string route = "/")
        => $"requests_total{{cluster=\"app\",route=\"{route}\",code=\"{code}\",method=\"{method}\"}}";

    private static async Task AnswerAsync(ScriptedClient client, ScriptedConnection backend)
    {
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();
    }

    private string OfA(string metric, string label = "")
        => $"{metric}{{cluster=\"app\",backend=\"{World.Backend("a").Address}\""
            + $"{(label.Length > 0 ? "," : "")}{label}}}";

    // An exchange is counted before it is recorded, and after its client has the response.
    private async Task<Scrape> ScrapeAsync(int after)
    {
        await Eventually.HoldsAsync(() => World.RecordCount >= after, () => $"{World.RecordCount} records are {after}");
        var client = await World.ConnectAsync();
        return new((await client.GetAsync("/metrics")).Text);
    }
}
