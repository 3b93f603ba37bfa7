using Microsoft.Extensions.Logging;
using PolyBalance.Telemetry;

namespace PolyBalance.Host.Telemetry;

/// <summary>Writes one line per finished exchange, without holding up the thread that finished it.</summary>
/// <remarks>
/// <see cref="Record"/> formats the line into the buffer of its thread's lane: nobody else touches that, nearly always,
/// and nothing is allocated once the buffers are there. One thread writes what all lanes have: when a few buffers are
/// full, and at the latest 100 ms after a line came. When it cannot keep up, because the disk or the reader of the pipe
/// stands still, what waits stays bounded and further lines are counted as lost.
/// </remarks>
internal sealed class AccessLog : IExchangeSink, IDisposable
{
    /// <summary>Memory of the lines that wait to be written. Unit: bytes.</summary>
    public const int PendingBytesMax = AccessBuffers.RentedBytesMax;

    /// <summary>How long a line waits for company before it is written.</summary>
    public static readonly TimeSpan BatchDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>At most one warning about lost lines in this time.</summary>
    public static readonly TimeSpan WarningInterval = TimeSpan.FromSeconds(10);

    // Waking the writer, and all it does once per batch, costs more than writing a buffer: its thread took 0.84 µs a
    // line with batches of one, and takes 0.40 µs with four. They are still a small part of what may be out.
    private static readonly int FullBuffersMin = Math.Max(256 * 1024 / AccessBuffers.UsualLength, 1);

    // What a clean exit waits for at most, when whoever reads the log has stopped reading.
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(5);

    private readonly AccessLane[] _lanes = new AccessLane[AccessBuffers.Lanes];
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly AccessBatch _batch;
    private readonly AccessOutput _output;
    private readonly ILogger _logger;
    private readonly Thread _writer;
    private readonly ITimer _warnings;

    private volatile WriterState _state;
    private int _fullBuffers;           // that wait; no fewer
    private long _dropped;
    private long _droppedReported;
    private volatile bool _stopping;
    private volatile bool _mustReopen;

    /// <summary>Starts the writer thread.</summary>
    /// <param name="format">How a line looks.</param>
    /// <param name="output">Where lines go; disposed with the log.</param>
    /// <param name="logger">Where lost lines are reported.</param>
    /// <param name="time">The clock of the warnings.</param>
    public AccessLog(IAccessFormat format, AccessOutput output, ILogger logger, TimeProvider time)
    {
        (_output, _logger) = (output, logger);
        var buffers = new AccessBuffers();
        _batch = new(output, buffers);
        for (var index = 0; index < _lanes.Length; index++)
            _lanes[index] = new(format, buffers);

        _warnings = time.CreateTimer(_ => ReportDropped(), null, WarningInterval, WarningInterval);
        _writer = new Thread(WriteUntilStopped) { IsBackground = true, Name = "access log" };
        _writer.Start();
    }

    /// <summary>Lines lost so far, because too many waited or because they could not be written.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Formats one record. Any thread; never waits for the output, never throws.</summary>
    /// <param name="exchange">Of no use to the log any more when this returns.</param>
    public void Record(in ExchangeRecord exchange)
    {
        // Threads get their numbers one after the other, so those that end exchanges fall into different lanes.
        var own = Environment.CurrentManagedThreadId & (_lanes.Length - 1);
        switch (_lanes[own].Append(exchange))
        {
            case AccessNews.Lost:
                Interlocked.Increment(ref _dropped);
                break;

            case AccessNews.FirstLine when _state == WriterState.Asleep:
                WakeWriter();
                break;

            case AccessNews.FullBuffer when Interlocked.Increment(ref _fullBuffers) >= FullBuffersMin
                && _state != WriterState.Awake:
                WakeWriter();
                break;
        }
    }

    /// <summary>Opens the log's file anew before the next line, for whoever has moved it away. Any thread.</summary>
    public void Reopen()
    {
        _mustReopen = true;
        _wake.Set();
    }

    /// <summary>Writes what waits and closes the output. Nothing is lost unless the output stands still.</summary>
    public void Dispose()
    {
        if (_stopping)
            return;

        _stopping = true;
        _wake.Set();
        var finished = _writer.Join(FlushTimeout);
        _warnings.Dispose();
        if (!finished)
            GiveUp();
        ReportDropped();

        // Not the event: a record or a signal that comes now may still set it.
        if (finished)
            _output.Dispose();
    }

    /// <summary>Logs how many lines were lost since the last time, if any were.</summary>
    internal void ReportDropped()
    {
        var dropped = Dropped;
        var before = Interlocked.Exchange(ref _droppedReported, dropped);
        if (dropped > before)
            HostLog.AccessLinesLost(_logger, dropped - before, _batch.Problem ?? "they cannot be written fast enough");
    }

    private void WakeWriter()
    {
        // One of all who saw it waiting.
        if (Interlocked.Exchange(ref _state, WriterState.Awake) != WriterState.Awake)
            _wake.Set();
    }

    private void WriteUntilStopped()
    {
        bool isLast;
        do
        {
            WaitForBatch();
            isLast = _stopping;
            WriteBatch(isLast);
        }
        while (!isLast);
    }

    private void WaitForBatch()
    {
        // Each state is announced first and the lanes are looked at second, under their locks: a line that came before
        // the look is seen here, one that came later sees the state. The fence does for the count what the locks do.
        _state = WriterState.Asleep;
        if (!HasLines() && !_stopping && !_mustReopen)
            _wake.WaitOne();

        _state = WriterState.Dozing;
        Interlocked.MemoryBarrier();
        if (_fullBuffers < FullBuffersMin && !_stopping && !_mustReopen)
            _wake.WaitOne(BatchDelay);

        _state = WriterState.Awake;
    }

    private bool HasLines()
    {
        foreach (var lane in _lanes)
        {
            if (lane.HasLines)
                return true;
        }

        return false;
    }

    private void WriteBatch(bool isLast)
    {
        if (_mustReopen)
        {
            _mustReopen = false;
            Report(_output.Reopen());
        }
        else
        {
            Report(_output.ReopenIfMoved());
        }

        // Before the lanes: what fills up meanwhile counts for the next batch, perhaps in vain.
        Interlocked.Exchange(ref _fullBuffers, 0);
        foreach (var lane in _lanes)
        {
            if (lane.Take(close: isLast) is { } first)
                _batch.Add(first);
        }

        Interlocked.Add(ref _dropped, _batch.Write());
    }

    // The writer still stands in the output, and the process is about to end.
    private void GiveUp()
    {
        Interlocked.Add(ref _dropped, _batch.Waiting);
        foreach (var lane in _lanes)
        {
            for (var buffer = lane.Take(close: true); buffer is not null; buffer = buffer.Next)
                Interlocked.Add(ref _dropped, buffer.LineCount);
        }
    }

    private void Report(AccessReopening reopening)
    {
        if (reopening.Problem is { } problem)
            HostLog.AccessFileNotReopened(_logger, _output.Name, problem);
        else if (reopening.IsReopened)
            HostLog.AccessFileReopened(_logger, _output.Name);
    }

    /// <summary>What the writer thread does, and so what it must be woken for.</summary>
    private enum WriterState
    {
        /// <summary>It works, and looks at the lanes before it waits again.</summary>
        Awake,

        /// <summary>Nothing waits: the first line wakes it.</summary>
        Asleep,

        /// <summary>Lines wait for company, for 100 ms at most: a few full buffers wake it.</summary>
        Dozing,
    }
}
