using Microsoft.Extensions.Logging;
using PolyBalance.Admin;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Discovery;
using PolyBalance.Health;
using PolyBalance.Proxy;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>The gateway: builds everything by hand, starts it, drains it, ends it.</summary>
/// <remarks>Life-cycle calls come from one flow; <see cref="StopNow"/> may come from any thread.</remarks>
public sealed class ProxyServer : IAsyncDisposable
{
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan FirstRoundMax = TimeSpan.FromSeconds(5);

    private readonly ProxyOptions _options;
    private readonly ILogger _logger;
    private readonly ITransport _transport;
    private readonly SnapshotStore _store;
    private readonly HealthMonitor _health;
    private readonly DnsClient _dns;
    private readonly NameMonitor _names;
    private readonly ListenerSet _listeners;
    private readonly GivenSockets _given;
    private readonly Reloader _reloader;
    private readonly GatewayMetrics _metrics = new();
    private readonly MeterView _meter;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopNow = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _storeLoop = Task.CompletedTask;
    private volatile bool _isLeaving;

    private ProxyServer(
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink, IConfigSource? source, ITransport transport,
        TimeProvider clock, GivenSockets given)
    {
        _options = options;
        _logger = logs.CreateLogger("polybalance");
        _transport = transport;
        _metrics.Duration.Prepare();
        _metrics.Overhead.Prepare();
        // The first snapshot takes up what is known of backends by itself.
        var news = new BackendNews(_logger, () => _store?.RequestRefresh(), _metrics);
        var builder = new SnapshotBuilder(transport, clock, news);
        _store = new(builder.Build(options, previous: null));
        _health = new(_store, new(transport, clock), new Random(), _logger);
        _dns = new(clock);
        var resolver = new Resolver(_dns, new(ResolvConfFile.UsualPath, clock), clock);
        _names = new(_store, builder, resolver, clock, _logger);
        var proxy = new ProxyHandler(_store, new Attempt(new HttpDate(transport.Heartbeat)), _metrics);
        var view = new GatewayView(_store, builder, _health.Describe, _metrics, transport, _logger)
        {
            Names = _names.Describe,
            Clock = clock,
            ClientConnections = () => ClientConnections,
            IsLeaving = () => _isLeaving,
            LinesDropped = () => _reloader?.Sink?.Dropped ?? 0,
            SpansDropped = () => source?.SpansDropped ?? 0,
            ReloadAsync = ReloadAsync,
            PlanAsync = (text, name) => _reloader!.PlanAsync(text, name, _stop.Token),
            Stop = _stop.Token,
        };
        _meter = new(view);
        var admin = new AdminHandler(view);
        _listeners = new(transport, proxy, admin, _metrics, _logger, given);
        _given = given;
        _reloader = new(source, _store, builder, _names, _listeners, _metrics, _logger) { Sink = sink };
    }

    /// <summary>
    /// What listens where, with real ports: "traffic on 0.0.0.0:8000". Empty before <see cref="StartAsync"/>.
    /// </summary>
    public IReadOnlyList<string> Listening => _listeners.Listening;

    /// <summary>The addresses of the traffic listeners, in the order of the file, with real ports.</summary>
    public IReadOnlyList<string> TrafficAddresses => _listeners.TrafficAddresses;

    /// <summary>The address of the admin listener, with its real port; null: there is none.</summary>
    public string? AdminAddress => _listeners.AdminAddress;

    /// <summary>The transport in use.</summary>
    public string TransportName => _transport.Name;

    /// <summary>What it does now, in a few words for whoever looks after it. Any thread.</summary>
    public string Status
    {
        get
        {
            if (_isLeaving)
                return $"Draining, {ClientConnections} client connections are open";

            var clusters = _store.Current.Clusters;
            return $"Serving {ClientConnections} client connections, "
                + $"{clusters.Sum(one => one.Eligible.Length)} of {clusters.Sum(one => one.Backends.Length)} "
                + "backends eligible";
        }
    }

    /// <summary>Client connections open now.</summary>
    public int ClientConnections => _listeners.Traffic.Count;

