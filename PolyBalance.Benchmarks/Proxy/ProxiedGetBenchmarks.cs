using BenchmarkDotNet.Attributes;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>What a whole proxied GET costs without a kernel: client, gateway and backend on one thread.</summary>
[MemoryDiagnoser]
public class MemoryGetBenchmarks
{
    private Gateway _gateway = null!;
    private MemoryBackend _backend = null!;
    private MemoryClient _client = null!;

    public static IEnumerable<string> Recorded => Replies.Names;

    [ParamsSource(nameof(Recorded))]
    public string Reply { get; set; } = "";

    [GlobalSetup]
    public async Task Setup()
    {
        var transport = new MemoryTransport(TimeProvider.System);
        _backend = new(transport, Replies.Of(Reply));
        _gateway = await Gateway.StartAsync(transport, _backend.Address, new CountingSink());
        _client = await MemoryClient.ConnectAsync(transport, _gateway.Address, RecordedHeads.Request("curl"));
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        _client.Dispose();
        await _backend.DisposeAsync();
        await _gateway.DisposeAsync();
    }

    [Benchmark, AllocationBudget(0)]
    public long Get() => _client.Get();
}

/// <summary>What a whole proxied GET costs over loopback: one client, one backend, a round trip each.</summary>
[MemoryDiagnoser]
public class SocketGetBenchmarks
{
    private Gateway _gateway = null!;
    private RawBackend _backend = null!;
    private RawClient _client = null!;

    public static IEnumerable<string> Recorded => Replies.Names;

    public static IEnumerable<string> Transports => LoopbackTransports.Names;

    [ParamsSource(nameof(Recorded))]
    public string Reply { get; set; } = "";

    [ParamsSource(nameof(Transports))]
    public string Transport { get; set; } = "";

    [GlobalSetup]
    public async Task Setup()
    {
        _backend = new(Replies.Of(Reply));
        _gateway = await Gateway.StartAsync(
            LoopbackTransports.Start(Transport), _backend.Address, new CountingSink());
        _client = new(_gateway.Address, RecordedHeads.Request("curl"), Replies.Of(Reply));
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
        _backend.Dispose();
    }

    [Benchmark, AllocationBudget(0, OnAllThreads = true)]
    public int Get() => _client.Get();
}
