using System.Collections.Immutable;
using BenchmarkDotNet.Attributes;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Balancing;

/// <summary>What one pick costs, alone and when several threads pick from the same selector at once.</summary>
[MemoryDiagnoser]
public class SelectorBenchmarks
{
    private const int Threads = 4;
    private const int PicksPerThread = 10_000;

    private readonly Barrier _start = new(Threads);
    private readonly Barrier _end = new(Threads);
    private MemoryTransport _transport = null!;
    private Selector _selector = null!;
    private volatile bool _isStopping;

    /// <summary>Every algorithm there is: a new one is measured without being named here.</summary>
    public static IEnumerable<string> Algorithms => BalancingAlgorithms.All.Select(algorithm => algorithm.Name);

    [ParamsSource(nameof(Algorithms))]
    public string Algorithm { get; set; } = "";

    [Params(1, 3, 100)]
    public int Backends { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _transport = new(TimeProvider.System);
        _selector = BalancingAlgorithms.Of(Algorithm).Build(
            [.. Enumerable.Range(1, Backends).Select(number => new Candidate(MakeBackend(number), 1))], null,
            draw: 0);
        for (var thread = 1; thread < Threads; thread++)
            new Thread(PickWhenAsked) { IsBackground = true }.Start();
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        _isStopping = true;
        _start.SignalAndWait();
        await _transport.DisposeAsync();
    }

    // Drawing is part of it: the proxy draws for every pick.
    [Benchmark, AllocationBudget(0)]
    public int Pick() => _selector.Pick(new(key: 0, now: 0, (ulong)Random.Shared.NextInt64(), [])) is null ? 0 : 1;

    [Benchmark(OperationsPerInvoke = Threads * PicksPerThread), AllocationBudget(0, OnAllThreads = true)]
    public int PickFromSeveralThreads()
    {
        _start.SignalAndWait();
        var picked = PickMany();
        _end.SignalAndWait();
        return picked;
    }

    private void PickWhenAsked()
    {
        while (true)
        {
            _start.SignalAndWait();
            if (_isStopping)
                return;

            PickMany();
            _end.SignalAndWait();
        }
    }

    private int PickMany()
    {
        var picked = 0;
        for (var pick = 0; pick < PicksPerThread; pick++)
            picked += Pick();
        return picked;
    }

    private Backend MakeBackend(int number)
    {
        var options = new BackendOptions { Address = Address.Tcp("192.0.2.1", number), Name = $"web-{number}" };
        var key = new BackendKey("web", options.Address, PoolOptions.Default, TimeSpan.FromSeconds(3));
        return new(key, options, _transport, TimeProvider.System);
    }
}
