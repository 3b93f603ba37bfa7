namespace PolyBalance.Configuration;

/// <summary>How long a backend may take. Config section <c>timeouts</c> of a cluster.</summary>
public sealed record ClusterTimeoutOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly ClusterTimeoutOptions Default = new();

    /// <summary>Until a connection is open.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>From the end of the request to the head of the final response; each attempt has its own.</summary>
    public TimeSpan Response { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest pause within a response body.</summary>
    public TimeSpan ResponseIdle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The whole exchange with all its attempts; <see langword="null"/> for no bound.</summary>
    public TimeSpan? Request { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static ClusterTimeoutOptions BindFrom(ConfigSection section) => new()
    {
        Connect = section.Duration("connect", Default.Connect, Quantity.Shortest, Quantity.Longest,
            "Until a connection to a backend is open."),
        Response = section.Duration("response", Default.Response, Quantity.Shortest, Quantity.Longest,
            "From the end of the request to the head of the final response, per attempt."),
        ResponseIdle = section.Duration("response_idle", Default.ResponseIdle, Quantity.Shortest, Quantity.Longest,
            "Longest pause within a response body."),
        Request = section.DurationOrOff("request", Default.Request, Quantity.Shortest, Quantity.Longest,
            "The whole exchange with all its attempts."),
    };
}
