namespace PolyBalance.Backends;

/// <summary>
/// What one process has found out about a backend, and what takes its place has to know: else it would send requests
/// where they fail, or lose on idle connections what had been learned already.
/// </summary>
/// <remarks>A value. Durations instead of moments: the two processes share no clock.</remarks>
internal sealed record BackendLegacy
{
    /// <summary>Whose.</summary>
    public required string Cluster { get; init; }

    /// <summary>Where it listens, as the configuration writes it.</summary>
    public required string Address { get; init; }

    /// <summary>What probes say of it.</summary>
    public Verdict Verdict { get; init; }

    /// <summary>Whether it drains because it asked for that when it was probed.</summary>
    public bool IsDrainedByProbe { get; init; }

    /// <summary>For how long it still drains because a response asked for it; null: it does not.</summary>
    public TimeSpan? DrainedByResponse { get; init; }

    /// <summary>At which age its idle connections were seen to be closed; null: unknown.</summary>
    public TimeSpan? IdleLearned { get; init; }

    /// <summary>For how long it has promised to keep them; null: it has not.</summary>
    public TimeSpan? IdlePromised { get; init; }

    /// <summary>How far its traffic is trusted.</summary>
    public ServiceStage Stage { get; init; }

    /// <summary>For how long it is still ejected; null: it is not.</summary>
    public TimeSpan? Ejected { get; init; }

    /// <summary>How many ejections count for how long the next one lasts.</summary>
    public int Ejections { get; init; }

    /// <summary>For how long its slow start has lasted; null: it is at no slow start.</summary>
    public TimeSpan? SlowStarted { get; init; }

    /// <summary>How slow it answers; null: unknown, or nobody wants to know.</summary>
    public TimeSpan? ResponseTime { get; init; }
}
