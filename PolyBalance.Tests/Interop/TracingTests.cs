using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>Traces of a real run, as an OTLP collector gets them.</summary>
[Platform("Linux", Reason = "signals")]
internal sealed class TracingTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Test]
    public async Task A_collector_gets_the_span_of_an_exchange_and_under_it_those_of_its_attempts()
    {
        await using var collector = new OtlpCollector();
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(
            Transports.Auto, [node.Address],
            more: $"tracing: {{ endpoint: \"{collector.Address}\", protocol: http, sample: 100% }}\n");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/a?b=c");
        request.Headers.Add("traceparent", $"00-{TraceId}-00f067aa0ba902b7-01");
        using var response = await gateway.Http.SendAsync(request);
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        gateway.AssertHealthy();
        Assert.That((await gateway.StopAsync()).ExitCode, Is.Zero, "what waits is sent before the end");

        var exchange = collector.Spans.Single(span => span.TraceId == TraceId && span.Kind == 2);
        var attempt = collector.Spans.Single(span => span.TraceId == TraceId && span.Kind == 3);
        var line = gateway.AccessLines().Single();
        Assert.That((exchange.ParentId, exchange.Name, exchange.Gateway),
            Is.EqualTo(("00f067aa0ba902b7", "GET /*", "polybalance")));
        Assert.That((attempt.ParentId, attempt.Name), Is.EqualTo((exchange.SpanId, "GET")));
        Assert.That((exchange.Attributes["url.path"], exchange.Attributes["url.query"]), Is.EqualTo(("/a", "b=c")));
        Assert.That(exchange.Attributes["http.response.status_code"], Is.EqualTo("200"));
        Assert.That(attempt.Attributes["polybalance.backend"], Is.EqualTo(node.Address));
        Assert.That(attempt.Duration, Is.LessThanOrEqualTo(exchange.Duration));
        Assert.That(exchange.Duration.TotalMilliseconds,
            Is.EqualTo(line.GetProperty("latency_ms").GetDouble()).Within(0.01));
        Assert.That(line.GetProperty("trace_id").GetString(), Is.EqualTo(TraceId));
    }

    [Test]
    public async Task A_collector_that_is_not_there_costs_spans_and_nothing_else()
    {
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(
            Transports.Auto, [node.Address],
            more: "tracing: { endpoint: \"http://127.0.0.1:1\", sample: 100% }\n", expose: "metrics");

        for (var count = 0; count < 20; count++)
            await gateway.GetAsync($"/{count}");
        await gateway.LogLineAsync("spans lost (http://127.0.0.1:1/ does not take them); traffic goes on");

        Assert.That(await gateway.GetAsync("/metrics"), Does.Match("polybalance_spans_dropped_total [1-9]"));
        gateway.AssertHealthy();
        Assert.That((await gateway.StopAsync()).ExitCode, Is.Zero);
    }
}
