using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using PolyBalance.Telemetry;

namespace PolyBalance.Host;

/// <summary>Writes one line per finished exchange, without holding up the thread that finished it.</summary>
/// <remarks>
/// <see cref="Record"/> copies the record into a pooled entry and queues it: no lock, no wait, and no allocation once
/// the pool is warm. One thread formats and writes in batches, at the latest 100 ms after a record came. When it cannot
/// keep up, because the disk or the reader of the pipe stands still, the queue stays bounded and further lines are
/// counted as lost.
/// </remarks>
internal sealed class AccessLog : IExchangeSink, IDisposable
{
    /// <summary>Records that may wait to be written. Unit: records.</summary>
    public const int PendingRecordsMax = 16_384;

    /// <summary>Text that may wait to be written, before formatting. Unit: bytes.</summary>
    public const int PendingBytesMax = 8 * 1024 * 1024;

    /// <summary>How long a record waits for company before it is written.</summary>
    public static readonly TimeSpan BatchDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>At most one warning about lost lines in this time.</summary>
    public static readonly TimeSpan WarningInterval = TimeSpan.FromSeconds(10);

    private const int BatchBytes = 64 * 1024;
    private const int IdleEntriesMax = 2_048;

    // What a clean exit waits for at most, when whoever reads the log has stopped reading.
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<AccessEntry> _pending = new();
    private readonly ConcurrentQueue<AccessEntry> _idle = new();
    private readonly ArrayBufferWriter<byte> _batch = new(2 * BatchBytes);
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly IAccessFormat _format;
    private readonly AccessOutput _output;
    private readonly ILogger _logger;
    private readonly Thread _writer;
    private readonly ITimer _warnings;

    private int _pendingRecords;
    private int _pendingBytes;
    private int _isAsleep;
    private int _idleEntries;
    private long _dropped;
    private long _droppedReported;
    private string? _writeProblem;
    private volatile bool _stopping;
    private volatile bool _mustReopen;
    private int _batchLines;
    private bool _lineMayBeCut;

    /// <summary>Starts the writer thread.</summary>
    /// <param name="format">How a line looks.</param>
    /// <param name="output">Where lines go; disposed with the log.</param>
    /// <param name="logger">Where lost lines are reported.</param>
    /// <param name="time">The clock of the warnings.</param>
    public AccessLog(IAccessFormat format, AccessOutput output, ILogger logger, TimeProvider time)
    {
        (_format, _output, _logger) = (format, output, logger);
        _warnings = time.CreateTimer(_ => ReportDropped(), null, WarningInterval, WarningInterval);
        _writer = new Thread(WriteUntilStopped) { IsBackground = true, Name = "access log" };
        _writer.Start();
    }

    /// <summary>Lines lost so far, because too many waited or because they could not be written.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Queues one record. Any thread; never waits, never throws.</summary>
    /// <param name="exchange">Copied before this returns.</param>
    public void Record(in ExchangeRecord exchange)
    {
        var length = AccessEntry.LengthOf(exchange);
        if (_stopping || !TryReserve(length, out var pendingBytes))
        {
            Interlocked.Increment(ref _dropped);
            return;
        }

        if (_idle.TryDequeue(out var entry))
            Interlocked.Decrement(ref _idleEntries);
        else
            entry = new AccessEntry();
        entry.Take(exchange, length);
        _pending.Enqueue(entry);

        // One wake-up per batch: when the writer sleeps, or when this record makes a batch full.
        var fillsBatch = pendingBytes >= BatchBytes && pendingBytes - length < BatchBytes;
        if (fillsBatch || (Volatile.Read(ref _isAsleep) == 1 && Interlocked.Exchange(ref _isAsleep, 0) == 1))
            _wake.Set();
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
            Interlocked.Add(ref _dropped, Volatile.Read(ref _pendingRecords));
        ReportDropped();
        if (!finished)
            return;

        // Not the event: a record or a signal that comes now may still set it.
        _output.Dispose();
        (_format as IDisposable)?.Dispose();
    }

    /// <summary>Logs how many lines were lost since the last time, if any were.</summary>
    internal void ReportDropped()
    {
        var dropped = Dropped;
        var before = Interlocked.Exchange(ref _droppedReported, dropped);
        if (dropped > before)
            HostLog.AccessLinesLost(_logger, dropped - before, _writeProblem ?? "they cannot be written fast enough");
    }

    private bool TryReserve(int length, out int pendingBytes)
    {
        pendingBytes = 0;
        if (Interlocked.Increment(ref _pendingRecords) <= PendingRecordsMax)
        {
            pendingBytes = Interlocked.Add(ref _pendingBytes, length);
            if (pendingBytes <= PendingBytesMax)
                return true;

            Interlocked.Add(ref _pendingBytes, -length);
        }

        Interlocked.Decrement(ref _pendingRecords);
        return false;
    }

    private void WriteUntilStopped()
    {
        while (!_stopping || Volatile.Read(ref _pendingRecords) > 0)
        {
            WaitForBatch();
            WriteBatch();
        }
    }

    private void WaitForBatch()
    {
        // Both sides write first and read second, with a full fence between: a record that came before the writer fell
        // asleep is seen here, one that came later sees the writer asleep.
        Interlocked.Exchange(ref _isAsleep, 1);
        if (Volatile.Read(ref _pendingRecords) == 0 && !_stopping && !_mustReopen)
            _wake.WaitOne();

        Interlocked.Exchange(ref _isAsleep, 0);
        if (Volatile.Read(ref _pendingBytes) < BatchBytes && !_stopping && !_mustReopen)
            _wake.WaitOne(BatchDelay);
    }

    private void WriteBatch()
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

        while (_pending.TryDequeue(out var entry))
        {
            _format.Write(entry.Exchange, _batch);
            _batchLines++;
            Release(entry);
            if (_batch.WrittenCount >= BatchBytes)
                Flush();
        }

        Flush();
    }

    private void Release(AccessEntry entry)
    {
        Interlocked.Add(ref _pendingBytes, -entry.Length);
        Interlocked.Decrement(ref _pendingRecords);
        if (!entry.TryClear())
            return;

        if (Interlocked.Increment(ref _idleEntries) <= IdleEntriesMax)
            _idle.Enqueue(entry);
        else
            Interlocked.Decrement(ref _idleEntries);
    }

    private void Flush()
    {
        if (_batchLines == 0)
            return;

        try
        {
            // After a failure the file may end in half a line; the next one must not be glued to it.
            if (_lineMayBeCut)
                _output.Write("\n"u8);
            _lineMayBeCut = true;
            _output.Write(_batch.WrittenSpan);
            _lineMayBeCut = false;
            _writeProblem = null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _writeProblem = failure.Message;
            Interlocked.Add(ref _dropped, _batchLines);
        }

        _batch.ResetWrittenCount();
        _batchLines = 0;
    }

    private void Report(AccessReopening reopening)
    {
        if (reopening.Problem is { } problem)
            HostLog.AccessFileNotReopened(_logger, _output.Name, problem);
        else if (reopening.IsReopened)
            HostLog.AccessFileReopened(_logger, _output.Name);
    }
}
