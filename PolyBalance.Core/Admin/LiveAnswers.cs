namespace PolyBalance.Admin;

/// <summary>The gateway at one moment, for dashboards: <c>GET /admin/events</c> sends one every second.</summary>
internal sealed record LiveAnswer
{
    /// <summary>When.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>When this process started.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>Of the configuration.</summary>
    public required long Generation { get; init; }

    /// <summary>How many changes at run time apply on top of the file.</summary>
    public required int RuntimeChanges { get; init; }

    /// <summary>Why no traffic should be sent here; empty: it may.</summary>
    public required IReadOnlyList<string> NotReady { get; init; }

    /// <summary>Open client connections.</summary>
    public required int Clients { get; init; }

    /// <summary>Exchanges and tunnels at backends.</summary>
    public required int InFlight { get; init; }

    /// <summary>What happens to exchanges, as clients see it.</summary>
    public required RateAnswer Traffic { get; init; }

    /// <summary>Further attempts per second; null: not known yet.</summary>
    public required double? RetriesPerSecond { get; init; }

    /// <summary>Median time of an exchange for which nobody was waited for; null: there was none lately.</summary>
    public required double? OverheadP50Ms { get; init; }

    /// <summary>How many exchanges were kept because they failed or were slow, ever.</summary>
    public required long ErrorsKept { get; init; }

    /// <summary>In the order of the file.</summary>
    public required IReadOnlyList<LiveClusterAnswer> Clusters { get; init; }
}

/// <summary>How much happens, and how fast: rates of the last second, latencies of the last five to ten.</summary>
/// <param name="PerSecond">Ended exchanges or attempts; null: not known yet.</param>
/// <param name="FailuresPerSecond">Those of them that ended with 5xx, or failed; null: not known yet.</param>
/// <param name="LatencyP50Ms">The median; null: nothing ended lately.</param>
/// <param name="LatencyP99Ms">What 99 of 100 stayed below; null: nothing ended lately.</param>
internal sealed record RateAnswer(
    double? PerSecond, double? FailuresPerSecond, double? LatencyP50Ms, double? LatencyP99Ms);

/// <summary>One cluster at one moment.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Algorithm">How its backends are picked.</param>
/// <param name="Waiting">Requests that wait for a place.</param>
/// <param name="InFlight">Exchanges and tunnels at its backends.</param>
/// <param name="Traffic">What happens to its attempts.</param>
/// <param name="Backends">In the order of the file.</param>
internal sealed record LiveClusterAnswer(
    string Name, string Algorithm, int Waiting, int InFlight, RateAnswer Traffic,
    IReadOnlyList<LiveBackendAnswer> Backends);

/// <summary>One backend at one moment.</summary>
/// <param name="Backend">What it is to traffic, and what it has done since the start.</param>
/// <param name="Traffic">What happens to its attempts.</param>
/// <param name="History">Its latest probes, the oldest first: whether each passed.</param>
internal sealed record LiveBackendAnswer(BackendAnswer Backend, RateAnswer Traffic, IReadOnlyList<bool> History);
