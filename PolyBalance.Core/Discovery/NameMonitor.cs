using System.Net;
using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Discovery;

/// <summary>Keeps the backends of all names what name servers say: a loop for each name. Follows reloads.</summary>
/// <remarks>
/// Everything happens on the thread pool, off the way of requests. An answer that changes something is one change of
/// the snapshot, applied by the store's loop; the lock guards only which names there are.
/// </remarks>
internal sealed class NameMonitor : IAsyncDisposable
{
    private readonly SnapshotStore _store;
    private readonly SnapshotBuilder _builder;
    private readonly Resolver _resolver;
    private readonly TimeProvider _clock;
    private readonly NameLog _log;

    private readonly Lock _gate = new();    // guards what follows; nothing else is locked inside it
    private readonly Dictionary<LookUpKey, NameWatch> _watches = [];
    private readonly List<Task> _ending = [];
    private Dictionary<LookUpKey, (NameState State, NameNews News)> _prepared = [];
    private ProxyOptions? _file;
    private bool _isStopped;
    private volatile DnsOptions _rules = DnsOptions.Default;
    private volatile bool _isStarting = true;

    /// <summary>Prepares a monitor; it looks nothing up yet.</summary>
    /// <param name="store">Whose snapshots it follows and changes.</param>
    /// <param name="builder">Makes the next one.</param>
    /// <param name="resolver">Looks names up.</param>
    /// <param name="clock">When the next look-up is due.</param>
    /// <param name="logger">Hears of what changes.</param>
    public NameMonitor(
        SnapshotStore store, SnapshotBuilder builder, Resolver resolver, TimeProvider clock, ILogger logger)
    {
        (_store, _builder, _resolver, _clock) = (store, builder, resolver, clock);
        _log = new(logger);
        store.Published += Follow;
    }

    private TimeSpan Now => _clock.GetElapsedTime(0);

    /// <summary>
    /// Looks up every name once and returns when all have a result that is in force, or when time is over; it goes on
    /// either way. The store has to run.
    /// </summary>
    public async Task StartAsync(TimeSpan atMost)
    {
        Follow(_store.Current);
        var watches = Watches();
        using var done = new CancellationTokenSource();
        await Task.WhenAny(
            Task.WhenAll(watches.Select(watch => watch.FirstResult.Task)), Task.Delay(atMost, _clock, done.Token));
        await done.CancelAsync();
        _isStarting = false;
        foreach (var watch in watches.Where(watch => !watch.FirstResult.Task.IsCompleted))
            _log.NotYet(watch);
    }

    /// <summary>
    /// Looks up what only another file asks for, so that a reload does not begin without the backends of its names.
    /// Whatever has no result in time begins without them. Nothing is in force yet.
    /// </summary>
    /// <param name="file">What is about to be taken up.</param>
    /// <param name="atMost">How long.</param>
    /// <param name="stop">The gateway is at its end.</param>
    public async Task<FoundBackends> PrepareAsync(ProxyOptions file, TimeSpan atMost, CancellationToken stop)
    {
        var known = Watches().Select(watch => watch.Key).ToHashSet();
        using var time = new CancellationTokenSource(atMost, _clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stop);
        var prepared = await Task.WhenAll(FoundBackends.KeysOf(file).Where(key => !known.Contains(key))
            .Select(key => PrepareAsync(key, file.Dns, end.Token)));
        stop.ThrowIfCancellationRequested();

        var found = FoundBackends.None;
        var states = new Dictionary<LookUpKey, (NameState, NameNews)>();
        foreach (var (key, state, news) in prepared)
        {
            if (news is null)
                continue;

            states[key] = (state, news);
            found = found.With(key, state.Places);
        }

        lock (_gate)
            _prepared = states;
        return found;
    }

    /// <summary>What is known of every name now.</summary>
    public IReadOnlyList<NameView> Describe()
    {
        var now = Now;
        return
        [
            .. Watches().OrderBy(watch => watch.Key.Name, StringComparer.Ordinal).Select(
                watch => new NameView(watch.Key, watch.Outcomes, now - watch.KnownAt, watch.NextLookUp)),
        ];
    }

    /// <summary>Stops looking names up, and returns when no look-up runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] running;
        lock (_gate)
        {
            _isStopped = true;
            foreach (var watch in _watches.Values)
                End(watch);
            _watches.Clear();
            running = [.. _ending];
        }

