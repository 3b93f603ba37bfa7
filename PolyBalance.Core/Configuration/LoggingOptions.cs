namespace PolyBalance.Configuration;

/// <summary>How much is logged, in rising severity. Config key <c>level</c>.</summary>
public enum LoggingLevel
{
    /// <summary>Everything.</summary>
    Trace,

    /// <summary>Per connection.</summary>
    Debug,

    /// <summary>Life cycle and verdicts, once per change.</summary>
    Information,

    /// <summary>Capacity or a backend was lost.</summary>
    Warning,

    /// <summary>A human must act.</summary>
    Error,
}

/// <summary>The form of the access log. Config key <c>access</c>.</summary>
public enum AccessLogFormat
{
    /// <summary>One JSON object per line.</summary>
    Json,

    /// <summary>The combined format of Apache and nginx.</summary>
    Combined,

    /// <summary>No access log.</summary>
    Off,
}

/// <summary>What is written to which log. Config section <c>logging</c>.</summary>
public sealed record LoggingOptions
{
    private const string StandardOutput = "stdout";

    private static readonly (string, LoggingLevel)[] Levels =
    [
        ("trace", LoggingLevel.Trace), ("debug", LoggingLevel.Debug), ("information", LoggingLevel.Information),
        ("warning", LoggingLevel.Warning), ("error", LoggingLevel.Error),
    ];

    private static readonly (string, AccessLogFormat)[] Formats =
        [("json", AccessLogFormat.Json), ("combined", AccessLogFormat.Combined), ("off", AccessLogFormat.Off)];

    private static readonly ConfigForm Paths = ConfigName.AbsolutePathForm.Or(StandardOutput, "stdout|absolute path");

    /// <summary>What applies when the section is absent.</summary>
    public static readonly LoggingOptions Default = new();

    /// <summary>The least severe messages that are written.</summary>
    public LoggingLevel Level { get; init; } = LoggingLevel.Information;

    /// <summary>The form of the access log.</summary>
    public AccessLogFormat Access { get; init; } = AccessLogFormat.Json;

    /// <summary>The absolute path of the access log; <see langword="null"/> for standard output.</summary>
    public string? AccessPath { get; init; }

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    internal static LoggingOptions BindFrom(ConfigSection section) => new()
    {
        Level = section.Choice("level", Default.Level, Levels, "The least severe messages that are written."),
        Access = section.Choice("access", Default.Access, Formats, "The form of the access log."),
        AccessPath = section.Value("access_path", Default.AccessPath, Paths, StandardOutput,
            "Where the access log goes.", ParsePath),
    };

    private static Parsed<string?> ParsePath(string text)
    {
        if (text == StandardOutput)
            return new(null, null);
        if (!text.StartsWith('/'))
            return new Flaw($"{Flaw.Show(text)} is no place for the access log", "write `stdout` or an absolute path");

        var parsed = ConfigName.File(text);
        return new(parsed.Value, parsed.Flaw);
    }
}
