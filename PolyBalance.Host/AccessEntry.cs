using PolyBalance.Telemetry;

namespace PolyBalance.Host;

/// <summary>
/// A copy of one record that outlives the exchange: what waits in the queue of the access log. Reused.
/// </summary>
/// <remarks>Owned by the thread that took it from the pool, then by the writer thread.</remarks>
internal sealed class AccessEntry
{
    private const int TextLengthKept = 1024;
    private const int AttemptsKept = 8;

    private byte[] _text = new byte[256];
    private AttemptRecord[] _attempts = [];
    private ExchangeRecord _exchange;

    /// <summary>The record; its memory belongs to this entry.</summary>
    public ref readonly ExchangeRecord Exchange => ref _exchange;

    /// <summary>What this entry counts for in the bound of the queue. Unit: bytes.</summary>
    public int Length { get; private set; }

    /// <summary>What an entry for this record would count for. Unit: bytes.</summary>
    public static int LengthOf(in ExchangeRecord exchange)
        => exchange.Method.Length + exchange.Target.Length + exchange.Host.Length + exchange.Referer.Length
            + exchange.UserAgent.Length + exchange.RequestId.Length + 128;

    /// <summary>Copies a record. Allocates only when it is longer than any before it in this entry.</summary>
    /// <param name="exchange">Lent by the caller.</param>
    /// <param name="length">What <see cref="LengthOf"/> says.</param>
    public void Take(in ExchangeRecord exchange, int length)
    {
        if (_text.Length < length)
            _text = new byte[length];
        if (_attempts.Length < exchange.AttemptDetails.Length)
            _attempts = new AttemptRecord[Math.Max(AttemptsKept, exchange.AttemptDetails.Length)];

        Length = length;
        var used = 0;
        exchange.AttemptDetails.CopyTo(_attempts);
        _exchange = exchange with
        {
            Method = Copy(exchange.Method, ref used),
            Target = Copy(exchange.Target, ref used),
            Host = Copy(exchange.Host, ref used),
            Referer = Copy(exchange.Referer, ref used),
            UserAgent = Copy(exchange.UserAgent, ref used),
            RequestId = Copy(exchange.RequestId, ref used),
            AttemptDetails = _attempts.AsMemory(0, exchange.AttemptDetails.Length),
        };
    }

    /// <summary>Forgets the record.</summary>
    /// <returns>Whether the entry is worth keeping: one that had to grow far is not.</returns>
    public bool TryClear()
    {
        _exchange = default;
        Length = 0;
        return _text.Length <= TextLengthKept && _attempts.Length <= AttemptsKept;
    }

    private ReadOnlyMemory<byte> Copy(ReadOnlyMemory<byte> text, ref int used)
    {
        var copy = _text.AsMemory(used, text.Length);
        text.CopyTo(copy);
        used += text.Length;
        return copy;
    }
}
