namespace PolyBalance.Configuration;

/// <summary>
/// Requests that wait for a place while every eligible backend has <c>pool.max_connections</c> exchanges; without that
/// bound nobody ever waits. Config section <c>queue</c>.
/// </summary>
public sealed record QueueOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly QueueOptions Default = new();

    /// <summary>Requests of the cluster that may wait at once. At least 1. Config key <c>size</c>.</summary>
    public int RequestsMax { get; init; } = Limits.QueuedRequestsDefault;

    /// <summary>How long one may wait; then it is refused.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static QueueOptions BindFrom(ConfigSection section) => new()
    {
        RequestsMax = section.Count("size", Default.RequestsMax, 1, Limits.QueuedRequestsMax,
            "Requests that may wait at once."),
        Timeout = section.Duration("timeout", Default.Timeout, Quantity.Shortest, Quantity.Longest,
            "How long a request may wait; then it gets 503."),
    };
}
