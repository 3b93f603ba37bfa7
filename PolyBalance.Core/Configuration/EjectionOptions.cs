namespace PolyBalance.Configuration;

/// <summary>When traffic itself shows that a backend is unhealthy. Config section <c>ejection</c>.</summary>
public sealed record EjectionOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly EjectionOptions Default = new();

    /// <summary>Failed attempts in a row that eject a backend. At least 1.</summary>
    public int ConsecutiveFailures { get; init; } = 5;

    /// <summary>How long the first ejection lasts; each further one lasts that much longer.</summary>
    public TimeSpan BaseTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an ejection lasts at most. Config key <c>max_time</c>.</summary>
    public TimeSpan TimeMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static EjectionOptions BindFrom(ConfigSection section)
    {
        var options = new EjectionOptions
        {
            ConsecutiveFailures = section.Count("consecutive_failures", Default.ConsecutiveFailures, 1, 1_000,
                "Failed attempts in a row that eject a backend."),
            BaseTime = section.Duration("base_time", Default.BaseTime, Quantity.Shortest, Quantity.Longest,
                "How long the first ejection lasts; each further one lasts that much longer."),
            TimeMax = section.Duration("max_time", Default.TimeMax, Quantity.Shortest, Quantity.Longest,
                "How long an ejection lasts at most."),
        };

        if (options.TimeMax < options.BaseTime && section.IsReadable("max_time"))
        {
            var shortest = Quantity.Write(options.BaseTime);
            section.Report.Error(section.PositionOf("max_time"),
                $"`max_time` {Quantity.Write(options.TimeMax)} is shorter than `base_time` {shortest}",
                $"write `max_time: {shortest}` or more");
        }

        return options;
    }
}
