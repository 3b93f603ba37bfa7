using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using OpenTelemetry;
using PolyBalance.Configuration;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Host;

/// <summary>From the end of a span to a collector, or to a count of what was lost.</summary>
[NonParallelizable]     // every export hears the spans of every gateway of the process
internal sealed class TraceExportTests
{
    private readonly ActivitySource _source = new(SpanSource.Name);

    [OneTimeTearDown]
    public void End() => _source.Dispose();

    [Test]
    public async Task Spans_that_wait_at_the_end_are_sent_before_it()
    {
        await using var collector = new OtlpCollector();
        var exports = new TraceExports(NullLogger.Instance);
        exports.Adopt(To(collector) with { Name = "edge" });
        var traceId = End(count: 1_500);
        exports.Dispose();

        Assert.That(collector.Spans.Count(span => span.TraceId == traceId), Is.EqualTo(1_500));
        Assert.That(collector.Spans.Select(span => span.Gateway).Distinct(), Is.EqualTo((string[])["edge"]));
        Assert.That(collector.Requests, Is.All.StartsWith("POST /v1/traces HTTP/1.1\r\n"));
        Assert.That(exports.Dropped, Is.Zero);
    }

    [Test]
    public async Task Spans_are_sent_while_others_come()
    {
        await using var collector = new OtlpCollector();
        using var exports = new TraceExports(NullLogger.Instance);
        exports.Adopt(To(collector));
        var traceId = End(count: 1);

        await Eventually.HoldsAsync(
            () => collector.Spans.Any(span => span.TraceId == traceId), () => "the span is there");
        Assert.That(collector.Spans.First(span => span.TraceId == traceId).Gateway, Is.EqualTo("polybalance"));
    }

    [Test]
    public async Task What_the_collector_refuses_is_counted_and_told()
    {
        await using var collector = new OtlpCollector { Status = "400 Bad Request" };
        var lines = new LogLines();
        var exports = new TraceExports(lines);
        exports.Adopt(To(collector));
        End(count: 700);
        exports.Dispose();

        Assert.That(exports.Dropped, Is.EqualTo(700));
        Assert.That(lines.All,
            Has.Some.Match($"^W Traces: [0-9]+ spans lost \\({collector.Address}.* does not take them"));
    }

    [Test]
    public async Task After_a_reload_spans_go_where_it_says_and_none_goes_twice()
    {
        await using var first = new OtlpCollector();
        await using var second = new OtlpCollector();
        var exports = new TraceExports(NullLogger.Instance);
        exports.Adopt(To(first));
        var before = End(count: 10);
        exports.Adopt(To(second));
        var after = End(count: 10);
        exports.Adopt(To(second) with { SamplePerMillion = 0 });
        var same = End(count: 10);
        exports.Adopt(null);
        End(count: 10);
        await Eventually.HoldsAsync(
            () => first.Spans.Count == 10 && second.Spans.Count == 20, () => "every span is where it belongs");
        exports.Dispose();

        Assert.That(first.Spans.Select(span => span.TraceId), Is.All.EqualTo(before));
        Assert.That(second.Spans.Select(span => span.TraceId).Distinct(), Is.EqualTo((string[])[after, same]));
        Assert.That(exports.Dropped, Is.Zero);
    }

    [Test]
    public void No_more_spans_wait_than_there_is_room_for()
    {
        using var held = new ManualResetEventSlim();
        var losses = new SpanLosses(NullLogger.Instance);
        using var exporter = new HeldExporter(held);
        using var queue = new SpanQueue(exporter, "nobody", losses) { IsOpen = true };
        using var span = new Activity("span");

        var given = 3 * SpanQueue.SpansMax;
        for (var count = 0; count < given; count++)
            queue.OnEnd(span);
        var lost = losses.Total;
        held.Set();
        queue.Shutdown();

        Assert.That(lost, Is.GreaterThanOrEqualTo(given - SpanQueue.SpansMax));
        Assert.That(exporter.Sent + losses.Total, Is.EqualTo(given));
    }

    private static TracingOptions To(OtlpCollector collector)
        => new() { Collector = new(collector.Address), Protocol = TracingProtocol.Http };

    private string End(int count)
    {
        var traceId = ActivityTraceId.CreateRandom();
        var parent = new ActivityContext(traceId, ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded);
        for (var index = 0; index < count; index++)
            _source.StartActivity("span", ActivityKind.Server, parent)?.Dispose();
        return traceId.ToHexString();
    }

    /// <summary>Takes nothing before it is let go.</summary>
    private sealed class HeldExporter(ManualResetEventSlim held) : BaseExporter<Activity>
    {
        public long Sent { get; private set; }

        public override ExportResult Export(in Batch<Activity> batch)
        {
            held.Wait();
            Sent += batch.Count;
            return ExportResult.Success;
        }
    }
}
