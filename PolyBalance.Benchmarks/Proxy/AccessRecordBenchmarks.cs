using System.Buffers;
using BenchmarkDotNet.Attributes;
using PolyBalance.Host;
using PolyBalance.Telemetry;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>What one line of the access log costs, on the thread that writes it.</summary>
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

    private readonly ArrayBufferWriter<byte> _output = new(4096);
    private readonly JsonAccessFormat _json = new();
    private readonly CombinedAccessFormat _combined = new();

    [GlobalCleanup]
    public void Cleanup() => _json.Dispose();

    [Benchmark, AllocationBudget(0)]
    public int Json()
    {
        _output.ResetWrittenCount();
        _json.Write(Exchange, _output);
        return _output.WrittenCount;
    }

    [Benchmark, AllocationBudget(0)]
    public int Combined()
    {
        _output.ResetWrittenCount();
        _combined.Write(Exchange, _output);
        return _output.WrittenCount;
    }
}
