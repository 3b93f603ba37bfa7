using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace PolyBalance.Host.Telemetry;

/// <summary>Writes log messages to standard error, in the form that suits whoever reads it.</summary>
/// <remarks>
/// On a terminal: one line each, with the local time of day, in colours. Under systemd: lines with a syslog priority,
/// which the journal dates itself. Anywhere else: one line each, dated in UTC. Standard output stays free for the
/// access log.
/// </remarks>
internal static class LogOutput
{
    /// <summary>Starts the output. Disposing the factory writes what is still waiting.</summary>
    /// <param name="level">The least severe messages that are written.</param>
    /// <param name="variable">Looks up environment variables.</param>
    public static ILoggerFactory Create(LogLevelSwitch level, Func<string, string?> variable)
        => LoggerFactory.Create(logging =>
        {
            logging.SetMinimumLevel(LogLevel.Trace);
            logging.AddFilter(level.Admits);
            logging.AddConsole(console =>
            {
                console.LogToStandardErrorThreshold = LogLevel.Trace;

                // A reader of standard error that stands still must not hold up the gateway.
                console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
            });

            if (Console.IsErrorRedirected && IsUnderSystemd(variable))
                logging.AddSystemdConsole();
            else
                logging.AddSimpleConsole(format => Choose(format, variable));
        });

    private static void Choose(SimpleConsoleFormatterOptions format, Func<string, string?> variable)
    {
        var isTerminal = !Console.IsErrorRedirected;
        var wantsColours = isTerminal && string.IsNullOrEmpty(variable("NO_COLOR")) && variable("TERM") != "dumb";
        format.SingleLine = true;
        format.UseUtcTimestamp = !isTerminal;
        format.TimestampFormat = isTerminal ? "HH:mm:ss " : "yyyy-MM-ddTHH:mm:ss.fffZ ";
        format.ColorBehavior = wantsColours ? LoggerColorBehavior.Enabled : LoggerColorBehavior.Disabled;
    }

    // A shell on a desktop inherits INVOCATION_ID too; the caller asks for a terminal first.
    private static bool IsUnderSystemd(Func<string, string?> variable)
        => !string.IsNullOrEmpty(variable("JOURNAL_STREAM")) || !string.IsNullOrEmpty(variable("INVOCATION_ID"));
}
