using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>Turns counters that only grow into what happened lately. One owner.</summary>
internal sealed class RateTrack
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private long _count = -1;           // none was seen yet
    private long _failures;
    private LatencyFold _older = new();
    private LatencyFold _newer = new();
    private TimeSpan _age;              // of _newer

    /// <summary>Looks at the counters.</summary>
    /// <param name="count">What has ended, ever.</param>
    /// <param name="failures">What of it failed, ever.</param>
    /// <param name="fold">How long it took.</param>
    /// <param name="elapsed">Since the last look.</param>
    public RateAnswer Observe(long count, long failures, LatencyFold fold, TimeSpan elapsed)
    {
        if (_count < 0)
        {
            (_count, _failures, _older, _newer) = (count, failures, fold, fold);
            return new(null, null, null, null);
        }

        // Counters of what a reload has replaced begin anew.
        var seconds = Math.Max(elapsed.TotalSeconds, 0.001);
        var ended = Math.Max(count - _count, 0) / seconds;
        var failed = Math.Max(failures - _failures, 0) / seconds;
        (_count, _failures) = (count, failures);

        var recent = fold.Since(_older);
        _age += elapsed;
        if (_age >= Window)
            (_older, _newer, _age) = (_newer, fold, TimeSpan.Zero);
        return new(
            Math.Round(ended, 1), Math.Round(failed, 1), recent.Quantile(0.5)?.TotalMilliseconds,
            recent.Quantile(0.99)?.TotalMilliseconds);
    }
}
