namespace PolyBalance.Configuration;

/// <summary>How long clients may take. Config section <c>timeouts</c> at the top level.</summary>
public sealed record ClientTimeoutOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly ClientTimeoutOptions Default = new();

    /// <summary>From the first byte of a request head to its end. Config key <c>client_header</c>.</summary>
    public TimeSpan Head { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two requests on one connection, and before the first. Config key <c>client_idle</c>.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>Longest pause within a request body. Config key <c>client_body_idle</c>.</summary>
    public TimeSpan BodyIdle { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Longest time in which the client takes no byte of the response. Config key <c>client_write</c>.
    /// </summary>
    public TimeSpan Write { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest silence in both directions of a tunnel.</summary>
    public TimeSpan TunnelIdle { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static ClientTimeoutOptions BindFrom(ConfigSection section) => new()
    {
        Head = section.Duration("client_header", Default.Head, Quantity.Shortest, Quantity.Longest,
            "From the first byte of a request head to its end."),
        Idle = section.Duration("client_idle", Default.Idle, Quantity.Shortest, Quantity.Longest,
            "Between two requests on one connection, and before the first."),
        BodyIdle = section.Duration("client_body_idle", Default.BodyIdle, Quantity.Shortest, Quantity.Longest,
            "Longest pause within a request body."),
        Write = section.Duration("client_write", Default.Write, Quantity.Shortest, Quantity.Longest,
            "Longest time in which the client takes no byte of the response."),
        TunnelIdle = section.Duration("tunnel_idle", Default.TunnelIdle, Quantity.Shortest, Quantity.Longest,
            "Longest silence in both directions of a tunnel."),
    };
}
