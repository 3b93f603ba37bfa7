using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>
/// Everything known about one address that requests are forwarded to. Lives as long as its key is configured.
/// </summary>
/// <remarks>Any thread. Selectors read it, exchanges report to it.</remarks>
internal sealed class Backend
{
    private const int InFlightCount = 0;
    private const int RequestCount = 1;

    // Longer than most backends take to finish and stop, short enough for one that has changed its mind.
    private static readonly TimeSpan DrainByResponse = TimeSpan.FromSeconds(30);

    private readonly LaneCounters _counts = new();
    private readonly ConcurrencyGate _gate;
    private readonly Heartbeat _heartbeat;
    private long _failures;
    private long _dueAt = Heartbeat.Never;
    private volatile Action? _roomMade;
    private volatile ResponseTime? _responseTime;
    private volatile Verdict _verdict;

    /// <summary>Makes a backend with an empty pool.</summary>
    public Backend(
        BackendKey key, BackendOptions options, ITransport transport, TimeProvider clock, BackendNews? news = null)
    {
        _heartbeat = transport.Heartbeat;
        _gate = new(key.Pool.ConnectionsMax);
        News = news ?? BackendNews.ToNobody;
        Metrics = new(News.Metrics);
        Key = key;
        Name = options.Name;
        Address = options.Address.ToString();
        _verdict = options.Health is null ? Verdict.Healthy : Verdict.Unknown;
        HostName = Encoding.ASCII.GetBytes(options.Address.IsUnix ? "localhost" : Address);
        Pool = new(
            new BackendAddress(options.Address, clock), transport, key.Pool, key.ConnectTimeout, Metrics);
    }

    /// <summary>What makes it itself.</summary>
    public BackendKey Key { get; }

    /// <summary>What operators call it. The one thing about it that a reload may change.</summary>
    public string Name { get; private set; }

    /// <summary>Where it listens, as text.</summary>
    public string Address { get; }

    /// <summary>Its address as the value of a Host field.</summary>
    public ReadOnlyMemory<byte> HostName { get; }

    /// <summary>Its connections.</summary>
    public ConnectionPool Pool { get; }

    /// <summary>What traffic says of it.</summary>
    public PassiveHealth Passive { get; } = new();

    /// <summary>What its latest return means for its share.</summary>
    public SlowStart SlowStart { get; } = new();

    /// <summary>Whether it gets no new work.</summary>
    public DrainState Drain { get; } = new();

    /// <summary>Who hears of it.</summary>
    public BackendNews News { get; }

    /// <summary>What is counted of it for operators.</summary>
    public BackendMetrics Metrics { get; }

    /// <summary>What probes say of it.</summary>
    public Verdict Verdict => _verdict;

    /// <summary>Requests that were given to it and have not ended.</summary>
    public int InFlight => (int)_counts.Sum(InFlightCount);

    /// <summary>Attempts made at it since the start.</summary>
    public long Requests => _counts.Sum(RequestCount);

    /// <summary>Attempts that failed because of it.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>
    /// How slow it answers, for algorithms that go by it: measured from the first call on, and for no others. Only from
    /// whoever builds snapshots, one at a time.
    /// </summary>
    public ResponseTime MeasureResponseTime() => _responseTime ??= new(_heartbeat.Ticks(TimeSpan.FromSeconds(1)));

    /// <summary>The configuration calls it something else now; only records and messages depend on that.</summary>
    public void Rename(string name) => Name = name;

    /// <summary>The clock of its deadlines, in heartbeat time.</summary>
    public long Now => _heartbeat.Now;

    /// <summary>A difference of two moments in heartbeat time.</summary>
    public TimeSpan SpanOf(long ticks) => _heartbeat.Span(ticks);

    /// <summary>Whether it has as many exchanges as it may have. A glance: <see cref="TryBegin"/> decides.</summary>
    public bool IsFull => _gate.IsFull;

    /// <summary>Whether it is on trial or starts slowly, and is spared where others can do its work.</summary>
    public bool IsProtected => _gate.IsProtected;

    /// <summary>Whether even a request that can go nowhere else finds no room.</summary>
    public bool IsAtMax => _gate.IsAtMax;

