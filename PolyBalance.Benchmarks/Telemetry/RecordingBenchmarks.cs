using BenchmarkDotNet.Attributes;
using PolyBalance.Backends;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Telemetry;

/// <summary>
/// What metrics cost a request: everything that is counted, and every look at the clock that is theirs alone.
/// </summary>
[MemoryDiagnoser]
public class RecordingBenchmarks
{
    private const int Get = 1;

    private readonly GatewayMetrics _gateway = new();
    private readonly RequestCounters _route = new();
    private readonly TimeSpan[] _durations = new TimeSpan[1024];
    private BackendMetrics _backend = null!;
    private Heartbeat _heartbeat = null!;
    private int _next;

    [GlobalSetup]
    public void Setup()
    {
        _heartbeat = new(TimeProvider.System);
        _backend = new(_gateway);
        var random = new Random(1);
        for (var index = 0; index < _durations.Length; index++)
            _durations[index] = TimeSpan.FromMilliseconds(Math.Exp(random.NextDouble() * 5));

        // Counters of a segment are made when the first value falls into it.
        foreach (var _ in _durations)
        {
            Exchange();
            Histogram();
        }
    }

    [GlobalCleanup]
    public void Cleanup() => _heartbeat.Dispose();

    /// <summary>One exchange with one attempt.</summary>
    [Benchmark, AllocationBudget(0)]
    public long Exchange()
    {
        var duration = _durations[_next++ & (_durations.Length - 1)];

        // Waits for the response and for the client to take it begin.
        var waited = _heartbeat.ExactNow;
        waited -= _heartbeat.ExactNow;
        _backend.Observe(new(FailureKind.None, 200, duration.Ticks * 70, 0, duration.Ticks * 100), _heartbeat);
        _gateway.Record(_route, Get, 200, FailureKind.None, duration, duration / 8);
        return waited;
    }

    /// <summary>One histogram.</summary>
    [Benchmark, AllocationBudget(0)]
    public int Histogram()
    {
        _gateway.Duration.Record(_durations[_next++ & (_durations.Length - 1)]);
        return _next;
    }
}
