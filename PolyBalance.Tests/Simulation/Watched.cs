using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Simulation;

/// <summary>What the oracle knows of one backend.</summary>
internal sealed class Watched(SimulatedBackend backend)
{
    private readonly Queue<long> _failures = new();
    private long _rampBegan = long.MinValue;
    private TimeSpan _rampLength;
    private TimeSpan _slowStart;
    private int _run;
    private int _knownEra;
    private bool _wasServing;
    private bool _startsSlowly;

    /// <summary>What PolyBalance knows of it.</summary>
    public Backend Known { get; } = backend.Known;

    /// <summary>Its configured share.</summary>
    public int Weight { get; private set; }

    /// <summary>0 for those that are used first.</summary>
    public int Tier { get; private set; }

    /// <summary>How far it is trusted.</summary>
    public ServiceStage Stage => Known.Passive.Stage;

    /// <summary>The same before the latest snapshot was built.</summary>
    public ServiceStage StageBefore { get; set; }

    /// <summary>Whether it could receive traffic if it were not for an ejection.</summary>
    public bool IsUsable => Weight > 0 && Known.Verdict == Verdict.Healthy;

    /// <summary>Whether it gets its share, or is on the way to it.</summary>
    public bool IsServing => IsUsable && Stage == ServiceStage.InService;

    /// <summary>Attempts that run at it.</summary>
    public int InFlight { get; set; }

    /// <summary>Those of them that began while there was a bound.</summary>
    public int Counted { get; set; }

    /// <summary>How many may be counted while others have room; 0: any.</summary>
    public int SoftBound { get; set; }

    /// <summary>What its slow start has come to.</summary>
    public int RampBound { get; set; }

    /// <summary>The soft bound as a number that can be compared.</summary>
    public int SoftBoundOrMore => SoftBound == 0 ? int.MaxValue : SoftBound;

    /// <summary>Whether a request that can go nowhere else finds a place.</summary>
    public bool HasRoom(int max) => max == 0 || Counted < max;

    /// <summary>Whether a request that can go elsewhere finds a place.</summary>
    public bool TakesNow(int max) => HasRoom(max) && Counted < SoftBoundOrMore;

    /// <summary>Whether there is a bound that is stricter than what its pool allows.</summary>
    public bool IsProtected(int max) => SoftBound > 0 && (max == 0 || SoftBound < max);

    /// <summary>Takes up what is configured.</summary>
    public void Configure(BackendOptions options, TimeSpan slowStart)
    {
        Weight = options.Weight;
        Tier = options.Tier;
        _slowStart = slowStart;
    }

    /// <summary>Takes note of whether it serves: a slow start may begin.</summary>
    public void ObserveService(long now)
    {
        if (IsServing && !_wasServing)
        {
            _rampBegan = _startsSlowly ? now : long.MinValue;
            _rampLength = _slowStart;
            RampBound = 0;
        }

        _wasServing = IsServing;
        _startsSlowly |= IsServing || Stage != ServiceStage.InService || Known.Verdict == Verdict.Unhealthy;
    }

    /// <summary>How often its stage has changed.</summary>
    public int Era { get; private set; }

    /// <summary>The longest run of failures that has lasted into the time since the latest snapshot.</summary>
    public int RunMax { get; private set; }

    /// <summary>Attempts that began in this stage and went well.</summary>
    public int Passes { get; private set; }

    /// <summary>An attempt that began in this stage has ended, and says something.</summary>
    public void Learn(bool isFailure, long now)
    {
        if (!isFailure)
        {
            _run = 0;
            Passes++;
            return;
        }

        _failures.Enqueue(now);
        _run++;
        RunMax = Math.Max(RunMax, _run);
    }

    /// <summary>How many attempts failed within a time that ends now.</summary>
    public int FailuresWithin(TimeSpan window, long now)
    {
        while (_failures.TryPeek(out var oldest) && now - oldest > window.Ticks)
            _failures.Dequeue();
        return _failures.Count;
    }

    /// <summary>Takes note of its stage: what was counted in another one says nothing of this one.</summary>
    public void ObserveStage()
    {
        RunMax = _run;
        if (Stage == StageBefore && Known.Passive.Era == _knownEra)
            return;

        _knownEra = Known.Passive.Era;
        Era++;
        _failures.Clear();
        _run = RunMax = Passes = 0;
    }

    /// <summary>Its share, in tenths.</summary>
    public int TenthsAt(long now)
    {
        if (Stage == ServiceStage.OnTrial)
            return 1;
        if (_slowStart == TimeSpan.Zero || _rampBegan == long.MinValue || now - _rampBegan >= _rampLength.Ticks)
            return 10;
        return 1 + (int)((now - _rampBegan) * 10 / _rampLength.Ticks);
    }
}