    /// <summary>Puts a gateway together and starts its transport; nothing listens yet.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="logs">Where messages go.</param>
    /// <param name="sink">Hears of every finished exchange; null: nobody does.</param>
    /// <param name="source">Where the options come from, for reloads; null: there are none.</param>
    /// <param name="given">Sockets that listen already; null: none. The caller disposes them after the gateway.</param>
    /// <exception cref="TransportException">
    /// The transport that the options ask for is not to be had. The message says what to do.
    /// </exception>
    public static ProxyServer Create(
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink = null, IConfigSource? source = null,
        GivenSockets? given = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logs);
        var transport = TransportChoice.Start(
            options.Transport, options.Workers, TimeProvider.System, out var obstacle);
        var server = Create(options, logs, sink, transport, TimeProvider.System, source, given);
        if (obstacle is not null)
            Log.TransportFellBack(server._logger, transport.Name, obstacle);
        return server;
    }

    /// <summary>
    /// Which transport <c>auto</c> chooses on this system, and why not a faster one: for whoever asks for the version.
    /// </summary>
    public static Task<string> DescribeTransportAsync() => TransportChoice.DescribeAsync();

    /// <summary>The same over any transport and clock.</summary>
    internal static ProxyServer Create(
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink, ITransport transport, TimeProvider clock,
        IConfigSource? source = null, GivenSockets? given = null)
        => new(options, logs, sink, source, transport, clock, given ?? GivenSockets.None);

    /// <summary>How many exchanges wait for somebody of this kind now.</summary>
    internal int CountWaiting(WaitKind kind) => _listeners.Traffic.CountWaiting(kind);

    /// <summary>The snapshot in force.</summary>
    internal SnapshotStore Store => _store;

    /// <summary>The figures of <c>/metrics</c> as instruments.</summary>
    internal MeterView Meter => _meter;

    /// <summary>What probes know of every backend.</summary>
    internal HealthMonitor Health => _health;

    /// <summary>What was found for every name.</summary>
    internal NameMonitor Names => _names;

    /// <summary>
    /// Looks up every name and probes every backend once, five seconds at most, and then listens on every address; all
    /// of them, or none.
    /// </summary>
    /// <exception cref="ListenException">An address cannot be listened on. The message says what to do.</exception>
    public async Task StartAsync()
    {
        _storeLoop = _store.RunAsync(_stop.Token);
        var looking = _names.StartAsync(FirstRoundMax);
        await _health.StartAsync(FirstRoundMax, looking);
        await looking;
        var opened = await _listeners.PrepareAsync(_options, _reloader.Sink);
        _transport.Heartbeat.Every(SweepPeriod, SweepBackends);
        _transport.Heartbeat.Every(WatchPeriod, WatchBackends);
        new FileWatch(_transport.Files, _store, _transport.Heartbeat, _logger).Start(_options.Limits.ConnectionsMax);
        new ClusterWatch(_store, _transport.Heartbeat, _logger).Start();
        await _listeners.CommitAsync(opened, _options, _reloader.Sink);
        foreach (var address in _given.Unused)
            Log.GivenSocketUnused(_logger, address);
    }

    /// <summary>
    /// Takes up the configuration anew, as far as it has changed; a configuration with errors changes nothing. What
    /// came of it is in the log. Any thread; one reload after the other.
    /// </summary>
    /// <returns>Whether it was taken up.</returns>
    public async Task<bool> ReloadConfigurationAsync() => (await ReloadAsync()).Errors.Count == 0;

    /// <summary>
    /// Completes when every thread that moves bytes has come by: never, when one of them is stuck. Any thread.
    /// </summary>
    public Task PassAsync() => _transport.PassAsync();

    /// <summary>
    /// Says from now on that no more traffic should be sent here; everything else goes on. For whoever lets those who
    /// send it find out before <see cref="DrainAsync"/>. Any thread.
    /// </summary>
    public void AnnounceDrain()
    {
        _isLeaving = true;
        _reloader.Refuse();
    }

    /// <summary>
    /// Stops accepting, closes idle connections, and lets exchanges finish until the deadline; then ends what is left.
    /// The admin listener answers to the end.
    /// </summary>
    public async Task DrainAsync(TimeSpan deadline)
    {
        AnnounceDrain();
        await _reloader.SettleAsync();
        var traffic = _listeners.Traffic;
        Log.Draining(_logger, traffic.Count, deadline);
        // Clients first: a response that ends while listeners close must say already that it is the last.
        traffic.Drain();
        await _listeners.CloseTrafficAsync();

        var heartbeat = _transport.Heartbeat;
        var until = heartbeat.Now + heartbeat.Ticks(deadline);
        while (traffic.Count > 0 && heartbeat.Now < until && !_stopNow.Task.IsCompleted)
            await Task.WhenAny(heartbeat.NextTickAsync(), _stopNow.Task);

        if (traffic.Count > 0)
            Log.DrainCutOff(_logger, traffic.Count, traffic.DescribeWaits());
        else
            Log.Drained(_logger);
        traffic.Abort();
    }

    /// <summary>Ends a drain at once.</summary>
    public void StopNow() => _stopNow.TrySetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        AnnounceDrain();
        await _reloader.SettleAsync();
        await _listeners.CloseAsync();
        await _names.DisposeAsync();
        _dns.Dispose();
        await _health.DisposeAsync();
        foreach (var backend in _store.Current.Backends())
            backend.Pool.Retire();

        await _stop.CancelAsync();
        await _storeLoop;
        await _transport.DisposeAsync();
        _meter.Dispose();
        _reloader.Dispose();
        _stop.Dispose();
    }

    private Task<ReloadOutcome> ReloadAsync() => _reloader.ReloadAsync(_stop.Token);

    private void SweepBackends()
    {
        foreach (var backend in _store.Current.Backends())
            backend.Sweep();
    }

    private void WatchBackends()
    {
        foreach (var backend in _store.Current.Backends())
            backend.Watch();
    }
}
