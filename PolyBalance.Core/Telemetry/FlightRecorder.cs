using System.Text;

namespace PolyBalance.Telemetry;

/// <summary>One exchange that deserves a look, with everything that its record lends.</summary>
/// <param name="Record">What stays of the record: numbers, names, and no lent memory.</param>
/// <param name="Method">The method as sent.</param>
/// <param name="Target">The request target as sent, cut off after 1 KiB.</param>
/// <param name="Host">The Host that was asked for.</param>
/// <param name="RequestId">The request id.</param>
/// <param name="TraceId">The trace it belongs to; empty when nobody traces.</param>
/// <param name="Attempts">Each attempt, in its order; empty when the only one went well.</param>
internal sealed record Flight(
    ExchangeRecord Record, string Method, string Target, string Host, string RequestId, string TraceId,
    AttemptRecord[] Attempts);

/// <summary>
/// Keeps the latest exchanges that failed, that needed more than one attempt, or that were slow, for whoever asks later
/// what happened.
/// </summary>
/// <remarks>
/// Any thread; a lock that is held for some assignments, and only for exchanges that are kept. A client that errs or
/// leaves is no reason: he could push out what matters. In an outage a few of each second are enough.
/// </remarks>
internal sealed class FlightRecorder
{
    /// <summary>How many are kept.</summary>
    public const int Capacity = 200;

    /// <summary>At most so many are taken in one second.</summary>
    public const int PerSecondMax = 50;

    /// <summary>Whose final response takes longer to begin is slow.</summary>
    public static readonly TimeSpan Slow = TimeSpan.FromSeconds(1);

    private const int TargetLengthMax = 1024;

    private readonly Lock _gate = new();
    private readonly Flight?[] _ring = new Flight?[Capacity];
    private long _count;
    private long _missed;
    private DateTimeOffset _second;
    private int _inSecond;

    /// <summary>Exchanges that were kept, those included that newer ones have pushed out.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Exchanges that were not kept, because too many came in one second.</summary>
    public long Missed => Interlocked.Read(ref _missed);

    /// <summary>Whether an exchange deserves a look.</summary>
    /// <param name="failure">How it ended.</param>
    /// <param name="attempts">How many attempts it needed.</param>
    /// <param name="timeToFirstByte">How long its final response took to begin; zero when there was none.</param>
    public static bool Wants(FailureKind failure, int attempts, TimeSpan timeToFirstByte)
        => failure == FailureKind.None
            ? attempts > 1 || timeToFirstByte >= Slow
            : Failure.Of(failure).Side != Side.Client;

    /// <summary>Keeps one, unless this second has had enough.</summary>
    public void Add(in ExchangeRecord exchange)
    {
        lock (_gate)
        {
            var second = exchange.Started + exchange.Duration;
            if (second - _second >= TimeSpan.FromSeconds(1))
                (_second, _inSecond) = (second, 0);
            if (++_inSecond > PerSecondMax)
            {
                _missed++;
                return;
            }

            _ring[_count++ % Capacity] = Keep(exchange);
        }
    }

    /// <summary>All that are kept, the latest first.</summary>
    public Flight[] Latest() => Since(0, out _);

    /// <summary>What was kept since an earlier look and is kept still, the latest first.</summary>
    /// <param name="count">What <paramref name="now"/> was then.</param>
    /// <param name="now">For the next look.</param>
    public Flight[] Since(long count, out long now)
    {
        lock (_gate)
        {
            now = _count;
            var latest = new Flight[Math.Min(_count - count, Capacity)];
            for (var index = 0; index < latest.Length; index++)
                latest[index] = _ring[(_count - 1 - index) % Capacity]!;
            return latest;
        }
    }

    /// <summary>Keeps what another process has kept, each one where it belongs by its time.</summary>
    /// <param name="flights">The latest first.</param>
    public void Inherit(IReadOnlyCollection<Flight> flights)
    {
        lock (_gate)
        {
            var all = Latest().Concat(flights)
                .OrderBy(flight => flight.Record.Started + flight.Record.Duration).TakeLast(Capacity);
            _count += flights.Count;
            var index = _count - Math.Min(_count, Capacity);
            foreach (var flight in all)
                _ring[index++ % Capacity] = flight;
        }
    }

    private static Flight Keep(in ExchangeRecord exchange) => new(
        exchange with
        {
            Method = default,
            Target = default,
            Host = default,
            Referer = default,
            UserAgent = default,
            RequestId = default,
            TraceId = default,
            AttemptDetails = default,
        },
        Text(exchange.Method), Text(exchange.Target), Text(exchange.Host), Text(exchange.RequestId),
        Text(exchange.TraceId), exchange.AttemptDetails.ToArray());

    private static string Text(ReadOnlyMemory<byte> bytes)
        => Encoding.Latin1.GetString(bytes.Span[..Math.Min(bytes.Length, TargetLengthMax)]);
}
