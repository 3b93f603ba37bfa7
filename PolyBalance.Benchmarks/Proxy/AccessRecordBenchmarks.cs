using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;
using PolyBalance.Telemetry;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>What one line of the access log costs, on the thread that ends the exchange.</summary>
[MemoryDiagnoser]
public class AccessRecordBenchmarks
{
    private static readonly ExchangeRecord Exchange = new()
    {
        Started = new(2026, 3, 1, 9, 8, 9, 12, TimeSpan.Zero),
        Duration = TimeSpan.FromMicroseconds(1_234),
        TimeToFirstByte = TimeSpan.FromMicroseconds(1_200),
        ClientAddress = "192.0.2.7",
        Method = "GET"u8.ToArray(),
        Target = "/products/42?lang=en"u8.ToArray(),
        Host = "shop.example.com"u8.ToArray(),
        Cluster = "web",
        Backend = "web-1",
        BackendAddress = "10.0.0.11:8080",
        Status = 200,
        BytesOut = 4096,
        RequestId = "0123456789abcdef0123456789abcdef"u8.ToArray(),
        Attempts = 1,
    };

    private readonly byte[] _line = new byte[4096];
    private readonly JsonAccessFormat _json = new();
    private readonly CombinedAccessFormat _combined = new();
    private AccessLog _log = null!;

    [GlobalSetup(Target = nameof(Record))]
    public void StartLog()
        => _log = new(_json, new AccessOutput(Stream.Null, "nowhere"), NullLogger.Instance, TimeProvider.System);

    [GlobalCleanup(Target = nameof(Record))]
    public void EndLog()
    {
        Console.WriteLine($"// {_log.Dropped} lines were dropped: the fewer, the truer the time");
        _log.Dispose();
    }

    [Benchmark, AllocationBudget(0)]
    public int Json() => _json.Write(Exchange, _line);

    [Benchmark, AllocationBudget(0)]
    public int Combined() => _combined.Write(Exchange, _line);

    /// <summary>
    /// Json, and what else the thread that ends an exchange does; the writer thread is busy meanwhile and not measured.
    /// </summary>
    [Benchmark]
    public void Record() => _log.Record(Exchange);
}
