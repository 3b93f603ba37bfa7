using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using PolyBalance.Configuration;
using PolyBalance.Server;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>The whole gateway in this process, as a user's configuration would set it up.</summary>
internal sealed class Gateway : IAsyncDisposable
{
    // A pool that keeps every connection: to close and open some is no part of what is measured.
    private const int IdleConnections = 256;

    private readonly ProxyServer _server;

    private Gateway(ProxyServer server) => _server = server;

    /// <summary>Where clients connect.</summary>
    public IPEndPoint Address => IPEndPoint.Parse(_server.TrafficAddresses[0]);

    /// <summary>Starts it.</summary>
    /// <param name="transport">Ends with it.</param>
    /// <param name="backend">The only backend.</param>
    /// <param name="sink">Hears of every exchange.</param>
    /// <param name="tracing">Which exchanges are recorded in traces; null: nobody traces.</param>
    public static async Task<Gateway> StartAsync(
        ITransport transport, EndPoint backend, IExchangeSink sink, TracingOptions? tracing = null)
    {
        var parsed = ProxyOptions.Parse(
            $$"""
            listeners: [ { bind: "127.0.0.1:8000" } ]
            admin: off
            clusters: { web: { health: off, backends: [ "{{backend}}" ], pool: { size: {{IdleConnections}} } } }
            """,
            "benchmark.yaml");
        var options = parsed.Options ?? throw new InvalidOperationException(string.Join('\n', parsed.Errors));
        // A file may not say "any port"; whoever builds options may.
        var anyPort = Configuration.Address.Tcp("127.0.0.1", 0);
        options = options with { Listeners = [new ListenerOptions { Bind = anyPort }], Tracing = tracing };
        var server = ProxyServer.Create(options, NullLoggerFactory.Instance, sink, transport, TimeProvider.System);
        await server.StartAsync();

        // A latency that comes up for the first time makes its counters once: no part of what is measured either.
        foreach (var made in server.Store.Current.Backends())
        {
            made.Metrics.Duration.Prepare();
            made.Metrics.FirstByte.Prepare();
        }

        return new(server);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}

/// <summary>
/// Takes records as an access log would, and keeps no more of them than their count and the last status.
/// </summary>
internal sealed class CountingSink : IExchangeSink
{
    private long _records;

    /// <summary>Exchanges that have ended.</summary>
    public long Records => Interlocked.Read(ref _records);

    /// <summary>What the client of the last one got.</summary>
    public int LastStatus { get; private set; }

    public void Record(in ExchangeRecord exchange)
    {
        LastStatus = exchange.Status;
        Interlocked.Increment(ref _records);
    }
}
