namespace PolyBalance.Configuration;

/// <summary>How the process ends after the first signal. Config section <c>shutdown</c>.</summary>
public sealed record ShutdownOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly ShutdownOptions Default = new();

    /// <summary>How long exchanges that run may take to finish.</summary>
    public TimeSpan Drain { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long connections are still accepted, so that whoever sends us traffic can notice.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.Zero;

    /// <summary>How long the connections of a process may last after another one has taken over.</summary>
    public TimeSpan UpgradeDrain { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static ShutdownOptions BindFrom(ConfigSection section) => new()
    {
        Drain = section.Duration("drain", Default.Drain, TimeSpan.Zero, Quantity.Longest,
            "How long running exchanges may take to finish."),
        Delay = section.Duration("delay", Default.Delay, TimeSpan.Zero, Quantity.Longest,
            "How long connections are still accepted after the signal."),
        UpgradeDrain = section.Duration("upgrade_drain", Default.UpgradeDrain, TimeSpan.Zero, Quantity.Longest,
            "How long connections of the former process may last after an upgrade, tunnels among them."),
    };
}