    /// <summary>An attempt at this backend begins, if there is room for it.</summary>
    /// <param name="isLastResort">There is nowhere else to go: only <c>pool.max_connections</c> counts.</param>
    /// <param name="admission">When there is room: exactly one <see cref="Report"/> follows, whatever happens.</param>
    public bool TryBegin(bool isLastResort, out Admission admission)
    {
        admission = default;
        if (!_gate.TryEnter(isLastResort, out var isCounted))
            return false;

        _counts.Add(InFlightCount, 1);
        _counts.Add(RequestCount, 1);
        admission = new(isCounted, Passive.Era);
        return true;
    }

    /// <summary>How an attempt ended. Only what <see cref="Side.Backend"/> caused counts against it.</summary>
    public void Report(Admission admission, in AttemptOutcome outcome)
    {
        _counts.Add(InFlightCount, -1);
        _responseTime?.Observe(outcome);
        Metrics.Observe(outcome, _heartbeat);
        GiveBack(admission);
        if (Failure.Of(outcome.Failure).Side == Side.Backend)
            Interlocked.Increment(ref _failures);
        if (Passive.Observe(admission.Era, outcome))
            News.RequestRefresh();
    }

    /// <summary>
    /// Whether it goes on to serve the sessions it has: as long as it works, also draining or without weight.
    /// </summary>
    /// <remarks>Asked when a request is there: a verdict ends sessions at once, not with the next snapshot.</remarks>
    public bool KeepsSessions => Verdict == Verdict.Healthy && Passive.Stage != ServiceStage.Ejected;

    /// <summary>
    /// The same as <see cref="TryBegin"/> for one of its sessions, which may use all the room there is: slow starts
    /// spare it from strangers. On trial it takes one exchange at a time, whoever asks.
    /// </summary>
    public bool TryResume(out Admission admission)
        => TryBegin(isLastResort: Passive.Stage == ServiceStage.InService, out admission);

    /// <summary>Whether <see cref="TryResume"/> would find room. A glance.</summary>
    public bool CouldResume => Passive.Stage == ServiceStage.InService ? !IsAtMax : !IsFull;

    /// <summary>An attempt that <see cref="TryBegin"/> admitted is not made. Instead of <see cref="Report"/>.</summary>
    public void Withdraw(Admission admission)
    {
        _counts.Add(InFlightCount, -1);
        _counts.Add(RequestCount, -1);
        GiveBack(admission);
    }

    /// <summary>
    /// Closes connections that are too old and looks at the share of failures. The heartbeat, about once a second.
    /// </summary>
    public void Sweep()
    {
        Pool.Sweep();
        if (Passive.ObserveShare(Now, Requests - InFlight))
            News.RequestRefresh();
    }

    /// <summary>Somebody wants it to get no new work.</summary>
    /// <param name="cause">Who.</param>
    public void BeginDrain(DrainCauses cause)
    {
        if (Drain.TryBegin(cause))
            Tell(cause);
    }

    /// <summary>The same for one of its responses, which holds for a while.</summary>
    public void BeginDrainByResponse()
    {
        if (Drain.TryBeginByResponse(Now + _heartbeat.Ticks(DrainByResponse)))
            Tell(DrainCauses.Response);
    }

    /// <summary>Somebody wants that no more.</summary>
    /// <param name="causes">Who.</param>
    /// <param name="reason">Why, for the log.</param>
    public void EndDrain(DrainCauses causes, string reason)
    {
        if ((Drain.Causes & causes) == DrainCauses.None || !Drain.TryEnd(causes))
            return;

        Log.BackendDrainsNoMore(News.Logger, Name, Key.Cluster, reason);
        News.RequestRefresh();
    }

    /// <summary>Has its cluster looked at when the time has come. The heartbeat, several times a second.</summary>
    public void Watch()
    {
        if (Drain.IsResponseOver(Now))
            EndDrain(DrainCauses.Response, "no response has asked for it any more");
        if (Now >= Volatile.Read(ref _dueAt))
            News.RequestRefresh();
    }

    /// <summary>When its cluster has to be looked at next, whatever happens. Store's loop.</summary>
    /// <param name="dueAt">In heartbeat time; <see cref="Heartbeat.Never"/>: when something happens.</param>
    public void SetDue(long dueAt) => Volatile.Write(ref _dueAt, dueAt);

