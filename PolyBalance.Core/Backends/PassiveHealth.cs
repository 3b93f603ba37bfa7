using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>How far a backend is trusted with traffic.</summary>
internal enum ServiceStage : byte
{
    /// <summary>It takes its share. The circuit breaker is closed.</summary>
    InService,

    /// <summary>It gets nothing for a while. The circuit breaker is open.</summary>
    Ejected,

    /// <summary>It gets one exchange at a time until enough went well. The circuit breaker is half-open.</summary>
    OnTrial,
}

/// <summary>What traffic says of one backend: the run and the share of its failures, and what became of them.</summary>
/// <remarks>
/// Two sides. Attempts report from any thread, and only mark that the backend ought to be ejected: <see cref="Cause"/>.
/// The stage is changed by the store's loop alone, which sees the whole cluster; so "never the last one" is exact.
/// An attempt counts in the era in which it began: what was in flight when the stage changed says nothing of the next.
/// A success in service only reads.
/// </remarks>
internal sealed class PassiveHealth
{
    private const int AgainstCount = 0;
    private const int SilentCount = 1;

    private readonly LaneCounters _tally = new();
    private readonly FailureShare _share = new();      // touched by the sweep alone, as is _shareEra
    private int _shareEra;
    private EjectionTime _time;                         // store's loop, as are _until and _mentioned
    private long _until = Heartbeat.Never;
    private long _mentioned = long.MinValue;
    private volatile EjectionRules? _rules;
    private volatile ServiceStage _stage;
    private volatile int _era;
    private EjectionCause? _cause;
    private int _run;
    private int _passes;
    private long _peaceUntil = long.MinValue;

    /// <summary>The rules; null: nothing is looked at, nobody is ejected. Set by the store's loop.</summary>
    public EjectionRules? Rules
    {
        get => _rules;
        set
        {
            // While there were no rules nobody saw what broke a run: it begins anew with them.
            _rules = value;
            Volatile.Write(ref _run, 0);
            Volatile.Write(ref _cause, null);
        }
    }

    /// <summary>How far the backend is trusted.</summary>
    public ServiceStage Stage => _stage;

    /// <summary>The era in which an attempt that begins now counts.</summary>
    public int Era => _era;

    /// <summary>Why the backend ought to be ejected, in words for the log; null: it ought not.</summary>
    public string? Cause => Volatile.Read(ref _cause)?.Sentence;

    /// <summary>The same for counters. Store's loop, which alone takes a cause away.</summary>
    public EjectionReason? Reason => Volatile.Read(ref _cause)?.Reason;

    /// <summary>Whether enough trials went well.</summary>
    public bool HasPassed => _rules is { } rules && Volatile.Read(ref _passes) >= rules.Options.Trials;

    /// <summary>When the ejection ends, in heartbeat time; <see cref="Heartbeat.Never"/> when there is none.</summary>
    public long Until => Volatile.Read(ref _until);

    /// <summary>
    /// Whether probes, too, found it unhealthy while it was ejected; when they find it healthy again, that is newer
    /// than what its traffic said. Store's loop.
    /// </summary>
    public bool WasUnhealthy { get; set; }

    /// <summary>An attempt has ended. Any thread.</summary>
    /// <param name="era">Its <see cref="Admission.Era"/>.</param>
    /// <param name="outcome">How.</param>
    /// <returns>Whether the cluster has to be looked at.</returns>
    public bool Observe(int era, in AttemptOutcome outcome)
    {
        if (_rules is not { } rules)
            return false;

        var evidence = era == _era ? rules.Weigh(outcome) : Evidence.None;
        if (evidence == Evidence.None)
            _tally.Add(SilentCount, 1);
        else if (evidence == Evidence.Against)
            _tally.Add(AgainstCount, 1);
        return (_stage, evidence) switch
        {
            (ServiceStage.InService, Evidence.For) => EndRun(),
            (ServiceStage.InService, Evidence.Against) => CountRun(rules, outcome),
            (ServiceStage.OnTrial, Evidence.For) => Interlocked.Increment(ref _passes) >= rules.Options.Trials,
            (ServiceStage.OnTrial, Evidence.Against) =>
                TryMark(EjectionReason.TrialFailed, $"a trial failed with {LabelOf(outcome)}"),
            _ => false,
        };
    }

