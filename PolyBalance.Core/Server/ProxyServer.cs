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
    private static readonly TimeSpan OperatorGrace = TimeSpan.FromSeconds(2);
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
    private readonly Predecessor? _predecessor;
    private readonly Reloader _reloader;
    private readonly Handover _handover;
    private readonly GatewayMetrics _metrics = new();
    private readonly MeterView _meter;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopNow = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _storeLoop = Task.CompletedTask;
    private Task _following = Task.CompletedTask;
    private long _drainUntil;
    private volatile bool _isLeaving;

    private ProxyServer(
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink, IConfigSource? source, ITransport transport,
        TimeProvider clock, GivenSockets given, Predecessor? predecessor)
    {
        _options = options;
        _logger = logs.CreateLogger("polybalance");
        _transport = transport;
        _metrics.Duration.Prepare();
        _metrics.Overhead.Prepare();
        // The first snapshot takes up what is known of backends by itself.
        var news = new BackendNews(_logger, () => _store?.RequestRefresh(), _metrics);
        var builder = new SnapshotBuilder(transport, clock, news);
        _predecessor = predecessor;
        _store = new(predecessor is null
            ? builder.Build(options, previous: null)
            : builder.Begin(options, HandoverContents.LegacyOf(predecessor.State, BackendsAdmin.Reread, NoteGone)));
        var means = new ProbeMeans(transport, clock);
        _health = new(_store, means, new Random(), _logger);
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
            IsHandingOver = () => _handover?.HasBegun ?? false,
            UpgradeAsync = () => Upgrade?.Invoke() ?? Task.FromResult(UpgradeOutcome.Impossible),
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
        var probes = new FirstProbes(means, _logger);
        _reloader = new(source, _store, builder, _names, probes, _listeners, _metrics, _logger) { Sink = sink };
        _handover = new(_store, _reloader, _listeners, _metrics);
        if (predecessor is not null)
            _handover.AddCounters(predecessor.State.Counters);
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
    /// <param name="predecessor">
    /// Whom this gateway takes over from; null: from nobody. Its sockets are used instead of those that are given; the
    /// caller disposes it after the gateway.
    /// </param>
    /// <exception cref="TransportException">
    /// The transport that the options ask for is not to be had. The message says what to do.
    /// </exception>
    public static ProxyServer Create(
        ProxyOptions options, ILoggerFactory logs, IExchangeSink? sink = null, IConfigSource? source = null,
        GivenSockets? given = null, Predecessor? predecessor = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(logs);
        var transport = TransportChoice.Start(
            options.Transport, options.Workers, TimeProvider.System, out var obstacle);
        var server = Create(options, logs, sink, transport, TimeProvider.System, source, given, predecessor);
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
        IConfigSource? source = null, GivenSockets? given = null, Predecessor? predecessor = null)
        => new(
            options, logs, sink, source, transport, clock, predecessor?.Sockets ?? given ?? GivenSockets.None,
            predecessor);

    /// <summary>
    /// Has another process take the place of this one: what <c>POST /admin/upgrade</c> orders. Set before the start.
    /// </summary>
    public Func<Task<UpgradeOutcome>>? Upgrade { get; set; }

    /// <summary>How many exchanges wait for somebody of this kind now.</summary>
    internal int CountWaiting(WaitKind kind) => _listeners.Traffic.CountWaiting(kind);

    /// <summary>The snapshot in force.</summary>
    internal SnapshotStore Store => _store;

    /// <summary>What was kept of exchanges that went wrong.</summary>
    internal FlightRecorder Flights => _metrics.Flights;

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
        if (_predecessor is not null)
            await _predecessor.TakeTurnAsync(_stop.Token);
        await _listeners.CommitAsync(opened, _options, _reloader.Sink);
        foreach (var address in _given.Unused)
            Log.GivenSocketUnused(_logger, address);
        _given.CloseUnused();
        if (_predecessor is not null)
        {
            await _predecessor.ReportReadyAsync(_stop.Token);
            _following = _predecessor.FollowAsync(
                _handover.AddCounters, _handover.AddFlights, _stop.Token);
        }
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
    /// Gives everything to a process that takes over: the listening sockets, what is known of backends, what operators
    /// have changed, what was counted. When it accepts clients, none are accepted here any more, and
    /// <see cref="DrainAsync"/> is to follow.
    /// </summary>
    /// <param name="successor">The process, which has come already.</param>
    /// <param name="end">
    /// Ends that process, and returns when it has ended. It is called with the failure before this gateway accepts
    /// clients again: one process does at any moment.
    /// </param>
    /// <param name="cancel">Gives up; this gateway goes on as before.</param>
    /// <exception cref="HandoverException">
    /// The other process could not take over; this gateway goes on as before. The message says why.
    /// </exception>
    public async Task HandOverAsync(Successor successor, Func<Exception, Task> end, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(successor);
        ArgumentNullException.ThrowIfNull(end);
        await _handover.RunAsync(successor, end, cancel, _stop.Token);
        _isLeaving = true;
    }

    /// <summary>
    /// Tells a process that has taken over what was counted here since the last time, and what went wrong; so that its
    /// figures and its record are those of both. After <see cref="HandOverAsync"/>, one caller at a time.
    /// </summary>
    public Task TellAsync(Successor successor)
    {
        ArgumentNullException.ThrowIfNull(successor);
        return _handover.TellAsync(successor, _stop.Token);
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
        if (_handover.HasBegun)
            _listeners.Operators.Drain();

        var heartbeat = _transport.Heartbeat;
        ShortenDrain(deadline);
        while (traffic.Count > 0 && heartbeat.Now < Volatile.Read(ref _drainUntil) && !_stopNow.Task.IsCompleted)
            await Task.WhenAny(heartbeat.NextTickAsync(), _stopNow.Task);

        if (traffic.Count > 0)
            Log.DrainCutOff(_logger, traffic.Count, traffic.DescribeWaits());
        else
            Log.Drained(_logger);
        traffic.Abort();

        // Whoever has ordered an upgrade is still to be told that it is done.
        var grace = heartbeat.Now + heartbeat.Ticks(OperatorGrace);
        while (_handover.HasBegun && _listeners.Operators.Count > 0 && heartbeat.Now < grace)
            await heartbeat.NextTickAsync();
    }

    /// <summary>Gives a drain less time: so much from now on. Any thread.</summary>
    public void ShortenDrain(TimeSpan deadline)
    {
        var until = _transport.Heartbeat.Now + _transport.Heartbeat.Ticks(deadline);
        var before = Volatile.Read(ref _drainUntil);
        if (before == 0 || until < before)
            Volatile.Write(ref _drainUntil, until);
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
        await _following;
        await _storeLoop;
        await _transport.DisposeAsync();
        _meter.Dispose();
        _reloader.Dispose();
        _stop.Dispose();
    }

    private void NoteGone(RuntimeChange change) => Log.ChangeSuperseded(_logger, change.ToString());

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
