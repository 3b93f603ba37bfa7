namespace PolyBalance.Health;

/// <summary>What a probe found out.</summary>
/// <param name="Passed">Whether the backend answered as it should.</param>
/// <param name="Reason">Why it passed or failed, in a few words for an operator: <c>status 500</c>.</param>
/// <param name="Status">The status code of an HTTP answer; 0: there was none.</param>
/// <param name="WantsDrain">It passed, and asked for no new work.</param>
/// <param name="IsVoid">
/// Whether it says nothing about the backend, because we could not even ask: out of file descriptors, say.
/// </param>
internal readonly record struct ProbeAnswer(
    bool Passed, string Reason, int Status = 0, bool WantsDrain = false, bool IsVoid = false)
{
    /// <summary>A probe that failed.</summary>
    public static ProbeAnswer Failed(string reason, int status = 0) => new(false, reason, status);

    /// <summary>A probe that could not be made.</summary>
    public static ProbeAnswer Void(string reason) => new(false, reason, IsVoid: true);
}

/// <summary>One probe that has ended: what it found out, and when.</summary>
/// <param name="Answer">What it found out.</param>
/// <param name="At">When it began.</param>
/// <param name="Duration">How long it took.</param>
internal readonly record struct ProbeResult(ProbeAnswer Answer, DateTimeOffset At, TimeSpan Duration);
