using Microsoft.Extensions.Logging;

namespace PolyBalance.Host.Telemetry;

/// <summary>Every log message of the executable itself. Ids are permanent; a retired one is never reused.</summary>
internal static partial class HostLog
{
    // 50xx life of the process   51xx access log   52xx traces

    /// <summary>The first line of a run: what runs, and on what.</summary>
    [LoggerMessage(5001, LogLevel.Information, "PolyBalance {Version} starts on {Runtime}")]
    public static partial void Starting(ILogger logger, string version, string runtime);

    /// <summary>Which configuration is in force, and how large it is.</summary>
    [LoggerMessage(5002, LogLevel.Information, "Configuration: {Source}; {Summary}")]
    public static partial void Configured(ILogger logger, string source, string summary);

    /// <summary>A warning of the configuration, with its position.</summary>
    [LoggerMessage(5003, LogLevel.Warning, "Configuration: {Warning}")]
    public static partial void ConfigurationWarning(ILogger logger, string warning);

    /// <summary>Everything is bound; what moves the bytes.</summary>
    [LoggerMessage(5004, LogLevel.Information, "Ready; transport {Transport}, access log {AccessLog}")]
    public static partial void Ready(ILogger logger, string transport, string accessLog);

    /// <summary>The first signal came, and the configuration asks to keep accepting for a while.</summary>
    [LoggerMessage(5005, LogLevel.Information, "Told to stop; still accepting for {Delay}, then draining")]
    public static partial void DelayingDrain(ILogger logger, TimeSpan delay);

    /// <summary>The first signal came, or the delay after it has passed.</summary>
    [LoggerMessage(5006, LogLevel.Information, "Told to stop: draining; a second signal stops at once")]
    public static partial void ToldToStop(ILogger logger);

    /// <summary>The second signal came.</summary>
    [LoggerMessage(5007, LogLevel.Warning, "Second signal: stopping at once, exchanges that run are cut off")]
    public static partial void StoppingNow(ILogger logger);

    /// <summary>The last line of a run.</summary>
    [LoggerMessage(5008, LogLevel.Information, "Stopped")]
    public static partial void Stopped(ILogger logger);

    /// <summary>An embedded backend answers requests.</summary>
    [LoggerMessage(5009, LogLevel.Information, "Backend {Backend} listens on {Address}")]
    public static partial void BackendListening(ILogger logger, string backend, string address);

    /// <summary>An embedded backend has ended.</summary>
    [LoggerMessage(5010, LogLevel.Information, "Backend {Backend} stopped after {Requests} requests")]
    public static partial void BackendStopped(ILogger logger, string backend, long requests);

    /// <summary>Another process is started to take over.</summary>
    [LoggerMessage(5011, LogLevel.Information, "Upgrading: {Executable} starts anew")]
    public static partial void Upgrading(ILogger logger, string executable);

    /// <summary>Another process has taken over.</summary>
    [LoggerMessage(5012, LogLevel.Information,
        "Upgraded: process {Process} ({Version}) serves new clients; this one has {Connections} left to finish with")]
    public static partial void Upgraded(ILogger logger, int process, string version, int connections);

    /// <summary>No other process has taken over.</summary>
    [LoggerMessage(5013, LogLevel.Error, "Not upgraded: {Problem}")]
    public static partial void NotUpgraded(ILogger logger, string problem);

    /// <summary>This process was started to take over from another one.</summary>
    [LoggerMessage(5014, LogLevel.Information, "Taking over from process {Process}")]
    public static partial void TakingOver(ILogger logger, int process);

    /// <summary>Access records were lost since the last such message.</summary>
    [LoggerMessage(5101, LogLevel.Warning, "Access log: {Lines} lines lost ({Reason}); traffic goes on")]
    public static partial void AccessLinesLost(ILogger logger, long lines, string reason);

    /// <summary>The access log's file was opened anew.</summary>
    [LoggerMessage(5102, LogLevel.Information, "Access log: {Path} opened again")]
    public static partial void AccessFileReopened(ILogger logger, string path);

    /// <summary>The access log's file could not be opened anew; the old one stays in use.</summary>
    [LoggerMessage(5103, LogLevel.Error,
        "Access log: {Path} could not be opened again ({Reason}); writing to the old file")]
    public static partial void AccessFileNotReopened(ILogger logger, string path, string reason);

    /// <summary>Traces are recorded from now on.</summary>
    [LoggerMessage(5201, LogLevel.Information, "Traces: spans go to {Collector} by {Protocol}; {Sample} are recorded")]
    public static partial void TracesBegin(ILogger logger, string collector, string protocol, string sample);

    /// <summary>Traces are recorded no more.</summary>
    [LoggerMessage(5202, LogLevel.Information, "Traces: off")]
    public static partial void TracesEnd(ILogger logger);

    /// <summary>Spans were lost since the last such message.</summary>
    [LoggerMessage(5203, LogLevel.Warning, "Traces: {Spans} spans lost ({Reason}); traffic goes on")]
    public static partial void SpansLost(ILogger logger, long spans, string reason);
}
