using PolyBalance.Server;
using PolyBalance.Telemetry;

namespace PolyBalance.Host.Demo;

/// <summary>Counts which backend answered what, from the very records that the access log is made of.</summary>
internal sealed class DemoTally : IExchangeSink
{
    /// <summary>Starts at zero for each backend.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="backends">What runs, in the same order.</param>
    public DemoTally(IReadOnlyList<SampleBackendOptions> options, IReadOnlyList<SampleBackend> backends)
    {
        var rows = new List<DemoRow>();
        for (var index = 0; index < backends.Count; index++)
            rows.Add(new DemoRow(options[index], backends[index].Port));
        Rows = rows;
    }

    /// <summary>One row per backend.</summary>
    public IReadOnlyList<DemoRow> Rows { get; }

    /// <summary>Attempts at all backends together.</summary>
    public long Attempts
    {
        get
        {
            var sum = 0L;
            foreach (var row in Rows)
                sum += row.Attempts;
            return sum;
        }
    }

    /// <summary>Counts one exchange. Any thread.</summary>
    /// <param name="exchange">What happened.</param>
    public void Record(in ExchangeRecord exchange)
    {
        if (exchange.AttemptDetails.IsEmpty)
        {
            Find(exchange.BackendAddress)?.Count(exchange.Duration, exchange.Status >= 500);
            return;
        }

        foreach (ref readonly var attempt in exchange.AttemptDetails.Span)
        {
            var failed = attempt.Failure != FailureKind.None || attempt.Status >= 500;
            Find(attempt.BackendAddress)?.Count(attempt.Duration, failed);
        }
    }

    private DemoRow? Find(string address)
    {
        foreach (var row in Rows)
        {
            if (row.Address == address)
                return row;
        }

        return null;
    }
}

/// <summary>What one backend of the demo did so far. Any thread may count and read.</summary>
/// <param name="options">What was asked for.</param>
/// <param name="port">Where it listens.</param>
internal sealed class DemoRow(SampleBackendOptions options, int port)
{
    // A bucket is 10 % wider than the one before: 200 of them reach from 1 µs beyond a minute.
    private const int Buckets = 200;
    private static readonly double BucketRatio = Math.Log(1.1);

    private readonly int[] _latencies = new int[Buckets];
    private long _attempts;
    private long _errors;
    private long _ticks;

    /// <summary>What the backend is called.</summary>
    public string Name => options.Name;

    /// <summary>The port it listens on.</summary>
    public int Port => port;

    /// <summary>Its address as access records have it.</summary>
    public string Address { get; } = $"127.0.0.1:{port}";

    /// <summary>What is special about it, as the rest of a line; empty when nothing is.</summary>
    public string Habit => (options.Delay > TimeSpan.Zero, options.FailureRate > 0) switch
    {
        (true, _) => $", answers after {options.Delay.TotalMilliseconds:0} ms",
        (_, true) => $", fails {options.FailureRate:0 %} of its requests",
        _ => "",
    };

    /// <summary>Attempts made at it.</summary>
    public long Attempts => Volatile.Read(ref _attempts);

    /// <summary>Attempts that failed, or that it answered with a 5xx status.</summary>
    public long Errors => Volatile.Read(ref _errors);

    /// <summary>The mean latency of an attempt.</summary>
    public TimeSpan Mean => TimeSpan.FromTicks(Volatile.Read(ref _ticks) / Math.Max(1, Attempts));

    /// <summary>99 of 100 attempts were no slower than this, give or take 10 %.</summary>
    public TimeSpan Percentile99
    {
        get
        {
            var left = Attempts / 100;
            for (var bucket = Buckets - 1; bucket > 0; bucket--)
            {
                left -= Volatile.Read(ref _latencies[bucket]);
                if (left < 0)
                    return TimeSpan.FromMicroseconds(Math.Exp(bucket * BucketRatio));
            }

            return TimeSpan.Zero;
        }
    }

    /// <summary>Counts one attempt.</summary>
    /// <param name="latency">How long it took.</param>
    /// <param name="failed">Whether it was in vain.</param>
    public void Count(TimeSpan latency, bool failed)
    {
        Interlocked.Increment(ref _attempts);
        Interlocked.Add(ref _ticks, latency.Ticks);
        if (failed)
            Interlocked.Increment(ref _errors);
        var bucket = (int)Math.Ceiling(Math.Log(Math.Max(1, latency.TotalMicroseconds)) / BucketRatio);
        Interlocked.Increment(ref _latencies[Math.Min(bucket, Buckets - 1)]);
    }
}
