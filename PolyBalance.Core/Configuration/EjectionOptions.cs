namespace PolyBalance.Configuration;

/// <summary>
/// When traffic itself shows that a backend is unhealthy, and how it comes back: passive health, and a circuit breaker
/// for each backend. Config section <c>ejection</c>.
/// </summary>
public sealed record EjectionOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly EjectionOptions Default = new();

    /// <summary>Failed attempts in a row that eject a backend. At least 1.</summary>
    public int ConsecutiveFailures { get; init; } = 5;

    /// <summary>
    /// Share of the attempts within <see cref="Window"/> that must have failed; 0 looks at no share. Config key
    /// <c>failure_ratio</c>. Unit: percent.
    /// </summary>
    public int FailurePercent { get; init; } = 50;

    /// <summary>With fewer attempts within <see cref="Window"/> their share says nothing. At least 1.</summary>
    public int MinimumRequests { get; init; } = 20;

    /// <summary>How far back the share of failures looks. At least a second: it is counted once a second.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the first ejection lasts; each further one lasts that much longer.</summary>
    public TimeSpan BaseTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an ejection lasts at most. Config key <c>max_time</c>.</summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Exchanges that must go well, one at a time, before an ejected backend is in service again. At least 1.
    /// </summary>
    public int Trials { get; init; } = 1;

    /// <summary>Status codes that count as failures, all of them from 500 to 599; none by default.</summary>
    public EquatableArray<StatusRange> Statuses { get; init; } = [];

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static EjectionOptions BindFrom(ConfigSection section)
    {
        var options = new EjectionOptions
        {
            ConsecutiveFailures = section.Count("consecutive_failures", Default.ConsecutiveFailures, 1, 1_000,
                "Failed attempts in a row that eject a backend."),
            FailurePercent = section.Percent("failure_ratio", Default.FailurePercent,
                "Share of failed attempts within the window that ejects a backend; 0% looks at no share."),
            MinimumRequests = section.Count("minimum_requests", Default.MinimumRequests, 1, 1_000_000,
                "With fewer attempts within the window their share says nothing."),
            Window = section.Duration("window", Default.Window, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1),
                "How far back the share of failures looks."),
            BaseTime = section.Duration("base_time", Default.BaseTime, Quantity.Shortest, Quantity.Longest,
                "How long the first ejection lasts; each further one lasts that much longer."),
            TimeMax = section.Duration("max_time", Default.TimeMax, Quantity.Shortest, Quantity.Longest,
                "How long an ejection lasts at most."),
            Trials = section.Count("trials", Default.Trials, 1, 1_000,
                "Exchanges that must go well, one at a time, before an ejected backend is in service again."),
            Statuses = section.Value("statuses", Default.Statuses, StatusRanges.ServerErrors, null,
                "Answers that count as failures; without it only failures to answer do.",
                StatusRanges.ParseServerErrors),
        };

        if (options.TimeMax < options.BaseTime && section.IsReadable("max_time")
            && !section.IsUnreadable("base_time"))
        {
            var shortest = Quantity.Write(options.BaseTime);
            section.Report.Error(section.PositionOf("max_time"),
                $"`max_time` {Quantity.Write(options.TimeMax)} is shorter than `base_time` {shortest}",
                $"write `max_time: {shortest}` or more");
        }

        return options;
    }
}
