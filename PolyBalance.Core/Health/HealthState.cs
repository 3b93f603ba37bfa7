using PolyBalance.Backends;

namespace PolyBalance.Health;

/// <summary>Turns a run of probe results into a verdict. Pure: no clock, no timer, no lock.</summary>
/// <remarks>
/// A backend changes sides only after an unbroken run of contrary results, so one lost packet moves no traffic. The
/// very first result decides alone: there is no traffic yet to protect, and waiting for a run would only answer 503 for
/// longer. Owned by one watch of <see cref="HealthMonitor"/>; not thread-safe.
/// </remarks>
/// <param name="healthyAfter">Passes in a row that make an unhealthy backend healthy.</param>
/// <param name="unhealthyAfter">Failures in a row that make a healthy backend unhealthy.</param>
/// <param name="known">The verdict to begin with: what another process has found out.</param>
internal sealed class HealthState(int healthyAfter, int unhealthyAfter, Verdict known = Verdict.Unknown)
{
    private readonly ProbeResult[] _history = new ProbeResult[Limits.ProbeHistoryCount];
    private int _seen;

    /// <summary>What the results say so far.</summary>
    public Verdict Verdict { get; private set; } = known;

    /// <summary>Passes since the last failure.</summary>
    public int ConsecutivePasses { get; private set; }

    /// <summary>Failures since the last pass.</summary>
    public int ConsecutiveFailures { get; private set; }

    /// <summary>Why the last failure failed; null: none has.</summary>
    public string? LastError { get; private set; }

    /// <summary>Whether the latest results contradict the verdict and may overturn it soon.</summary>
    public bool IsInTransition => Verdict switch
    {
        Verdict.Healthy => ConsecutiveFailures > 0,
        Verdict.Unhealthy => ConsecutivePasses > 0,
        _ => false,
    };

    /// <summary>The latest result; null before the first one.</summary>
    public ProbeResult? Last => _seen == 0 ? null : _history[(_seen - 1) % _history.Length];

    /// <summary>Takes in the next result.</summary>
    /// <returns>Whether the verdict changed.</returns>
    public bool Observe(in ProbeResult result)
    {
        _history[_seen++ % _history.Length] = result;
        var passed = result.Answer.Passed;
        ConsecutivePasses = passed ? ConsecutivePasses + 1 : 0;
        ConsecutiveFailures = passed ? 0 : ConsecutiveFailures + 1;
        if (!passed)
            LastError = result.Answer.Reason;

        var before = Verdict;
        Verdict = before switch
        {
            Verdict.Unknown => passed ? Verdict.Healthy : Verdict.Unhealthy,
            Verdict.Healthy when ConsecutiveFailures >= unhealthyAfter => Verdict.Unhealthy,
            Verdict.Unhealthy when ConsecutivePasses >= healthyAfter => Verdict.Healthy,
            _ => before,
        };
        return Verdict != before;
    }

    /// <summary>The latest results, the oldest first; at most <see cref="Limits.ProbeHistoryCount"/>.</summary>
    public ProbeResult[] History()
    {
        var count = Math.Min(_seen, _history.Length);
        var history = new ProbeResult[count];
        for (var index = 0; index < count; index++)
            history[index] = _history[(_seen - count + index) % _history.Length];
        return history;
    }
}
