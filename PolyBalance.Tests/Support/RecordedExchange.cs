using System.Text;
using System.Threading.Channels;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Support;

/// <summary>What was recorded of one exchange, copied out of the lent memory.</summary>
internal sealed record RecordedExchange(
    string Method, string Target, string Host, string Cluster, string ClientAddress, string Backend, int Status,
    string Reason, int Attempts, long BytesIn, long BytesOut, string RequestId, TimeSpan Duration, string[] Details,
    SessionResult Session, ExchangeTiming Timing, string End, AttemptRecord[] AttemptDetails, string TraceId,
    TimeSpan TimeToFirstByte)
{
    /// <summary>Copies a record.</summary>
    public static RecordedExchange Of(in ExchangeRecord record) => new(
        Text(record.Method), Text(record.Target), Text(record.Host), record.Cluster, record.ClientAddress,
        record.BackendAddress, record.Status, record.Reason, record.Attempts, record.BytesIn, record.BytesOut,
        Text(record.RequestId), record.Duration, DetailsOf(record),
        record.Session, record.Timing, $"{record.Side} {record.FailedPhase}", record.AttemptDetails.ToArray(),
        Text(record.TraceId), record.TimeToFirstByte);

    /// <summary>What operators look at first: status, reason and the number of attempts.</summary>
    public (int Status, string Reason, int Attempts) Outcome => (Status, Reason, Attempts);

    private static string[] DetailsOf(in ExchangeRecord record)
    {
        var details = new List<string>();
        foreach (var attempt in record.AttemptDetails.Span)
            details.Add($"{attempt.Reason} {attempt.Status}");
        return [.. details];
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.Latin1.GetString(bytes.Span);
}

/// <summary>Keeps what is recorded, in its order.</summary>
internal sealed class RecordingSink : IExchangeSink
{
    private readonly Channel<RecordedExchange> _records = Channel.CreateUnbounded<RecordedExchange>();
    private int _count;

    /// <summary>How many there were.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The next record.</summary>
    public Task<RecordedExchange> NextAsync()
        => _records.Reader.ReadAsync().InTime();

    /// <inheritdoc/>
    public void Record(in ExchangeRecord exchange)
    {
        _records.Writer.TryWrite(RecordedExchange.Of(exchange));
        Interlocked.Increment(ref _count);
    }
}