        await Task.WhenAll(running);
    }

    // ---- which names

    // Called by the store's loop for every snapshot, most of which have nothing to do with names.
    private void Follow(Snapshot snapshot)
    {
        foreach (var key in snapshot.Config.Found.Leaving)
        {
            if (Succession.IsOver(snapshot, key))
                _ = EndLeavingAsync(key, CancellationToken.None);
        }

        lock (_gate)
        {
            var file = snapshot.Config.Written;
            if (_isStopped || ReferenceEquals(file, _file))
                return;

            var asked = FoundBackends.KeysOf(file);
            foreach (var watch in _watches.Values.Where(watch => !asked.Contains(watch.Key)).ToList())
            {
                _watches.Remove(watch.Key);
                End(watch);
            }

            if (_rules != file.Dns)
            {
                foreach (var watch in _watches.Values)
                    watch.Nudge();
            }

            (_file, _rules) = (file, file.Dns);
            foreach (var key in asked.Where(key => !_watches.ContainsKey(key)))
                Begin(key, snapshot.Config.Found[key]);
            _prepared = [];
        }
    }

    // Where nobody has looked up what is found already, a process that this one has taken over from has.
    private void Begin(LookUpKey key, EquatableArray<FoundPlace> found)
    {
        var (state, news) = _prepared.TryGetValue(key, out var prepared) ? prepared
            : (found.Count > 0
                ? NameState.With(Random.Shared, [.. found.Where(place => !place.IsLeaving)], Now)
                : new(Random.Shared), null);
        var watch = new NameWatch(key, state) { KnownAt = state.KnownAt };
        if (news is null && found.Count > 0)
            watch.FirstResult.TrySetResult();
        _watches.Add(key, watch);
        watch.Running = RunAsync(watch, news);
    }

    // The loops of names that are gone end soon; those that have ended already are forgotten.
    private void End(NameWatch watch)
    {
        _ending.RemoveAll(task => task.IsCompleted);
        _ending.Add(watch.Running);
        _ = watch.Stop.CancelAsync();
    }

    private List<NameWatch> Watches()
    {
        lock (_gate)
            return [.. _watches.Values];
    }

    // ---- one name

    private async Task RunAsync(NameWatch watch, NameNews? prepared)
    {
        // Whoever begins a watch holds the lock, on the store's loop.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (prepared is not null)
                await SettleAsync(watch, prepared, before: [], isInForce: true);
            while (true)
                await NextAsync(watch);
        }
        catch (OperationCanceledException) when (watch.Stop.IsCancellationRequested)
        {
            // Nobody asks for the name any more.
        }
    }

    private async Task NextAsync(NameWatch watch)
    {
        try
        {
            var before = watch.State.Places;
            await SettleAsync(watch, await LookUpAsync(watch), before, isInForce: false);
        }
        catch (Exception bug) when (bug is not OperationCanceledException)
        {
            _log.Broken(watch, bug);
            watch.FirstResult.TrySetResult();
            await watch.WaitAsync(_rules.TimeToLiveMax, _clock);
        }
    }

    private async Task<NameNews> LookUpAsync(NameWatch watch)
    {
        var result = await LookUpAsync(watch.Key, _rules, watch.Stop.Token);
        var news = watch.State.Observe(result, _rules, Now);
        watch.KnownAt = watch.State.KnownAt;
        return news;
    }

    // Puts in force what has changed, tells of it, and waits until the name is due again.
    private async Task SettleAsync(
        NameWatch watch, NameNews news, EquatableArray<FoundPlace> before, bool isInForce)
    {
        watch.Outcomes.Add((int)news.Outcome);
        if (news.HasChanged && !isInForce)
            await PublishAsync(watch);
        _log.Tell(watch, news, before, _rules.Hold);
        watch.FirstResult.TrySetResult();

        var delay = news.Delay;
        if (watch.LeavingUntil is { } until)
        {
            if (until <= Now)
            {
                watch.LeavingUntil = null;
                await EndLeavingAsync(watch.Key, watch.Stop.Token);
            }
            else if (until - Now < delay)
            {
                delay = until - Now;
            }
        }

        await watch.WaitAsync(delay, _clock);
    }

    private async Task PublishAsync(NameWatch watch)
    {
        var (key, places, isStarting) = (watch.Key, watch.State.Places, _isStarting);
        var (isLeaving, superseded) = await _store.ChangeAsync(
            found =>
            {
                // A reload may have been faster.
                if (!FoundBackends.KeysOf(found.Config.Written).Contains(key))
                    return (found, (false, []));

                var next = Succession.Of(found, key, places);
                return (
                    _builder.Discover(found.Config.Found.With(key, next), found, isStarting, out var over),
                    (next.Any(place => place.IsLeaving), over));
            },
            watch.Stop.Token);
        if (isLeaving && watch.LeavingUntil is null)
            _log.Leaving(watch, _rules.Hold);
        watch.LeavingUntil = isLeaving ? watch.LeavingUntil ?? Now + _rules.Hold : null;
        _log.Superseded(superseded);
    }

    private async Task EndLeavingAsync(LookUpKey key, CancellationToken stop)
    {
        var superseded = await _store.ChangeAsync(
            found => found.Config.Found.Leaving.Contains(key)
                ? (_builder.Discover(
                    found.Config.Found.WithoutLeaving(key), found, isAtStart: false, out var over), over)
                : (found, []),
            stop);
        _log.Superseded(superseded);
    }

    private async Task<(LookUpKey Key, NameState State, NameNews? News)> PrepareAsync(
        LookUpKey key, DnsOptions rules, CancellationToken end)
    {
        var state = new NameState(Random.Shared);
        try
        {
            return (key, state, state.Observe(await LookUpAsync(key, rules, end), rules, Now));
        }
        catch (OperationCanceledException)
        {
            return (key, state, null);
        }
    }

    private Task<LookUpResult> LookUpAsync(LookUpKey key, DnsOptions rules, CancellationToken end)
    {
        var servers = rules.Servers.Select(server => new IPEndPoint(IPAddress.Parse(server.Host), server.Port));
        var how = new ResolverRules([.. servers], rules.Timeout);
        return key.Kind == LookUpKind.Places
            ? _resolver.FindPlacesAsync(key.Name, how, end)
            : _resolver.FindHostAsync(key.Name, how, end);
    }
}
