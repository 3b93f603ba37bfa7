using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// What the way of a request leaves on the managed heap. Bytes, not time: a busy machine counts as well as a quiet one.
/// </summary>
[NonParallelizable]
internal sealed class AllocationTests
{
    private const int Requests = 100_000;

    /// <summary>
    /// What a running gateway allocates whether requests come or not: the value of Date twice a second, the sweep of
    /// the pools once a second, the runtime's own timers and its compiler. Measured: about 1 KiB per second. Unit:
    /// bytes per second.
    /// </summary>
    private const int TickBytesPerSecond = 4 * 1024;

    /// <summary>
    /// What may come once: a pool that finds its lanes in other hands at that instant makes an object instead of
    /// waiting, a block of 16 KiB at most, and has it from then on. Measured: up to three blocks. One small object for
    /// every request would be ten times this. Unit: bytes.
    /// </summary>
    private const int OnceBytes = 256 * 1024;

    /// <summary>Twice what decision 39 says of a recorded exchange. Unit: bytes.</summary>
    private const int RecordedBytesMax = 6 * 1024;

    private static readonly JsonSerializerOptions Names = new() { PropertyNameCaseInsensitive = true };

    private static readonly Dictionary<string, long> Baseline = JsonSerializer.Deserialize<Dictionary<string, long>>(
        File.ReadAllText(Repository.PathOf("PolyBalance.Benchmarks", "baselines", "allocations.json")))!;

    [Test]
    public async Task Every_benchmark_with_a_budget_allocates_no_more_than_its_baseline()
    {
        var measured = (await BenchmarkProcess.RunAsync("allocations")).Select(Read<Measured>).ToList();

        var wrong = from one in measured
                    let baseline = Baseline.GetValueOrDefault(one.Benchmark, -1)
                    where baseline != one.Budget || one.Bytes >= (baseline + 1) * one.Operations
                    select $"{one.Benchmark} {one.Parameters}: {one.Bytes} bytes in {one.Operations} operations, "
                        + $"the baseline is {baseline} per operation and the budget {one.Budget}";

        Assert.That(wrong, Is.Empty);
        Assert.That(measured.Select(one => one.Benchmark).Distinct(), Is.EquivalentTo(Baseline.Keys));
    }

    [Test]
    public async Task A_keep_alive_GET_over_loopback_allocates_nothing(
        [Values(Transports.Sockets, Transports.Ring)] string transport, [Values(1, 32)] int clients)
    {
        await Transports.RequireAsync(transport);
        var soak = await SoakAsync(transport, $"{clients}", $"{Requests}");

        AllocatesNothingPerRequest(soak);
        Assert.That(soak.Bytes, Is.LessThan(OnceBytes + TickBytesPerSecond * soak.Seconds), $"{soak}");
    }

    [Test]
    public async Task A_keep_alive_GET_in_memory_allocates_nothing()
    {
        var soak = await SoakAsync("memory", $"{Requests}");

        AllocatesNothingPerRequest(soak);
        Assert.That(soak.Bytes, Is.LessThan(OnceBytes + TickBytesPerSecond * soak.Seconds), $"{soak}");
    }

    [Test]
    public async Task An_exchange_in_a_trace_that_is_not_recorded_allocates_nothing()
    {
        var soak = await SoakAsync("memory", $"{Requests}", "0");

        AllocatesNothingPerRequest(soak);
        Assert.That(soak.Bytes, Is.LessThan(OnceBytes + TickBytesPerSecond * soak.Seconds), $"{soak}");
    }

    /// <summary>Decision 39 says what a recorded exchange costs, with one attempt.</summary>
    [Test]
    public async Task A_recorded_exchange_allocates_its_two_spans_and_what_they_say()
    {
        var soak = await SoakAsync("memory", $"{Requests / 10}", "1000000");

        Assert.That(soak.Bytes / soak.Requests, Is.InRange(1_000, RecordedBytesMax), $"{soak}");
    }

    /// <summary>
    /// The log makes an entry when more lines wait than ever before. How many wait depends on how long the system lets
    /// its thread wait, so only the quietest tenth of the run is held to anything.
    /// </summary>
    [Test]
    public async Task A_line_of_the_access_log_allocates_nothing_once_there_are_buffers_enough()
        => AllocatesNothingPerRequest(await SoakAsync("sockets", "32", $"{Requests}", "log"));

    // What every request allocates, every tenth of the run shows; and no object is smaller than 24 bytes.
    private static void AllocatesNothingPerRequest(Soak soak)
    {
        Assert.That(soak.Requests, Is.GreaterThanOrEqualTo(Requests));
        Assert.That(soak.Tenths, Has.Count.EqualTo(10));
        Assert.That(soak.Tenths.Min(), Is.LessThan(soak.Requests / 10), $"{soak}");
    }

    private static async Task<Soak> SoakAsync(params string[] arguments)
        => Read<Soak>((await BenchmarkProcess.RunAsync(["soak", .. arguments])).Single());

    private static T Read<T>(JsonElement line) => line.Deserialize<T>(Names)!;

    private sealed record Measured(string Benchmark, string Parameters, long Operations, long Bytes, long Budget);

    private sealed record Soak(int Clients, long Requests, long Bytes, IReadOnlyList<long> Tenths, double Seconds)
    {
        public override string ToString()
            => $"{Clients} clients, {Requests} requests in {Seconds:0.0} s: {Bytes} bytes, "
                + $"by tenths {string.Join(", ", Tenths)}";
    }
}
