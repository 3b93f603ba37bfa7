using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Proxy;
using PolyBalance.Server;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Support;

/// <summary>The gateway between scripted clients and scripted backends, with a clock that only tests move.</summary>
/// <remarks>
/// A configuration names its backends as variables, <c>${a}</c>: each name becomes a scripted backend. Listeners and
/// the admin section are filled in unless they are written.
/// </remarks>
internal sealed class Scenario
{
    private readonly Dictionary<string, ScriptedBackend> _backends = [];
    private readonly ConcurrentBag<Wire> _wires = [];
    private readonly RecordingSink _sink = new();
    private readonly TestNetwork _network;
    private ProxyServer _server = null!;

    private Scenario(Medium medium) => _network = TestNetwork.Create(medium, Clock);

    /// <summary>The gateway's clock.</summary>
    public ManualClock Clock { get; } = new();

    /// <summary>The gateway.</summary>
    public ProxyServer Server => _server;

    /// <summary>The gateway's memory.</summary>
    public BlockPool Blocks => _network.Transport.Blocks;

    /// <summary>The gateway's clock, as its loops see it.</summary>
    public Heartbeat Heartbeat => _network.Transport.Heartbeat;

    /// <summary>How many exchanges were recorded.</summary>
    public int RecordCount => _sink.Count;

    /// <summary>Starts everything. Backends are probed only where the configuration says how.</summary>
    public static async Task<Scenario> StartAsync(Medium medium, string configuration)
    {
        var scenario = new Scenario(medium);
        var listeners = configuration.Contains("listeners:", StringComparison.Ordinal)
            ? ""
            : "listeners: [ { bind: \"127.0.0.1:8000\" } ]\n";
        var result = ProxyOptions.Parse(
            $"{listeners}admin: off\n{configuration}", "scenario.yaml", name => scenario.Backend(name).Address);
        Assert.That(result.Errors, Is.Empty);

        var anyPort = Address.Tcp("127.0.0.1", 0);
        var isProbed = configuration.Contains("health:", StringComparison.Ordinal);
        var options = isProbed ? result.Options! : Unprobed.From(result.Options!);
        options = options with
        {
            Listeners = [.. options.Listeners.Select(listener => listener with { Bind = anyPort })],
        };
        scenario._server = ProxyServer.Create(
            options, scenario.Logs, scenario._sink, scenario._network.Transport, scenario.Clock);
        await scenario._server.StartAsync();
        return scenario;
    }

    /// <summary>Takes other options up, as a reload does; returns when they are in force.</summary>
    public async Task ReloadAsync(Func<ClusterOptions, ClusterOptions> change)
    {
        var builder = new SnapshotBuilder(_network.Transport, Clock);
        var before = _server.Store.Current;
        await _server.Store.PublishAsync(
            found => builder.Build(
                found.Options with { Clusters = [.. found.Options.Clusters.Select(change)] }, found),
            CancellationToken.None);
        await Eventually.HoldsAsync(() => _server.Store.Current != before, () => "other options are in force");
    }

    /// <summary>A scripted backend by its name in the configuration.</summary>
    public ScriptedBackend Backend(string name)
    {
        if (!_backends.TryGetValue(name, out var backend))
            _backends[name] = backend = new(_network);
        return backend;
    }

    /// <summary>The next connection that the gateway makes to any backend, and to which.</summary>
    public async Task<(ScriptedBackend Backend, ScriptedConnection Connection)> AcceptAsync()
    {
        var waits = _backends.Values.Select(async backend =>
            await backend.Waiting.WaitToReadAsync() ? backend : throw new InvalidOperationException()).ToList();
        var first = await (await Task.WhenAny(waits).InTime());
        return (first, await first.AcceptAsync());
    }

    /// <summary>Connects a scripted client.</summary>
    /// <param name="listener">Which of the configured listeners.</param>
    public async Task<ScriptedClient> ConnectAsync(int listener = 0)
    {
        var wire = await _network.ConnectAsync(IPEndPoint.Parse(_server.TrafficAddresses[listener]));
        _wires.Add(wire);
        return new(wire);
    }

    /// <summary>The next record, in the order in which exchanges ended.</summary>
    public Task<RecordedExchange> RecordAsync() => _sink.NextAsync();

    /// <summary>Failures that the gateway blames on backends, over all of them.</summary>
    public long BackendFailures => _server.Store.Current.Backends().Sum(backend => backend.Failures);

    /// <summary>Requests that the gateway has given to backends and that have not ended.</summary>
    public int InFlight => _server.Store.Current.Backends().Sum(backend => backend.InFlight);

    /// <summary>Backend connections that the gateway has open, idle and in use together.</summary>
    public int BackendConnections => _server.Store.Current.Backends().Sum(backend => backend.Pool.Open);

    /// <summary>Returns when one exchange waits for somebody of this kind: before the clock may move.</summary>
    public Task WaitsForAsync(WaitKind kind) => Eventually.HoldsAsync(
        () => Server.CountWaiting(kind) == 1, () => $"{Server.CountWaiting(kind)} exchanges wait for {kind}: not 1");

    private LogTrap Logs { get; } = new();

    /// <summary>Moves the clock to just before something should happen, and then by ticks until it has.</summary>
    /// <returns>How far the clock was moved: at least as far as the gateway waited.</returns>
    public async Task<TimeSpan> AdvanceUntilAsync(Task happened, TimeSpan expected)
    {
        var started = Clock.GetTimestamp();
        Clock.Advance(expected - (2 * Heartbeat.Period));
        Assert.That(happened.IsCompleted, Is.False, "it happened too early");
        var steps = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                // Ever longer steps: the gateway may have set its deadline only after the clock had moved.
                if (!happened.IsCompleted)
                    Clock.Advance(Heartbeat.Period * (1 + (steps++ / 50)));
                return happened.IsCompleted;
            },
            () => $"it happened within {Clock.GetElapsedTime(started)}");
        return Clock.GetElapsedTime(started);
    }

    /// <summary>Ends everything, and checks that nothing is left: no exchange, no connection, no memory.</summary>
    public async Task EndAsync()
    {
        foreach (var wire in _wires)
            wire.Dispose();
        await Eventually.HoldsAsync(() => Server.ClientConnections == 0 && InFlight == 0,
            () => $"{Server.ClientConnections} client connections and {InFlight} requests in flight are 0");

        await Server.DisposeAsync();
        foreach (var backend in _backends.Values)
            backend.Dispose();
        await Eventually.HoldsAsync(() => BackendConnections == 0 && Blocks.Rented == 0,
            () => $"{BackendConnections} backend connections and {Blocks.Rented} rented blocks are 0");
        Assert.That(Logs.Bugs, Is.Empty);
    }

    /// <summary>Keeps what the gateway logs as an error: a bug.</summary>
    private sealed class LogTrap : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Bugs { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error)
                Bugs.Enqueue($"{formatter(state, exception)} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
