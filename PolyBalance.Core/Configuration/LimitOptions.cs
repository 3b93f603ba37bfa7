namespace PolyBalance.Configuration;

/// <summary>How much clients may send. Config section <c>limits</c>.</summary>
public sealed record LimitOptions
{
    /// <summary>What applies when the section is absent.</summary>
    public static readonly LimitOptions Default = new();

    // More than any kernel hands out to one process.
    private const int ConnectionsCeiling = 10_000_000;

    /// <summary>Longest request head. Config key <c>head</c>. Unit: bytes.</summary>
    public int HeadBytesMax { get; init; } = Limits.HeadBytesDefault;

    /// <summary>Most field lines in one section. Config key <c>fields</c>.</summary>
    public int FieldLinesMax { get; init; } = Limits.FieldLinesDefault;

    /// <summary>Most client connections at once; 0 for no bound. Config key <c>connections</c>.</summary>
    public int ConnectionsMax { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static LimitOptions BindFrom(ConfigSection section) => new()
    {
        HeadBytesMax = section.Size("head", Default.HeadBytesMax, Limits.HeadBytesMin, Limits.HeadBytesMax,
            "Longest request head."),
        FieldLinesMax = section.Count("fields", Default.FieldLinesMax, 1, Limits.FieldLinesMax,
            "Most field lines in one section."),
        ConnectionsMax = section.Count("connections", Default.ConnectionsMax, 0, ConnectionsCeiling,
            "Most client connections at once; 0 for no bound."),
    };
}
