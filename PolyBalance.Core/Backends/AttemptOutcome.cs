namespace PolyBalance.Backends;

/// <summary>How one attempt at a backend ended: what passive health and load estimates learn from.</summary>
/// <param name="Failure">What failed, or <see cref="FailureKind.None"/>.</param>
/// <param name="Status">The status code of the backend's final response; 0 when there was none.</param>
/// <param name="ResponseTime">
/// From the beginning of the attempt to the head of the final response, in heartbeat ticks; 0 when there was none.
/// </param>
/// <param name="Now">When the attempt ended, in heartbeat time.</param>
/// <param name="Duration">
/// From its beginning to its end, in heartbeat ticks; of a tunnel: to the switch, for what it carries is no answer.
/// </param>
internal readonly record struct AttemptOutcome(
    FailureKind Failure, int Status, long ResponseTime, long Now, long Duration = 0)
{
    /// <summary>
    /// Whether the backend answered in full, or at least with a status for which another one was asked.
    /// </summary>
    public bool IsAnswer => Failure is FailureKind.None or FailureKind.UnwantedStatus;
}
