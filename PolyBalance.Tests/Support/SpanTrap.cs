using System.Collections.Concurrent;
using System.Diagnostics;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Support;

/// <summary>Keeps the spans of exchanges that are recorded, whichever gateway records them.</summary>
internal sealed class SpanTrap : IDisposable
{
    private readonly ConcurrentQueue<Activity> _spans = new();
    private readonly ActivityListener _listener;

    /// <summary>Listens from now on.</summary>
    public SpanTrap()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == SpanSource.Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>The spans of one trace, in the order in which they ended.</summary>
    public Activity[] Of(string traceId)
        => [.. _spans.Where(span => span.TraceId.ToHexString() == traceId)];

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
