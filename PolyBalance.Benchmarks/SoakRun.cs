using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using PolyBalance.Benchmarks.Proxy;
using PolyBalance.Configuration;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks;

/// <summary>What many keep-alive GETs through the whole gateway allocated, in all of the process.</summary>
/// <param name="Transport">What moved the bytes: <c>sockets</c>, <c>io_uring</c> or <c>memory</c>.</param>
/// <param name="Clients">How many sent requests at the same time.</param>
/// <param name="Requests">Exchanges measured, of all clients together.</param>
/// <param name="Bytes">Allocated on the managed heap: by clients, gateway, backend and runtime together.</param>
/// <param name="Tenths">
/// The same for each tenth of the requests: what happens once stands out from what always does.
/// </param>
/// <param name="Seconds">How long it took. What the ticks of the gateway's clock allocate depends on it.</param>
internal sealed record Soak(
    string Transport, int Clients, long Requests, long Bytes, IReadOnlyList<long> Tenths, double Seconds);

/// <summary>
/// Sends many GETs and counts what they leave on the heap. Clients and backend allocate nothing themselves.
/// </summary>
internal static class SoakRun
{
    private const int Parts = 10;
    private const int WarmUpParts = 2;

    /// <summary>
    /// Over loopback: each client has a thread of its own, and the gateway a connection to the backend for each.
    /// </summary>
    /// <param name="transport">Of the gateway: <c>sockets</c>, or <c>io_uring</c> with a loop per processor.</param>
    /// <param name="clients">How many.</param>
    /// <param name="requests">Of all clients together; a few more when they cannot share them evenly.</param>
    /// <param name="logs">
    /// Whether each exchange becomes a line of the access log in JSON, which is then thrown away. Else it is only
    /// counted.
    /// </param>
    /// <exception cref="NotSupportedException">This system allows no io_uring.</exception>
    public static async Task<Soak> OverLoopbackAsync(string transport, int clients, int requests, bool logs)
    {
        var reply = Replies.Of(Replies.Small);
        using var backend = new RawBackend(reply, connections: clients);
        IExchangeSink sink = logs ? StartLog() : new CountingSink();
        await using var gateway = await Gateway.StartAsync(
            LoopbackTransports.Start(transport), backend.Address, sink);
        var connected = Enumerable.Range(0, clients)
            .Select(_ => new RawClient(gateway.Address, RecordedHeads.Request("curl"), reply)).ToArray();

        var soak = Measure(transport, [.. connected.Select(client => (Action)(() => client.Get()))], requests);
        foreach (var client in connected)
            client.Dispose();
        (sink as IDisposable)?.Dispose();
        return soak;
    }

    /// <summary>Without a kernel: one client, and everything on its thread.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="tracing">
    /// Which exchanges are recorded in traces, for a listener that throws spans away; null: nobody traces.
    /// </param>
    public static async Task<Soak> OverMemoryAsync(int requests, TracingOptions? tracing)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == SpanSource.Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        var transport = new MemoryTransport(TimeProvider.System);
        await using var backend = new MemoryBackend(transport, Replies.Of(Replies.Small));
        await using var gateway = await Gateway.StartAsync(transport, backend.Address, new CountingSink(), tracing);
        using var client = await MemoryClient.ConnectAsync(transport, gateway.Address, RecordedHeads.Request("curl"));
        return Measure("memory", [() => client.Get()], requests);
    }

    private static AccessLog StartLog()
        => new AccessLog(
            new JsonAccessFormat(), new AccessOutput(Stream.Null, "nowhere"), NullLogger.Instance, TimeProvider.System);

    private static Soak Measure(string transport, Action[] clients, int requests)
    {
        using var gate = new Barrier(clients.Length + 1);
        var each = (requests + clients.Length * Parts - 1) / (clients.Length * Parts);
        foreach (var get in clients)
            new Thread(() => Run(get, each, gate)) { IsBackground = true }.Start();

        var started = 0L;
        var tenths = new List<long>(Parts);
        for (var part = -WarmUpParts; part < Parts; part++)
        {
            if (part == 0)
                started = Stopwatch.GetTimestamp();
            var before = GC.GetTotalAllocatedBytes(precise: true);
            gate.SignalAndWait();       // all begin
            gate.SignalAndWait();       // all have ended
            if (part >= 0)
                tenths.Add(GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return new(
            transport, clients.Length, (long)each * Parts * clients.Length, tenths.Sum(), tenths,
            Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static void Run(Action get, int requests, Barrier gate)
    {
        for (var part = -WarmUpParts; part < Parts; part++)
        {
            gate.SignalAndWait();
            for (var request = 0; request < requests; request++)
                get();
            gate.SignalAndWait();
        }
    }
}
