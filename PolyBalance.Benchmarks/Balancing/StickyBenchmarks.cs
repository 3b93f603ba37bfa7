using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Balancing;

/// <summary>What a session costs: to find it in a request, and to begin one.</summary>
[MemoryDiagnoser]
public class StickyBenchmarks
{
    private const long Now = 1_900_000_000;

    private readonly byte[] _line = new byte[StickyTable.LineBytesMax];
    private readonly RequestHead _request = new();
    private MemoryTransport _transport = null!;
    private StickyTable _table = null!;

    [GlobalSetup]
    public void Setup()
    {
        var backend = new BackendOptions { Address = Address.Tcp("10.0.0.1", 8080), Name = "web-1" };
        var cluster = new ClusterOptions { Name = "web", Backends = [backend] };
        var key = new BackendKey("web", backend.Address, PoolOptions.Default, TimeSpan.FromSeconds(3));
        _transport = new(TimeProvider.System);
        _table = new(cluster, StickyOptions.Default, new SigningKeys(new byte[32]),
            [new Backend(key, backend, _transport, TimeProvider.System)]);
        var length = _table.WriteLine(0, Now, isTls: false, _line);
        var cookie = Encoding.ASCII.GetString(_line, 0, length)["Set-".Length..].Replace(";", "; more=1;");
        var bytes = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: x\r\n{cookie}\r\n");
        _request.Take(new ReadOnlySequence<byte>(bytes));
        if (!HeadParser.TryParseRequest(_request, new(Limits.HeadBytesMax, Limits.FieldLinesMax), out var failure)
            || Find() == 0)
        {
            throw new InvalidOperationException($"The request carries no session: {failure}.");
        }
    }

    [GlobalCleanup]
    public async Task Cleanup() => await _transport.DisposeAsync();

    [Benchmark, AllocationBudget(0)]
    public int Find() => _table.Find(_request.Fields, Now).Home is null ? 0 : 1;

    [Benchmark, AllocationBudget(0)]
    public int Write() => _table.WriteLine(0, Now, isTls: false, _line);
}
