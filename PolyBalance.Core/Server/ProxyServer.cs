using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ObjectPool;
using PolyBalance.Admin;
using PolyBalance.Backends;
using PolyBalance.Configuration;
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
    private readonly IExchangeSink? _sink;
    private readonly SnapshotStore _store;
    private readonly HealthMonitor _health;
    private readonly ProxyHandler _proxy;
    private readonly AdminHandler _admin;
    private readonly GatewayMetrics _metrics = new();
    private readonly ConnectionRegistry _traffic = new(firstNumber: 0);
    private readonly ConnectionRegistry _operators = new(firstNumber: 1L << 39);
    private readonly List<Listener> _trafficListeners = [];
    private readonly List<Listener> _adminListeners = [];
    private readonly List<string> _listening = [];
    private readonly ObjectPool<Exchange> _exchanges =
        new LanePool<Exchange>(static () => new(), static exchange => exchange.TryReset(), Limits.SuspendedCallsKept);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopNow = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _storeLoop = Task.CompletedTask;
    private volatile bool _isLeaving;

    private ProxyServer(
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink, ITransport transport, TimeProvider clock)
    {
        _options = options;
        _logger = logs.CreateLogger("polybalance");
        _sink = sink;
        _transport = transport;
        _metrics.Duration.Prepare();
        _metrics.Overhead.Prepare();
        // The first snapshot takes up what is known of backends by itself.
        var news = new BackendNews(_logger, () => _store?.RequestRefresh(), _metrics);
        _store = new(new SnapshotBuilder(transport, clock, news).Build(options, previous: null));
        _health = new(_store, new(transport, clock), new Random(), _logger);
        _proxy = new(_store, new Attempt(new HttpDate(transport.Heartbeat)), _metrics);
        _admin = new(new(_store, _metrics, transport, sink, () => _traffic.Count, () => _isLeaving));
    }

    /// <summary>
    /// What listens where, with real ports: "traffic on 0.0.0.0:8000". Empty before <see cref="StartAsync"/>.
    /// </summary>
    public IReadOnlyList<string> Listening => _listening;

    /// <summary>The addresses of the traffic listeners, in the order of the file, with real ports.</summary>
    public IReadOnlyList<string> TrafficAddresses => _trafficListeners.ConvertAll(listener => listener.Address);

    /// <summary>The transport in use.</summary>
    public string TransportName => _transport.Name;

    /// <summary>Client connections open now.</summary>
    public int ClientConnections => _traffic.Count;

    /// <summary>Puts a gateway together and starts its transport; nothing listens yet.</summary>
    /// <param name="options">Validated options.</param>
    /// <param name="logs">Where messages go.</param>
    /// <param name="sink">Hears of every finished exchange; null: nobody does.</param>
    /// <exception cref="TransportException">
    /// The transport that the options ask for is not to be had. The message says what to do.
    /// </exception>
    public static ProxyServer Create(ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logs);
        var transport = TransportChoice.Start(
            options.Transport, options.Workers, TimeProvider.System, out var obstacle);
        var server = Create(options, logs, sink, transport, TimeProvider.System);
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
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink, ITransport transport, TimeProvider clock)
        => new(options, logs, sink, transport, clock);

    /// <summary>The snapshot in force.</summary>
    internal SnapshotStore Store => _store;

    /// <summary>What probes know of every backend.</summary>
    internal HealthMonitor Health => _health;

    /// <summary>
    /// Probes every backend once, five seconds at most, and then listens on every address; all of them, or none.
    /// </summary>
    /// <exception cref="ListenException">An address cannot be listened on. The message says what to do.</exception>
    public async Task StartAsync()
    {
        _storeLoop = _store.RunAsync(_stop.Token);
        await _health.StartAsync(FirstRoundMax);
        try
        {
            foreach (var listener in _options.Listeners)
            {
                IExchangeHandler handler = listener.Expose.Count > 0
                    ? new ExposedPaths(listener.Expose, _admin, _proxy)
                    : _proxy;
                Open(_trafficListeners, "traffic", listener, handler, _traffic, _options.Limits.ConnectionsMax);
            }

            if (_options.Admin is { } admin)
            {
                var listener = new ListenerOptions { Bind = admin.Bind };
                Open(_adminListeners, "admin", listener, _admin, _operators, Limits.OperatorConnectionsMax);
            }
        }
        catch (ListenException)
        {
            await CloseAsync(_trafficListeners);
            await CloseAsync(_adminListeners);
            throw;
        }

        _transport.Heartbeat.Every(SweepPeriod, SweepBackends);
        _transport.Heartbeat.Every(WatchPeriod, WatchBackends);
        new FileWatch(_transport.Files, _store, _transport.Heartbeat, _logger).Start(_options.Limits.ConnectionsMax);
        new RetryWatch(_store, _transport.Heartbeat, _logger).Start();
        new QueueWatch(_store, _transport.Heartbeat, _logger).Start();
        foreach (var listener in _trafficListeners.Concat(_adminListeners))
            listener.Start();
    }

    /// <summary>
    /// Says from now on that no more traffic should be sent here; everything else goes on. For whoever lets those who
    /// send it find out before <see cref="DrainAsync"/>. Any thread.
    /// </summary>
    public void AnnounceDrain() => _isLeaving = true;

    /// <summary>
    /// Stops accepting, closes idle connections, and lets exchanges finish until the deadline; then ends what is left.
    /// The admin listener answers to the end.
    /// </summary>
    public async Task DrainAsync(TimeSpan deadline)
    {
        AnnounceDrain();
        Log.Draining(_logger, _traffic.Count, deadline);
        // Clients first: a response that ends while listeners close must say already that it is the last.
        _traffic.Drain();
        await CloseAsync(_trafficListeners);

        var heartbeat = _transport.Heartbeat;
        var until = heartbeat.Now + heartbeat.Ticks(deadline);
        while (_traffic.Count > 0 && heartbeat.Now < until && !_stopNow.Task.IsCompleted)
            await Task.WhenAny(heartbeat.NextTickAsync(), _stopNow.Task);

        if (_traffic.Count > 0)
            Log.DrainCutOff(_logger, _traffic.Count);
        else
            Log.Drained(_logger);
        _traffic.Abort();
    }

    /// <summary>Ends a drain at once.</summary>
    public void StopNow() => _stopNow.TrySetResult();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync(_trafficListeners);
        await CloseAsync(_adminListeners);
        _traffic.Abort();
        _operators.Abort();
        await _health.DisposeAsync();
        foreach (var backend in _store.Current.Backends())
            backend.Pool.Retire();

        await _stop.CancelAsync();
        await _storeLoop;
        await _transport.DisposeAsync();
        _stop.Dispose();
    }

    private static async Task CloseAsync(List<Listener> listeners)
    {
        foreach (var listener in listeners)
            await listener.DisposeAsync();
    }

    private static EndPoint EndPointOf(Address address)
    {
        if (address.IsUnix)
            return new UnixDomainSocketEndPoint(address.Path);
        if (address.Host.Length == 0)
            return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, address.Port);
        if (IPAddress.TryParse(address.Host, out var literal))
            return new IPEndPoint(literal, address.Port);

        try
        {
            return new IPEndPoint(Dns.GetHostAddresses(address.Host)[0], address.Port);
        }
        catch (SocketException exception)
        {
            throw new ListenException(
                $"Cannot listen on {address}: the name cannot be resolved. Write an IP address.", exception);
        }
    }

    private void Open(
        List<Listener> listeners, string purpose, ListenerOptions options, IExchangeHandler handler,
        ConnectionRegistry registry, int connectionsMax)
    {
        var socket = _transport.Listen(EndPointOf(options.Bind));
        var rules = new ClientRules(_options.Timeouts, _options.Limits, options, _transport.Heartbeat);
        var isTraffic = registry == _traffic;
        var sink = isTraffic ? _sink : null;
        var metrics = isTraffic ? _metrics : null;
        var wiring = new ListenerWiring(handler, rules, sink, _transport.Heartbeat, _exchanges, _logger, metrics);
        var files = isTraffic ? _transport.Files : null;
        var listener = new Listener(socket, wiring, registry, connectionsMax, files);
        listeners.Add(listener);
        _listening.Add($"{purpose} on {listener.Address}");
        Log.Listening(_logger, purpose, listener.Address, _transport.Name);
    }

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