    /// <summary>Looks at the share of failures. The sweep's thread, about once a second.</summary>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="ended">Attempts that have ended, ever.</param>
    /// <returns>Whether the cluster has to be looked at.</returns>
    public bool ObserveShare(long now, long ended)
    {
        var era = _era;
        var rules = _rules;
        if (rules is null || era != _shareEra)
        {
            _share.Clear();
            _shareEra = era;
        }

        if (rules is not { Options: var options } || _stage != ServiceStage.InService)
            return false;

        _share.Observe(now, rules.Window, ended - _tally.Sum(SilentCount), _tally.Sum(AgainstCount));
        return _share.Exceeds(options.FailurePercent, options.MinimumRequests)
            && now >= Interlocked.Read(ref _peaceUntil)
            && TryMark(EjectionReason.FailureShare,
                $"{_share.Failures} of {_share.Attempts} attempts in {Quantity.Write(options.Window)} failed");
    }

    /// <summary>How many ejections count for how long the next one lasts.</summary>
    public int Ejections => _time.Count;

    /// <summary>Goes on where another process has left off. Before anybody else knows of the backend.</summary>
    /// <param name="stage">How far the backend is trusted.</param>
    /// <param name="until">When its ejection ends, if it is ejected.</param>
    /// <param name="ejections">What <see cref="Ejections"/> was.</param>
    /// <param name="now">In heartbeat time.</param>
    public void Inherit(ServiceStage stage, long until, int ejections, long now)
    {
        _time = EjectionTime.After(ejections, now);
        Volatile.Write(ref _until, stage == ServiceStage.Ejected ? until : Heartbeat.Never);
        _stage = stage;
    }

    /// <summary>Takes the backend out of service. Store's loop.</summary>
    /// <returns>For how long, in heartbeat ticks.</returns>
    public long Eject(long now)
    {
        var rules = _rules!;
        var time = _stage == ServiceStage.OnTrial
            ? _time.Prolong(now, rules.BaseTime, rules.TimeMax)
            : _time.Begin(now, rules.BaseTime, rules.TimeMax);
        Volatile.Write(ref _until, now + time);
        Enter(ServiceStage.Ejected);
        return time;
    }

    /// <summary>The ejection is over: trials may begin. Store's loop.</summary>
    public void BeginTrials()
    {
        Volatile.Write(ref _until, Heartbeat.Never);
        Enter(ServiceStage.OnTrial);
    }

    /// <summary>Puts the backend back into service. Store's loop.</summary>
    public void Return(long now)
    {
        Volatile.Write(ref _until, Heartbeat.Never);
        _time.Return(now);
        Enter(ServiceStage.InService);
    }

    /// <summary>It ought to be ejected and must not be: too few would be left. Store's loop.</summary>
    /// <returns>Whether the log should say so: not more often than once a minute.</returns>
    public bool Spare(long now)
    {
        var rules = _rules!;
        Interlocked.Exchange(ref _peaceUntil, now + rules.Pause);
        Volatile.Write(ref _run, 0);
        Volatile.Write(ref _cause, null);
        if (_mentioned != long.MinValue && now - _mentioned < rules.MentionEvery)
            return false;

        _mentioned = now;
        return true;
    }

    // The stage last: who sees the new one finds everything else in order.
    private void Enter(ServiceStage stage)
    {
        _era++;
        WasUnhealthy = false;
        Volatile.Write(ref _run, 0);
        Volatile.Write(ref _passes, 0);
        Volatile.Write(ref _cause, null);
        _stage = stage;
    }

    private bool EndRun()
    {
        if (Volatile.Read(ref _run) != 0)
            Volatile.Write(ref _run, 0);
        return false;
    }

    private bool CountRun(EjectionRules rules, in AttemptOutcome outcome)
    {
        if (outcome.Now < Interlocked.Read(ref _peaceUntil))
            return false;

        var run = Interlocked.Increment(ref _run);
        return run >= rules.Options.ConsecutiveFailures
            && Cause is null
            && TryMark(EjectionReason.ConsecutiveFailures,
                $"{run} attempts in a row failed, the last with {LabelOf(outcome)}");
    }

    private bool TryMark(EjectionReason reason, string sentence)
        => Interlocked.CompareExchange(ref _cause, new(reason, sentence), null) is null;

    private static string LabelOf(in AttemptOutcome outcome)
        => outcome.IsAnswer ? $"status {outcome.Status}" : Failure.Of(outcome.Failure).Label;

    /// <summary>Why a backend ought to be ejected: for counters, and in words for the log.</summary>
    private sealed record EjectionCause(EjectionReason Reason, string Sentence);
}
