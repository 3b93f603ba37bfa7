using Microsoft.Extensions.Logging;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Health;

/// <summary>Keeps the verdicts of all backends true: probes each on a timer of its own, and follows reloads.</summary>
/// <remarks>
/// Probes start on the thread pool and go on where the transport moves their bytes; what they find is taken in under a
/// lock that is held for some assignments. A verdict that changes is told to its <see cref="Backend"/>, and the store
/// is asked for the next snapshot; nobody on the request path waits for anything here.
/// </remarks>
internal sealed class HealthMonitor : IAsyncDisposable
{
    private readonly SnapshotStore _store;
    private readonly ProbeMeans _means;
    private readonly ILogger _logger;
    private readonly Func<ProbeKind, IProbe> _probes;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _firstRound = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _gate = new();    // guards what follows and every watch; nothing else is locked inside it
    private readonly Dictionary<(string Cluster, Address Address), BackendWatch> _watches = [];
    private readonly Queue<BackendWatch> _waiting = new();
    private readonly HashSet<string> _hinted = [];
    private readonly ProbeSchedule _schedule;
    private ProxyOptions? _options;
    private int _probing;
    private bool _isStarting = true;
    private bool _isWhole;
    private bool _isStopped;

    /// <summary>Prepares a monitor; it probes nothing yet.</summary>
    /// <param name="store">Whose backends are probed, and whom news is for.</param>
    /// <param name="means">What probes work with.</param>
    /// <param name="random">Spreads the probes.</param>
    /// <param name="logger">Hears of every verdict that changes.</param>
    /// <param name="probes">The probe of a kind; null: those of <see cref="Probes"/>.</param>
    public HealthMonitor(
        SnapshotStore store, ProbeMeans means, Random random, ILogger logger, Func<ProbeKind, IProbe>? probes = null)
    {
        _store = store;
        _means = means;
        _schedule = new(random);
        _logger = logger;
        _probes = probes ?? Probes.Of;
        store.Published += Follow;
    }

    /// <summary>Probes that run now.</summary>
    public int Probing
    {
        get
        {
            lock (_gate)
                return _probing;
        }
    }

    /// <summary>
    /// Probes every backend once and returns when all have a verdict, or when time is over; probing goes on either way.
    /// What was found out by then is in the snapshot: the store has to run.
    /// </summary>
    /// <param name="atMost">How long.</param>
    /// <param name="isWhole">When it has ended, all backends are known that there are to begin with.</param>
    public async Task StartAsync(TimeSpan atMost, Task isWhole)
    {
        Follow(_store.Current);
        using var done = new CancellationTokenSource();
        var atEnd = Task.Delay(atMost, _means.Clock, done.Token);
        await Task.WhenAny(isWhole, atEnd);
        lock (_gate)
        {
            _isWhole = true;
            EndFirstRoundIfComplete();
        }

        await Task.WhenAny(_firstRound.Task, atEnd);
        await done.CancelAsync();

        bool hasProbed;
        lock (_gate)
        {
            _isStarting = false;
            hasProbed = _watches.Count > 0;
        }

        SumUp(Describe(), hasProbed);

        // Changes are applied in order: once this one is, so are the verdicts of the round.
        var applied = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _store.PublishAsync(
            found =>
            {
                applied.SetResult();
                return found;
            },
            _stop.Token);
        await applied.Task;
    }

    /// <summary>What is known now of every backend, in the order of the file.</summary>
    public IReadOnlyList<HealthView> Describe()
    {
        var views = new List<HealthView>();
        lock (_gate)
        {
            foreach (var cluster in _store.Current.Clusters)
            {
                foreach (var backend in cluster.Backends)
                    views.Add(Describe(cluster.Name, backend));
            }
        }

        return views;
    }

