using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Health;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Simulation;

/// <summary>
/// One schedule: clients, backends with moods, probes and the periods of the server on a virtual clock. No socket, no
/// thread; no task is awaited: one queue of events in the order of their times, one seed.
/// </summary>
internal sealed class SimulatedGateway
{
    // As often as the server looks: ProxyServer and ClusterWatch.
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);

    // Longer than all attempts of one exchange can take.
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private static readonly BlockPool Blocks = new();

    private readonly Random _random;
    private readonly Plan _plan;
    private readonly Policies _policies;
    private readonly ManualClock _clock = new();
    private readonly PriorityQueue<Event, (long Time, long Order)> _events = new();
    private readonly List<SimulatedExchange> _exchanges = [];
    private readonly List<SimulatedBackend> _backends = [];
    private readonly ProbeSchedule _probes;
    private readonly Oracle _oracle;
    private readonly SimulatedQueue _queue;
    private readonly SnapshotBuilder _builder;
    private Snapshot _snapshot;
    private bool _isRefreshAsked;
    private long _order;
    private int _running;

    private SimulatedGateway(int seed, Policies policies)
    {
        _random = new(seed);
        _plan = new(_random);
        _policies = policies;
        _probes = new(_random);
        var news = BackendNews.ToNobody with { RequestRefresh = AskForRefresh };
        var transport = new MemoryTransport(_clock, Blocks);
        _builder = new(transport, _clock, news, _random);
        _snapshot = _builder.Build(_plan.Options, previous: null);
        foreach (var known in Cluster.Backends)
            _backends.Add(new(_backends.Count, known, _plan.Cluster.Backends[_backends.Count]));
        _oracle = new(_plan.Cluster, _backends);
        _queue = new(transport.Heartbeat, policies, _oracle);
    }

    /// <summary>What happened.</summary>
    public Journal Journal { get; } = new();

    /// <summary>Exchanges that there were.</summary>
    public int Exchanges => _exchanges.Count;

    /// <summary>How waits ended.</summary>
    public IReadOnlyCollection<FailureKind> WaitEnds => _queue.Ends;

    private Cluster Cluster => _snapshot.Clusters[0];

    private long Now => _clock.GetTimestamp();

    /// <summary>Runs a schedule to its end.</summary>
    /// <param name="seed">The same seed makes the same schedule.</param>
    /// <param name="policies">What decides.</param>
    /// <exception cref="Violation">A rule was broken; the text says by what, when, and how to see it again.</exception>
    public static SimulatedGateway Run(int seed, Policies policies)
    {
        var simulation = new SimulatedGateway(seed, policies);
        try
        {
            simulation.Run();
        }
        catch (Violation violation)
        {
            throw new Violation(violation.Rule, $"""
                {violation.Rule}: {violation.Message}
                seed {seed}, {simulation._clock.Elapsed}, event {simulation.Journal.Count}
                {simulation.Cluster.Options.Algorithm}, {simulation._backends.Count} backends; the latest events:
                {simulation.Journal}To see it again: {SimulationTests.SeedVariable}={seed}
                """);
        }

        return simulation;
    }

    private void Run()
    {
        _oracle.AfterRefresh(Cluster, Now);
        foreach (var backend in _backends)
        {
            At(TimeSpan.Zero, Happening.MoodChanges, backend);
            if (backend.Probed is not null)
                At(TimeSpan.Zero, Happening.ProbeBegins, backend);
        }

        At(WatchPeriod, Happening.Watches);
        At(SweepPeriod, Happening.Sweeps);
        At(SweepPeriod, Happening.CountsRequests);
        if (_plan.Reloads > 0)
            At(_plan.Length / _plan.Reloads, Happening.Reloads);

        // Listeners open when the first round of probes is over, and after five seconds at the latest.
        At(TimeSpan.FromMilliseconds(_random.Next(0, 5_000)), Happening.Arrives);
        while (_clock.Elapsed < _plan.Length || (_running > 0 && _clock.Elapsed < _plan.Length + Grace))
        {
            _events.TryDequeue(out var next, out var when);
            _clock.Advance(TimeSpan.FromTicks(when.Time - Now));
            _queue.Collect();
            Take(next);
            GoOn();
            _oracle.Queue.Check(Cluster.Queue.Waiting, Now);
        }

        _oracle.Finish(_exchanges);
    }

    private void Take(in Event next)
    {
        switch (next.What)
        {
            case Happening.Arrives:
                Arrive();
                break;
            case Happening.Ends when next.Exchange!.IsRunning && next.Exchange.Attempts == next.Attempt:
                End(next.Exchange, next.Exchange.Fate.Failure, next.Exchange.Fate.Status);
                break;
            case Happening.ClientLeaves when next.Exchange!.IsRunning:
                Journal.Note(Now, next.What, next.Exchange.Number, 0);
                next.Exchange.HasClientLeft = true;
                End(next.Exchange, FailureKind.ClientClosed, status: 0);
                break;
            case Happening.ClientLeaves when next.Exchange!.IsWaiting:
                Journal.Note(Now, next.What, next.Exchange.Number, 1);
                _queue.Leave(next.Exchange);
                break;
            case Happening.MoodChanges:
                ChangeMood(next.Backend!);
                break;
            case Happening.ProbeBegins:
                BeginProbe(next.Backend!);
                break;
            case Happening.ProbeEnds:
                EndProbe(next.Backend!, next.Passes);
                break;
            case Happening.Refreshes:
                Refresh();
                break;
            case Happening.Reloads:
                Reload();
                break;
            case Happening.Watches:
                foreach (var backend in _backends)
                    backend.Known.Watch();
                At(WatchPeriod, Happening.Watches);
                break;
            case Happening.Sweeps:
                Sweep();
                break;
            case Happening.CountsRequests:
                Cluster.RetryBudget.Observe(Now, Cluster.CountAttempts());
                At(SweepPeriod, Happening.CountsRequests);
                break;
        }
    }

    // ---- the way of a request, in the order of ProxyHandler.HandleAsync

    private void Arrive()
    {
        _oracle.CheckWorld(Now);
        var exchange = new SimulatedExchange(_exchanges.Count, Cluster)
        {
            Key = Cluster.Affinity is null ? 0 : (ulong)_random.Next(0, 50),
            IsRepeatable = _random.Next(100) < _plan.RepeatablePercent,
            HasContent = _random.Next(2) == 0,
        };
        Journal.Note(Now, Happening.Arrives, exchange.Number, exchange.IsRepeatable ? 1 : 0);
        _exchanges.Add(exchange);
        _running++;
        if (_random.Next(100) < _plan.ImpatientPercent)
            At(TimeSpan.FromMilliseconds(_random.Next(0, 200)), Happening.ClientLeaves, exchange: exchange);

        var pause = -Math.Log(1 - _random.NextDouble()) * (_plan.Length / _plan.Requests);
        if (_clock.Elapsed + pause < _plan.Length)
            At(pause, Happening.Arrives);
        TryNext(exchange);
    }

    private void TryNext(SimulatedExchange exchange)
    {
        if (exchange.MustBeFresh && exchange.Backend!.Known.TryBegin(isLastResort: true, out var admission))
        {
            exchange.Cluster.RetryBudget.NoteResend();
            Journal.Note(Now, Happening.Resends, exchange.Number, exchange.Backend.Number);
            _oracle.Take(exchange, exchange.Backend.Known);
            Begin(exchange, admission);
            return;
        }

        exchange.MustBeFresh = false;
        if (!_policies.MayTry(exchange, Now))
        {
            Answer(exchange);
            return;
        }

        if (exchange.Tries++ > 0)
            _oracle.CheckRetry(exchange, Now);

        if (_policies.Choose(exchange, Now, (ulong)_random.NextInt64(), out admission) is { } chosen)
        {
            _oracle.Take(exchange, chosen);
            _oracle.CheckChoice(exchange, chosen, Now);
            BeginAt(chosen, exchange, admission);
        }
        else if (_policies.Waits(exchange))
        {
            // An event at the tick that ends the wait: whoever it ends goes on at that time, and not at a later one.
            Journal.Note(Now, Happening.Waits, exchange.Number, exchange.Tries);
            At(TimeSpan.FromTicks(_queue.Join(exchange) - Now), Happening.TimeIsOver);
        }
        else
        {
            _oracle.CheckRefusal(exchange);
            Answer(exchange);
        }
    }

    // The end of ProxyHandler.WaitAsync.
    private void GoOn()
    {
        while (_queue.TryTake(out var exchange, out var choice))
        {
            Journal.Note(Now, Happening.IsOver, exchange.Number, (int)choice.Failure);
            if (choice.Backend is not null && _random.Next(100) < _plan.ImpatientPercent)
            {
                exchange.HasClientLeft = true;
                _queue.Withdraw(exchange, choice);
                choice = Choice.None(FailureKind.ClientClosed);
            }

            exchange.Queued!.Release();
            if (choice.Backend is { } backend)
            {
                BeginAt(backend, exchange, choice.Admission);
                continue;
            }

            // After retries the last attempt decides.
            if (exchange.Attempts == 0 || choice.Failure == FailureKind.ClientClosed)
                exchange.Failure = choice.Failure;
            Answer(exchange);
        }
    }

    private void BeginAt(Backend chosen, SimulatedExchange exchange, Admission admission)
    {
        exchange.Try(_backends.Find(backend => backend.Known == chosen)!);
        Journal.Note(Now, Happening.Begins, exchange.Number, exchange.Backend!.Number);
        Begin(exchange, admission);
    }

    private void Begin(SimulatedExchange exchange, Admission admission)
    {
        exchange.Attempts++;
        exchange.Admission = admission;
        exchange.Began = Now;
        exchange.IsRunning = true;
        exchange.Fate = exchange.Backend!.DrawFate(_random, exchange.MustBeFresh, _plan.Cluster.Timeouts.Response);
        Oracle.Begin(exchange);
        At(exchange.Fate.After, Happening.Ends, exchange: exchange);
    }

    private void End(SimulatedExchange exchange, FailureKind failure, int status)
    {
        exchange.IsRunning = false;
        exchange.Failure = failure;
        exchange.TimedOut += failure == FailureKind.ResponseTimedOut ? 1 : 0;
        Journal.Note(Now, Happening.Ends, exchange.Number, (int)failure);
        var outcome = new AttemptOutcome(failure, status, status == 0 ? 0 : Math.Max(1, Now - exchange.Began), Now);
        _policies.Report(exchange.Backend!.Known, exchange.Admission, outcome);
        _oracle.End(exchange, status, Now);
        _queue.Collect();

        exchange.MustBeFresh = failure == FailureKind.StaleConnection;
        if (failure != FailureKind.None && _policies.MayRepeat(exchange))
            TryNext(exchange);
        else
            Answer(exchange);
    }

    private void Answer(SimulatedExchange exchange)
    {
        Journal.Note(Now, Happening.Answered, exchange.Number, (int)exchange.Failure);
        _policies.Answer(exchange);
        Oracle.CheckAnswer(exchange);
        _running--;
    }

    // ---- what goes on beside

    private void ChangeMood(SimulatedBackend backend)
    {
        backend.ChangeMood(_random, _plan.TroublePercent);
        Journal.Note(Now, Happening.MoodChanges, backend.Number, (int)backend.Mood);
        At(TimeSpan.FromMilliseconds(_random.Next(500, 12_000)), Happening.MoodChanges, backend);
    }

    private void BeginProbe(SimulatedBackend backend)
    {
        backend.ProbeBegan = Now;
        var (passes, after) = backend.DrawProbe(_random);
        At(after, Happening.ProbeEnds, backend, passes: passes);
    }

    // As HealthMonitor takes in a result.
    private void EndProbe(SimulatedBackend backend, bool passes)
    {
        var (state, check) = (backend.Probed!, backend.Options.Health!);
        var isFirst = state.Verdict == Verdict.Unknown;
        var duration = TimeSpan.FromTicks(Now - backend.ProbeBegan);
        state.Observe(new(passes ? new(true, "status 200") : ProbeAnswer.Failed("no answer"), default, duration));
        Journal.Note(Now, Happening.ProbeEnds, backend.Number, passes ? 1 : 0);
        var delay = isFirst ? _probes.FirstOffset(check) : _probes.Next(check, state.IsInTransition) - duration;
        At(delay > TimeSpan.Zero ? delay : TimeSpan.Zero, Happening.ProbeBegins, backend);
        if (state.Verdict == backend.Known.Verdict)
            return;

        backend.Known.Judge(state.Verdict);
        _oracle.NoteNews(Now);
        AskForRefresh();
    }

    private void Sweep()
    {
        foreach (var backend in _backends)
        {
            backend.Known.Sweep();
            if (backend.Known.Passive.Cause is not null)
                _oracle.NoteNews(Now);
        }

        At(SweepPeriod, Happening.Sweeps);
    }

    // The store's loop comes to it soon.
    private void AskForRefresh()
    {
        if (_isRefreshAsked || !_policies.HearsNews())
            return;

        _isRefreshAsked = true;
        At(TimeSpan.FromMilliseconds(_random.Next(0, 1 + (int)Oracle.NewsMax.TotalMilliseconds)), Happening.Refreshes);
    }

    private void Refresh()
    {
        _isRefreshAsked = false;
        _oracle.BeforeRefresh();
        _snapshot = _policies.Refresh(_snapshot);
        Journal.Note(Now, Happening.Refreshes, _snapshot.Version, Cluster.Eligible.Length);
        _oracle.AfterRefresh(Cluster, Now);
        _queue.Collect();
    }

    // Options that are the same make the same snapshot, and what is known of backends waits for the next one.
    private void Reload()
    {
        At(_plan.Length / _plan.Reloads * 2 * _random.NextDouble(), Happening.Reloads);
        var options = Plan.Change(_random, _snapshot.Options);
        if (options.Clusters[0] == Cluster.Options)
            return;

        _oracle.BeforeRefresh();
        _snapshot = _builder.Build(options, _snapshot);
        Journal.Note(Now, Happening.Reloads, _snapshot.Version, Cluster.Eligible.Length);
        _oracle.Configure(options.Clusters[0], Now);
        _oracle.AfterRefresh(Cluster, Now);
        _queue.Collect();
    }

    private void At(
        TimeSpan after, Happening what, SimulatedBackend? backend = null, SimulatedExchange? exchange = null,
        bool passes = false)
        => _events.Enqueue(
            new(what, backend, exchange, exchange?.Attempts ?? 0, passes), (Now + after.Ticks, ++_order));

    private readonly record struct Event(
        Happening What, SimulatedBackend? Backend, SimulatedExchange? Exchange, int Attempt, bool Passes);
}
