using System.Diagnostics;
using System.Globalization;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>W3C Trace Context: what the section <c>tracing</c> makes of it.</summary>
internal sealed class TraceScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Client = $"00-{TraceId}-00f067aa0ba902b7";
    private const string Other = "00-aaf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    private const string All = "tracing: { sample: 100% }\n";
    private const string None = "tracing: { sample: 0% }\n";
    private const string Trusting =
        "listeners: [ { bind: \"127.0.0.1:8000\", trusted_proxies: [ 127.0.0.0/8 ] } ]\n";

    [Test]
    public async Task A_trace_that_the_client_began_goes_on_under_a_span_of_ours()
    {
        await StartAsync(None + One);

        var (trace, state) = await ForwardedAsync(
            $"traceparent: {Client}-00\r\ntracestate: a=b\r\ntracestate: c=d\r\n");

        Assert.That(trace[3..35], Is.EqualTo(TraceId));
        Assert.That(trace[36..52], Is.Not.EqualTo(Client[36..]).And.Not.EqualTo("0000000000000000"));
        Assert.That((trace[..3], trace[52..], state), Is.EqualTo(("00-", "-00", "a=b, c=d")));
        Assert.That((await World.RecordAsync()).TraceId, Is.EqualTo(TraceId));
    }

    [TestCase("")]
    [TestCase("traceparent: 00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\r\n")]
    [TestCase($"traceparent: {Client}-01-more\r\n")]
    [TestCase($"traceparent: {Client}-01\r\ntraceparent: {Client}-01\r\n")]
    [TestCase("traceparent:\r\n")]
    public async Task Without_a_trace_that_counts_one_begins_and_nothing_of_the_other_crosses(string lines)
    {
        await StartAsync(Trusting + None + One);

        var (trace, state) = await ForwardedAsync($"{lines}tracestate: a=b\r\n");

        Assert.That(trace, Does.Match("^00-[0-9a-f]{32}-[0-9a-f]{16}-00$"));
        Assert.That(trace, Does.Not.Contain(TraceId[..8]).And.Not.Contain("-0000000000000000-"));
        Assert.That(state, Is.Null);
        Assert.That((await World.RecordAsync()).TraceId, Is.EqualTo(trace[3..35]));
    }

    [TestCase("", 0, "01", ExpectedResult = "00")]
    [TestCase("", 100, "00", ExpectedResult = "01")]
    [TestCase("", 100, null, ExpectedResult = "01")]
    [TestCase(Trusting, 0, "01", ExpectedResult = "01")]
    [TestCase(Trusting, 100, "00", ExpectedResult = "00")]
    [TestCase(Trusting, 100, null, ExpectedResult = "01")]
    [TestCase(Trusting, 0, "01", "trust_parent: false", ExpectedResult = "00")]
    [TestCase(Trusting, 100, "00", "trust_parent: false", ExpectedResult = "01")]
    public async Task<string> Only_a_trusted_client_decides_what_is_recorded(
        string listeners, int percent, string? flags, string keys = "trust_parent: true")
    {
        await StartAsync(string.Create(
            CultureInfo.InvariantCulture, $"{listeners}tracing: {{ sample: {percent}%, {keys} }}\n{One}"));

        var (trace, _) = await ForwardedAsync(flags is null ? "" : $"traceparent: {Client}-{flags}\r\n");

        return trace[53..];
    }

    [Test]
    public async Task Each_attempt_has_a_span_of_its_own_in_one_trace()
    {
        await StartAsync(None + One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var first = await World.Backend("a").AcceptAsync();
        await first.ReadRequestAsync();
        await first.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();
        await client.SendGetAsync(lines: $"traceparent: {Client}-01\r\n");
        var lost = (await first.ReadRequestAsync())["traceparent"]!;
        first.Close();
        var second = await World.Backend("a").AcceptAsync();
        var again = (await second.ReadRequestAsync())["traceparent"]!;
        await second.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That((lost[3..35], again[3..35]), Is.EqualTo((TraceId, TraceId)));
        Assert.That(lost[36..52], Is.Not.EqualTo(again[36..52]));
    }

    [Test]
    public async Task Spans_tell_of_an_exchange_and_of_each_of_its_attempts()
    {
        using var trap = new SpanTrap();
        await StartAsync(All + Two + "\nroutes: [ { match: { path: /shop }, cluster: app } ]");
        World.Backend("a").StopListening();
        var trace = "";
        World.Backend("b").Answers(request =>
        {
            trace = request["traceparent"]!;
            World.Clock.Advance(TimeSpan.FromMilliseconds(250));
            return "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
        });
        var client = await World.ConnectAsync();
        var record = default(RecordedExchange);

        // One of two requests in a row begins at the backend that refuses.
        for (var request = 0; record is not { Attempts: 2 }; request++)
        {
            Assert.That(request, Is.LessThan(2));
            await client.SendAsync("GET /shop/x?y=1&sig=2 HTTP/1.1\r\nHost: shop.example:81\r\nUser-Agent: test\r\n"
                + $"traceparent: {(request == 0 ? Client : Other)}-00\r\ntracestate: a=b\r\n\r\n");
            await client.ReadResponseAsync();
            record = await World.RecordAsync();
        }

        await Eventually.HoldsAsync(() => trap.Of(record.TraceId).Length == 3, () => "three spans have ended");

        // The first request may have gone to it.
        var isReused = World.Backend("b").Requests > 1;
        AssertSpans(trap.Of(record.TraceId), trace[36..52], record.RequestId, isReused);
    }

    private void AssertSpans(Activity[] spans, string sentSpanId, string requestId, bool isReused)
    {
        var (refused, answered, exchange) = (spans[0], spans[1], spans[2]);
        Assert.That((exchange.DisplayName, exchange.Kind), Is.EqualTo(("GET /shop/*", ActivityKind.Server)));
        Assert.That((exchange.ParentSpanId.ToHexString(), exchange.TraceStateString),
            Is.EqualTo(("00f067aa0ba902b7", "a=b")));
        Assert.That(Tags(exchange), Is.SupersetOf((string[])
        [
            "http.request.method=GET", "url.path=/shop/x", "url.query=y=1&sig=REDACTED", "url.scheme=http",
            "server.address=shop.example", "server.port=81", "client.address=127.0.0.1",
            "network.peer.address=127.0.0.1", "network.protocol.version=1.1", "user_agent.original=test",
            "http.route=/shop/*", "http.response.status_code=503", "error.type=503", "polybalance.cluster=app",
            "polybalance.route=/shop", $"polybalance.request_id={requestId}", "polybalance.attempts=2",
            $"polybalance.backend={World.Backend("b").Address}",
        ]));
        Assert.That(exchange.Status, Is.EqualTo(ActivityStatusCode.Error));
        Assert.That(exchange.Duration, Is.EqualTo(TimeSpan.FromMilliseconds(250)));

        Assert.That((refused.Kind, refused.ParentSpanId), Is.EqualTo((ActivityKind.Client, exchange.SpanId)));
        Assert.That(Tags(refused),
            Is.SupersetOf((string[])["error.type=connect_refused", "server.address=127.0.0.1"]));
        Assert.That(Tags(refused).Where(tag => tag.StartsWith("http.re", StringComparison.Ordinal)),
            Is.EqualTo((string[])["http.request.method=GET"]), "nothing came back");

        Assert.That((answered.ParentSpanId, answered.SpanId.ToHexString()),
            Is.EqualTo((exchange.SpanId, sentSpanId)), "the backend's parent is its attempt");
        Assert.That(Tags(answered), Is.SupersetOf((string[])
        [
            "http.request.resend_count=1", "http.response.status_code=503", "error.type=503",
            $"url.full=http://{World.Backend("b").Address}/shop/x?y=1&sig=REDACTED", "network.peer.address=127.0.0.1",
            $"polybalance.connection.reused={isReused}",
        ]));
    }

    [Test]
    public async Task The_span_of_a_refused_request_says_why_and_whose_fault_it_was()
    {
        using var trap = new SpanTrap();
        await StartAsync(
            All + "clusters: { app: { backends: [] } }\nroutes: [ { match: { path: /a }, cluster: app } ]");
        var client = await World.ConnectAsync();
        await client.SendAsync("BREW /b HTTP/1.1\r\nHost: h\r\n\r\n");
        await client.ReadResponseAsync();
        await client.GetAsync("/a");

        var unrouted = await SpanAsync(trap);
        var none = await SpanAsync(trap);

        Assert.That((unrouted.DisplayName, unrouted.Status), Is.EqualTo(("HTTP", ActivityStatusCode.Unset)));
        Assert.That(Tags(unrouted), Is.SupersetOf((string[])
        [
            "http.request.method=_OTHER", "http.request.method_original=BREW", "http.response.status_code=404",
            "error.type=no_route",
        ]));
        Assert.That((none.DisplayName, none.Status), Is.EqualTo(("GET /a/*", ActivityStatusCode.Error)));
        Assert.That(Tags(none), Is.SupersetOf((string[])
            ["http.response.status_code=503", "error.type=no_eligible_backend", "polybalance.phase=select"]));
    }

    private async Task<Activity> SpanAsync(SpanTrap trap)
    {
        var traceId = (await World.RecordAsync()).TraceId;
        await Eventually.HoldsAsync(() => trap.Of(traceId).Length == 1, () => "its span has ended");
        return trap.Of(traceId)[0];
    }

    private static string[] Tags(Activity span)
        => [.. span.TagObjects.Select(tag => string.Create(CultureInfo.InvariantCulture, $"{tag.Key}={tag.Value}"))];

    // What a backend hears of a request's trace.
    private async Task<(string Trace, string? State)> ForwardedAsync(string lines)
    {
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: lines);
        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();
        var states = request.Lines.Where(line => line.StartsWith("tracestate: ", StringComparison.Ordinal))
            .Select(line => line[12..]).ToList();
        Assert.That(request.Lines.Count(line => line.StartsWith("traceparent", StringComparison.Ordinal)),
            Is.EqualTo(1));
        return (request["traceparent"]!, states.Count == 0 ? null : string.Join(", ", states));
    }
}
