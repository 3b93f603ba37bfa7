namespace PolyBalance.Configuration;

/// <summary>Bounds on the connections kept to one backend. Config section <c>pool</c>.</summary>
public sealed record PoolOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly PoolOptions Default = new();

    /// <summary>Idle connections kept in quiet times; a surplus after a burst decays. Config key <c>size</c>.</summary>
    public int IdleConnections { get; init; } = 10;

    /// <summary>Open connections, idle and in use together; 0 for no cap.</summary>
    public int ConnectionsMax { get; init; }

    /// <summary>
    /// An idle connection older than this is closed, not reused. Keep it below the backend's own keep-alive timeout;
    /// otherwise reuse races with the backend's close.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A connection older than this is not reused. Config key <c>max_lifetime</c>.</summary>
    public TimeSpan LifetimeMax { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static PoolOptions BindFrom(ConfigSection section) => new()
    {
        IdleConnections = section.Count("size", Default.IdleConnections, 0, Limits.ConnectionsPerBackendMax,
            "Idle connections kept in quiet times; a surplus after a burst decays."),
        ConnectionsMax = section.Count("max_connections", Default.ConnectionsMax, 0, Limits.ConnectionsPerBackendMax,
            "Open connections, idle and in use together; 0 for no cap."),
        IdleTimeout = section.Duration("idle_timeout", Default.IdleTimeout, Quantity.Shortest, Quantity.Longest,
            "An idle connection older than this is closed; keep it below the backend's keep-alive timeout."),
        LifetimeMax = section.Duration("max_lifetime", Default.LifetimeMax, Quantity.Shortest, Quantity.Longest,
            "A connection older than this is not reused."),
    };
}
