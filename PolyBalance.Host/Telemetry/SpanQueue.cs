using System.Collections.Concurrent;
using System.Diagnostics;
using OpenTelemetry;

namespace PolyBalance.Host.Telemetry;

/// <summary>Spans on their way to the collector: from whatever thread ends one to one thread that sends them.</summary>
/// <remarks>
/// Any thread gives spans and waits for nothing. So many wait at most; what does not fit, and what the collector does
/// not take, is counted and told once in a while. The batch processor of the library would do the same, but tells
/// nobody what it loses.
/// </remarks>
internal sealed class SpanQueue : BaseExportProcessor<Activity>
{
    /// <summary>So many wait at most: with what they say, some 16 MiB.</summary>
    public const int SpansMax = 8_192;

    private const int BatchSpans = 512;

    /// <summary>How long a span waits for company.</summary>
    private static readonly TimeSpan BatchDelay = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<Activity> _waiting = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Activity[] _batch = new Activity[BatchSpans];
    private readonly SpanLosses _losses;
    private readonly string _collector;
    private readonly Thread _sender;
    private int _count;
    private volatile bool _isOpen;
    private volatile bool _isStopping;

    /// <summary>Starts the thread; spans are taken once <see cref="IsOpen"/>.</summary>
    /// <param name="exporter">Sends a batch; called by that thread only.</param>
    /// <param name="collector">What messages call whom it is sent to.</param>
    /// <param name="losses">Counts what is lost.</param>
    public SpanQueue(BaseExporter<Activity> exporter, string collector, SpanLosses losses)
        : base(exporter)
    {
        (_collector, _losses) = (collector, losses);
        _sender = new Thread(SendUntilStopped) { IsBackground = true, Name = "traces" };
        _sender.Start();
    }

    /// <summary>Whether spans are taken; those that come otherwise are somebody else's. Any thread.</summary>
    public bool IsOpen
    {
        get => _isOpen;
        set => _isOpen = value;
    }

    /// <inheritdoc/>
    protected override void OnExport(Activity data)
    {
        if (!_isOpen)
            return;

        var count = Interlocked.Increment(ref _count);
        if (count > SpansMax)
        {
            Interlocked.Decrement(ref _count);
            _losses.Add(1, "they cannot be sent fast enough");
            return;
        }

        _waiting.Enqueue(data);
        if (count == BatchSpans)
            _wake.Set();
    }

    /// <inheritdoc/>
    /// <remarks>Sends what waits, as far as the time suffices.</remarks>
    protected override bool OnShutdown(int timeoutMilliseconds)
    {
        _isOpen = false;
        _isStopping = true;
        _wake.Set();
        var isSent = _sender.Join(timeoutMilliseconds);
        if (!isSent)
            _losses.Add(Volatile.Read(ref _count), $"{_collector} does not take them in time");
        _losses.Report();
        return isSent && base.OnShutdown(timeoutMilliseconds);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_sender.IsAlive)
            _wake.Dispose();
        base.Dispose(disposing);
    }

    private void SendUntilStopped()
    {
        bool isLast;
        do
        {
            _wake.WaitOne(BatchDelay);
            isLast = _isStopping;
            while (SendBatch())
            {
            }

            _losses.ReportNowAndThen();
        }
        while (!isLast);
    }

    // False when nothing waits any more.
    private bool SendBatch()
    {
        var length = 0;
        while (length < _batch.Length && _waiting.TryDequeue(out var span))
            _batch[length++] = span;
        if (length == 0)
            return false;

        if (Export(new Batch<Activity>(_batch, length)) != ExportResult.Success)
            _losses.Add(length, $"{_collector} does not take them");
        Interlocked.Add(ref _count, -length);
        _batch.AsSpan(0, length).Clear();
        return true;
    }

    private ExportResult Export(Batch<Activity> batch)
    {
        // What the exporter itself sends is no part of any trace.
        using var scope = SuppressInstrumentationScope.Begin();
        return exporter.Export(batch);
    }
}
