namespace PolyBalance.Configuration;

/// <summary>Attempts after the first. Config section <c>retries</c>.</summary>
public sealed record RetryOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly RetryOptions Default = new();

    /// <summary>Further attempts after the first, each at a backend not yet tried.</summary>
    public int Attempts { get; init; } = 2;

    /// <summary>Share of the requests that may be retried. Unit: percent, 0 to 100. Config key <c>budget</c>.</summary>
    public int BudgetPercent { get; init; } = 20;

    /// <summary>Request content kept for a further attempt. Config key <c>replay_buffer</c>. Unit: bytes.</summary>
    public int ReplayBufferBytes { get; init; } = Limits.ReplayBytesDefault;

    /// <summary>
    /// Answers for which another backend is asked where one can be: 429, and 500 to 599; none by default.
    /// </summary>
    public EquatableArray<StatusRange> Statuses { get; init; } = [];

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static RetryOptions BindFrom(ConfigSection section) => new()
    {
        Attempts = section.Count("attempts", Default.Attempts, 0, Limits.AttemptsMax - 1,
            "Further attempts after the first, each at a backend not yet tried."),
        BudgetPercent = section.Percent("budget", Default.BudgetPercent,
            "Share of the requests that may be retried."),
        ReplayBufferBytes = section.Size("replay_buffer", Default.ReplayBufferBytes, 0, Limits.ReplayBytesMax,
            "Request content kept for a further attempt."),
        Statuses = section.Value("statuses", Default.Statuses, StatusRanges.Unwanted, null,
            "Answers for which another backend is asked where one can be; without it every answer goes through.",
            StatusRanges.ParseUnwanted),
    };
}
