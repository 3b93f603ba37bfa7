using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;

namespace PolyBalance.Host.Telemetry;

/// <summary>The least severe messages that are written: another level at any time. Any thread.</summary>
internal sealed class LogLevelSwitch
{
    private volatile LogLevel _level;

    /// <summary>Begins with a level.</summary>
    public LogLevelSwitch(LoggingLevel level) => Set(level);

    /// <summary>Whether messages of a level are written.</summary>
    public bool Admits(LogLevel level) => level >= _level;

    /// <summary>From now on this level.</summary>
    public void Set(LoggingLevel level) => _level = level switch
    {
        LoggingLevel.Trace => LogLevel.Trace,
        LoggingLevel.Debug => LogLevel.Debug,
        LoggingLevel.Information => LogLevel.Information,
        LoggingLevel.Warning => LogLevel.Warning,
        _ => LogLevel.Error,
    };
}
