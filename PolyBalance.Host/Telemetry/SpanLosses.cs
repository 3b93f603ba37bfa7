using Microsoft.Extensions.Logging;

namespace PolyBalance.Host.Telemetry;

/// <summary>Spans that were lost, wherever they were to be sent.</summary>
/// <remarks>Any thread.</remarks>
/// <param name="logger">Hears of them, once in a while.</param>
internal sealed class SpanLosses(ILogger logger)
{
    private static readonly TimeSpan WarningInterval = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();        // guards what is reported
    private long _total;
    private long _reported;
    private long _reportedAt = long.MinValue;
    private volatile string _reason = "";

    /// <summary>How many, since the start.</summary>
    public long Total => Interlocked.Read(ref _total);

    /// <summary>Takes note of some.</summary>
    /// <param name="spans">How many.</param>
    /// <param name="reason">Why, as part of a sentence.</param>
    public void Add(int spans, string reason)
    {
        _reason = reason;
        Interlocked.Add(ref _total, spans);
    }

    /// <summary>Logs how many were lost since the last time, unless that was a moment ago.</summary>
    public void ReportNowAndThen()
    {
        if (Environment.TickCount64 >= Volatile.Read(ref _reportedAt))
            Report();
    }

    /// <summary>Logs how many were lost since the last time, if any were.</summary>
    public void Report()
    {
        lock (_gate)
        {
            var total = Total;
            if (total == _reported)
                return;

            HostLog.SpansLost(logger, total - _reported, _reason);
            _reported = total;
            _reportedAt = Environment.TickCount64 + (long)WarningInterval.TotalMilliseconds;
        }
    }
}