    /// <summary>Stops probing, and returns when no probe runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isStopped = true;
            foreach (var watch in _watches.Values)
                watch.Timer?.Dispose();
            if (_probing == 0)
                _quiet.TrySetResult();
        }

        await _stop.CancelAsync();
        await _quiet.Task;
        _stop.Dispose();
    }

    // ---- what is probed

    // Called by the store's loop for every snapshot, most of which only have other eligible backends.
    private void Follow(Snapshot snapshot)
    {
        var mustRefresh = false;
        lock (_gate)
        {
            if (_isStopped || ReferenceEquals(snapshot.Options, _options))
                return;

            _options = snapshot.Options;
            var left = new HashSet<(string, Address)>(_watches.Keys);
            foreach (var cluster in snapshot.Clusters)
            {
                for (var index = 0; index < cluster.Backends.Length; index++)
                {
                    var (backend, check) = (cluster.Backends[index], cluster.Options.Backends[index].Health);
                    if (check is null)
                        mustRefresh |= Trust(backend);
                    else
                    {
                        Watch(cluster.Name, backend, check);
                        left.Remove((cluster.Name, backend.Key.Address));
                    }
                }
            }

            foreach (var key in left)
                Retire(key);
            StartDue();
        }

        if (mustRefresh)
            _store.RequestRefresh();
    }

    private static bool Trust(Backend backend)
    {
        var isNews = backend.Verdict != Verdict.Healthy;
        backend.Judge(Verdict.Healthy);
        backend.EndDrain(DrainCauses.Probe, "it is not probed any more");
        return isNews;
    }

    private void Watch(string cluster, Backend backend, HealthOptions check)
    {
        var key = (cluster, backend.Key.Address);
        if (!_watches.TryGetValue(key, out var watch))
        {
            watch = new(cluster, backend.Key.Address, _means.Clock)
            {
                Backend = backend,
                Check = check,
                // At the start only a process that this one has taken over from can have known a verdict.
                State = new(check.HealthyThreshold, check.UnhealthyThreshold, _isStarting ? backend.Verdict : default),
            };
            watch.Timer = _means.Clock.CreateTimer(
                state => OnDue((BackendWatch)state!), watch, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _watches.Add(key, watch);
            Queue(watch);
            return;
        }

        if (watch.Backend != backend && watch.State.Verdict != Verdict.Unknown)
            backend.Judge(watch.State.Verdict);
        watch.Backend = backend;
        if (watch.Check == check)
            return;

        watch.Begin(check);
        _hinted.Remove(cluster);
        Queue(watch);
    }

    private void Retire((string Cluster, Address Address) key)
    {
        _watches.Remove(key, out var watch);
        watch!.IsRetired = true;
        watch.Timer!.Dispose();
        _hinted.Remove(key.Cluster);
    }

    // ---- when

    private void OnDue(BackendWatch watch)
    {
        lock (_gate)
        {
            Queue(watch);
            StartDue();
        }
    }

    // A probe that runs asks for the next one itself when it has ended.
    private void Queue(BackendWatch watch)
    {
        if (watch.IsRetired || watch.IsProbing || watch.IsWaiting)
            return;

        watch.Timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        watch.NextCheck = null;
        watch.IsWaiting = true;
        _waiting.Enqueue(watch);
    }

    private void StartDue()
    {
        while (!_isStopped && _probing < _options!.ConcurrentProbesMax && _waiting.TryDequeue(out var watch))
        {
            watch.IsWaiting = false;
            if (watch.IsRetired)
                continue;

            _probing++;
            watch.IsProbing = true;
            var target = new ProbeTarget(
                watch.Cluster, watch.Backend.Name, watch.Address, watch.Places, watch.Check);
            _ = ProbeAsync(watch, target, watch.Generation);
        }
    }

    private async Task ProbeAsync(BackendWatch watch, ProbeTarget target, int generation)
    {
        // Whoever has found a probe due may be a loop of the transport, and holds the lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var clock = _means.Clock;
        var (started, at) = (clock.GetTimestamp(), clock.GetUtcNow());
        var answer = await Probes.RunAsync(_probes(target.Check.Kind), target, _means, _logger, _stop.Token);
        Settle(watch, generation, new(answer, at, clock.GetElapsedTime(started)));
    }

    // ---- what came out

    private void Settle(BackendWatch watch, int generation, in ProbeResult result)
    {
        var news = default(Action<ILogger, BackendWatch, string>);
        var isHint = false;
        lock (_gate)
        {
            _probing--;
            watch.IsProbing = false;
            if (_isStopped)
            {
                if (_probing == 0)
                    _quiet.TrySetResult();
                return;
            }

            if (watch.IsRetired || generation != watch.Generation)
            {
                Queue(watch);
            }
            else if (result.Answer.IsVoid)
            {
                Schedule(watch, ProbeSchedule.RecheckMax);
            }
            else
            {
                news = Observe(watch, result);
                isHint = IsHint(watch, result.Answer);
                EndFirstRoundIfComplete();
            }

            StartDue();
        }

        if (isHint)
            Log.EveryProbeNotFound(_logger, watch.Cluster);
        news?.Invoke(_logger, watch, result.Answer.Reason);
    }

    // What to tell operators; null: nothing has changed for traffic.
    private Action<ILogger, BackendWatch, string>? Observe(BackendWatch watch, in ProbeResult result)
    {
        var isFirst = watch.State.Verdict == Verdict.Unknown;
        watch.State.Observe(result);
        watch.Backend.Metrics.ObserveProbe(result.Answer.Passed);
        var delay = isFirst
            ? _schedule.FirstOffset(watch.Check)
            : _schedule.Next(watch.Check, watch.State.IsInTransition) - result.Duration;
        Schedule(watch, delay > TimeSpan.Zero ? delay : TimeSpan.Zero);

        var (before, verdict) = (watch.Backend.Verdict, watch.State.Verdict);
        watch.ObserveDrain(result.Answer, hasComeBack: before == Verdict.Unhealthy && verdict == Verdict.Healthy);
        if (verdict == before)
            return null;

        watch.Backend.Judge(verdict);
        if (before != Verdict.Unknown)
            watch.Backend.Metrics.ObserveTransition(verdict == Verdict.Healthy);
        _store.RequestRefresh();
        if (verdict == Verdict.Unhealthy)
            return static (log, watch, reason) => Log.BackendUnhealthy(log, watch.Backend.Name, watch.Cluster, reason);

        // At the start one line for all of them says enough.
        return before == Verdict.Unknown && _isStarting
            ? null
            : static (log, watch, reason) => Log.BackendHealthy(log, watch.Backend.Name, watch.Cluster, reason);
    }

    private void Schedule(BackendWatch watch, TimeSpan delay)
    {
        watch.NextCheck = _means.Clock.GetUtcNow() + delay;
        watch.Timer!.Change(delay, Timeout.InfiniteTimeSpan);
    }

    private void EndFirstRoundIfComplete()
    {
        if (_isStarting && _isWhole && _watches.Values.All(watch => watch.HasVerdict))
            _firstRound.TrySetResult();
    }

    private void SumUp(IReadOnlyList<HealthView> views, bool hasProbed)
    {
        var (healthy, unhealthy) = (0, 0);
        foreach (var view in views)
        {
            healthy += view.Verdict == Verdict.Healthy ? 1 : 0;
            unhealthy += view.Verdict == Verdict.Unhealthy ? 1 : 0;
        }

        if (hasProbed)
            Log.ProbedBeforeListening(_logger, views.Count, healthy, unhealthy, views.Count - healthy - unhealthy);
        if (healthy == 0)
            Log.NoneHealthy(_logger);
    }

    private bool IsHint(BackendWatch watch, in ProbeAnswer answer)
    {
        watch.HasAnsweredOtherwise |= answer.Passed || answer.Status is not (0 or 404);
        if (answer.Status != 404 || answer.Passed || _hinted.Contains(watch.Cluster))
            return false;

        foreach (var other in _watches.Values)
        {
            if (other.Cluster == watch.Cluster && (other.HasAnsweredOtherwise || other.State.Last is null))
                return false;
        }

        return _hinted.Add(watch.Cluster);
    }

    private HealthView Describe(string cluster, Backend backend)
    {
        var watch = _watches.GetValueOrDefault((cluster, backend.Key.Address));
        var state = watch?.State;
        return new(
            cluster, backend.Name, backend.Address, backend.Verdict, state?.Last?.At, state?.ConsecutivePasses ?? 0,
            state?.ConsecutiveFailures ?? 0, state?.LastError, watch?.NextCheck, state?.History() ?? []);
    }
}
