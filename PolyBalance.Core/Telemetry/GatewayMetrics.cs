namespace PolyBalance.Telemetry;

/// <summary>What became of a connection to a backend that had been idle and was closed there.</summary>
internal enum StaleAction : byte
{
    /// <summary>It was seen in time: no request noticed.</summary>
    Discarded,

    /// <summary>A request was lost on it and sent once more on a fresh one.</summary>
    Resent,

    /// <summary>A request was lost on it that could not be sent again.</summary>
    Failed,
}

/// <summary>What traffic showed before a backend was ejected.</summary>
internal enum EjectionReason : byte
{
    /// <summary>So many attempts failed in a row.</summary>
    ConsecutiveFailures,

    /// <summary>Too large a share of them failed.</summary>
    FailureShare,

    /// <summary>It was on trial, and failed.</summary>
    TrialFailed,
}

/// <summary>What is counted for the gateway as a whole; backends and routes have counters of their own.</summary>
/// <remarks>Any thread; no lock. Lives as long as the process, so its counters never fall.</remarks>
internal sealed class GatewayMetrics
{
    /// <summary>Exchanges that no route took.</summary>
    public RequestCounters Unrouted { get; } = new();

    /// <summary>Exchanges that failed, by <see cref="FailureKind"/>.</summary>
    public EventCounters Errors { get; } = new(Failure.All.Length);

    /// <summary>How long exchanges took.</summary>
    public LatencyHistogram Duration { get; } = new();

    /// <summary>How much of that neither a backend nor the client was waited for.</summary>
    public LatencyHistogram Overhead { get; } = new();

    /// <summary>Further attempts, by the <see cref="FailureKind"/> of the one before.</summary>
    public EventCounters Retries { get; } = new(Failure.All.Length);

    /// <summary>By <see cref="StaleAction"/>.</summary>
    public EventCounters Stale { get; } = new(Enum.GetValues<StaleAction>().Length);

    /// <summary>By <see cref="EjectionReason"/>.</summary>
    public EventCounters Ejections { get; } = new(Enum.GetValues<EjectionReason>().Length);

    /// <summary>Backends' responses to requests of sticky sessions, by <see cref="SessionResult"/>.</summary>
    public LaneCounters Sessions { get; } = new();

    /// <summary>Exchanges that failed or were slow, one by one.</summary>
    public FlightRecorder Flights { get; } = new();

    /// <summary>Reloads: 0 those that were taken up, 1 those that were refused.</summary>
    public EventCounters Reloads { get; } = new(2);

    /// <summary>Reads its counters, or adds to them.</summary>
    /// <param name="ledger">Where to, or what.</param>
    /// <param name="methods">What methods are called, by number.</param>
    public void Carry(CounterLedger ledger, ReadOnlySpan<string> methods)
    {
        var failures = LabelsOfFailures;
        ledger.Carry("unrouted", Unrouted, methods);
        ledger.Carry("errors", Errors, failures);
        ledger.Carry("retries", Retries, failures);
        ledger.Carry("duration", Duration);
        ledger.Carry("overhead", Overhead);
        ledger.Carry("stale", Stale, Enum.GetNames<StaleAction>());
        ledger.Carry("ejections", Ejections, Enum.GetNames<EjectionReason>());
        ledger.Carry("reloads", Reloads, ["taken", "refused"]);
        foreach (var result in Enum.GetValues<SessionResult>())
        {
            ledger.Carry("sessions", result.ToString(), Sessions.Sum((int)result),
                figure => Sessions.Add((int)result, figure));
        }
    }

    /// <summary>What every <see cref="FailureKind"/> is called, by number.</summary>
    public static string[] LabelsOfFailures
    {
        get
        {
            var labels = new string[Failure.All.Length];
            for (var kind = 0; kind < labels.Length; kind++)
                labels[kind] = Failure.All[kind].Label;
            return labels;
        }
    }

    /// <summary>Counts a finished exchange.</summary>
    /// <param name="route">The counters of its route; null when it had none.</param>
    /// <param name="method">The number of its method.</param>
    /// <param name="status">Its status code, that of the access record.</param>
    /// <param name="failure">What failed.</param>
    /// <param name="duration">From the first byte of the request to the last of the response.</param>
    /// <param name="overhead">How much of that nobody was waited for.</param>
    public void Record(
        RequestCounters? route, int method, int status, FailureKind failure, TimeSpan duration, TimeSpan overhead)
    {
        (route ?? Unrouted).Add(method, status);
        Duration.Record(duration);
        Overhead.Record(overhead);
        if (failure != FailureKind.None)
            Errors.Add((int)failure);
    }
}