    /// <summary>What protects it from too much at once. Exchanges and connects beyond it go on. Store's loop.</summary>
    /// <param name="exchangesMax">Exchanges at once; 0 for no bound but that of the pool.</param>
    /// <param name="connectsMax">Connects at once.</param>
    public void Protect(int exchangesMax, int connectsMax)
    {
        _gate.SetSoftLimit(exchangesMax);
        Pool.SetConnectsAtOnce(connectsMax);
    }

    /// <summary>Takes up what a reload may have changed. Store's loop.</summary>
    /// <param name="ejection">When its traffic ejects it; null: never.</param>
    /// <param name="slowStart">How long it takes to get its full share; null: no time.</param>
    /// <param name="roomMade">Hears of each place that is given back. Any thread; must not block.</param>
    public void Configure(EjectionOptions? ejection, TimeSpan? slowStart, Action? roomMade = null)
    {
        _roomMade = roomMade;
        if (Passive.Rules?.Options != ejection)
            Passive.Rules = ejection is null ? null : new(ejection, _heartbeat);
        SlowStart.Duration = slowStart is { } duration ? _heartbeat.Ticks(duration) : 0;
    }

    /// <summary>Notes a new verdict. What follows from it comes with the next snapshot.</summary>
    public void Judge(Verdict verdict) => _verdict = verdict;

    /// <summary>What a process that takes over has to know of it.</summary>
    public BackendLegacy Bequeath()
    {
        var now = Now;
        return new()
        {
            Cluster = Key.Cluster,
            Address = Key.Address.ToString(),
            Verdict = Verdict,
            IsDrainedByProbe = (Drain.Causes & DrainCauses.Probe) != DrainCauses.None,
            DrainedByResponse = Drain.LeftOfResponse(now) is var left and > 0 ? SpanOf(left) : null,
            IdleLearned = Pool.IdleLimit.Learned,
            IdlePromised = Pool.IdleLimit.Promised,
            Stage = Passive.Stage,
            Ejected = Passive.Stage == ServiceStage.Ejected ? SpanOf(Math.Max(Passive.Until - now, 0)) : null,
            Ejections = Passive.Ejections,
            SlowStarted = SlowStart.LastedAt(now) is { } lasted ? SpanOf(lasted) : null,
            ResponseTime = _responseTime is { IsKnown: true } known
                ? TimeSpan.FromMilliseconds(known.EstimateAt(now))
                : null,
        };
    }

    /// <summary>
    /// Takes up what another process has known of it. Before anybody else knows of the backend; what is not probed is
    /// healthy whatever was known.
    /// </summary>
    public void Inherit(BackendLegacy legacy)
    {
        var now = Now;
        if (Verdict == Verdict.Unknown)
            _verdict = legacy.Verdict;
        if (legacy.IsDrainedByProbe)
            Drain.TryBegin(DrainCauses.Probe);
        if (legacy.DrainedByResponse is { } drained)
            Drain.TryBeginByResponse(now + _heartbeat.Ticks(drained));
        Pool.IdleLimit.Inherit(legacy.IdleLearned, legacy.IdlePromised);
        Passive.Inherit(legacy.Stage, now + _heartbeat.Ticks(legacy.Ejected ?? TimeSpan.Zero), legacy.Ejections, now);
        if (legacy.SlowStarted is { } lasted)
            SlowStart.Inherit(now - _heartbeat.Ticks(lasted));
        if (legacy.ResponseTime is { } time)
            MeasureResponseTime().Inherit(time, now);
    }

    /// <summary>Reads its counters, or adds to them.</summary>
    public void Carry(CounterLedger ledger)
    {
        var group = $"backend {Key.Cluster} {Key.Address}";
        ledger.Carry(group, "requests", Requests, figure => _counts.Add(RequestCount, figure));
        ledger.Carry(group, "failures", Failures, figure => Interlocked.Add(ref _failures, figure));
        Metrics.Carry(ledger, group);
    }

    private void Tell(DrainCauses cause)
    {
        var by = cause switch
        {
            DrainCauses.Operator => "the operator wants it",
            DrainCauses.Probe => "it asked for that when it was probed",
            _ => "it asked for that in a response",
        };
        Log.BackendDrains(News.Logger, Name, Key.Cluster, InFlight, by);
        News.RequestRefresh();
    }

    private void GiveBack(Admission admission)
    {
        if (!admission.IsCounted)
            return;

        // First the place, then the news: see RequestQueue.
        _gate.Leave();
        _roomMade?.Invoke();
    }
}
