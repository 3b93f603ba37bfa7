namespace PolyBalance.Tests.Simulation;

/// <summary>What must be true at every moment of every schedule.</summary>
internal enum Rule
{
    /// <summary>Snapshots hold those who may receive traffic, with the weights that they have come to.</summary>
    EligibleAreRight,

    /// <summary>What became known of a backend is in force soon.</summary>
    WorldIsNew,

    /// <summary>An exchange goes to backends of its snapshot, and to none twice.</summary>
    PicksAreEligible,

    /// <summary>A backup gets nothing from an exchange that has not tried all of full service before it.</summary>
    BackupsStandBy,

    /// <summary>Backends count what is at them; when all is over, nothing is.</summary>
    CountsAgree,

    /// <summary>No backend has more exchanges than <c>max_connections</c>.</summary>
    ConnectionsMax,

    /// <summary>A backend on trial has one exchange at a time, unless it is the last resort.</summary>
    TrialsOneAtATime,

    /// <summary>A backend at its slow start gets no more than its share, unless it is the last resort.</summary>
    SlowStartShare,

    /// <summary>Nobody is refused while somebody has room.</summary>
    RefusedForAReason,

    /// <summary>Retries stay within their budget over any ten seconds.</summary>
    RetryBudget,

    /// <summary>No exchange has more attempts than the configuration says.</summary>
    AttemptsMax,

    /// <summary>A request that must not be repeated reaches no second backend once one may have acted on it.</summary>
    UnsafeOnce,

    /// <summary>No more than half of the backends are out of service because of their traffic.</summary>
    HalfStays,

    /// <summary>The last backend that can be used is in service.</summary>
    LastStays,

    /// <summary>A backend is ejected only when enough of its attempts failed.</summary>
    EjectedForAReason,

    /// <summary>A backend on trial returns when enough went well, or when nobody else is left.</summary>
    ReturnsAreEarned,

    /// <summary>Nobody waits while a backend that he may use has a place for him.</summary>
    PlacesAreUsed,

    /// <summary>Nobody waits who has tried all that are eligible.</summary>
    SomebodyIsLeft,

    /// <summary>Nobody waits for longer than the timeout, and the two ticks that a deadline may be late.</summary>
    WaitsAreShort,

    /// <summary>No more wait than may.</summary>
    QueueSize,

    /// <summary>Nobody is refused for a full queue that is not full.</summary>
    FullForAReason,

    /// <summary>Who waits gets a place, or his time is over, or he leaves, or there is nobody to wait for.</summary>
    WaitsEndForAReason,

    /// <summary>Nobody waits whose client has left.</summary>
    LeavesAtOnce,

    /// <summary>Without lasting overload, requests that have tried nobody get places in the order of arrival.</summary>
    ArrivalOrder,

    /// <summary>Every client gets exactly one final answer.</summary>
    OneAnswer,
}

/// <summary>A rule that was broken, and how.</summary>
internal sealed class Violation(Rule rule, string text) : Exception(text)
{
    /// <summary>Which one.</summary>
    public Rule Rule { get; } = rule;

    /// <summary>Throws unless a rule holds.</summary>
    public static void Unless(bool holds, Rule rule, FormattableString text)
    {
        if (!holds)
            throw new Violation(rule, FormattableString.Invariant(text));
    }
}
