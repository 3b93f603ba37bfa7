using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;
using PolyBalance.Server;
using PolyBalance.Transport;

namespace PolyBalance.Host;

/// <summary><c>polybalance run</c>: the gateway, from reading its configuration to its orderly end.</summary>
internal static class RunCommand
{
    /// <summary>Runs until a signal ends it.</summary>
    /// <param name="named">What <c>--config</c> says, or <see langword="null"/>.</param>
    /// <param name="flags">What the command line sets.</param>
    /// <param name="surroundings">Files, variables and where to print.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string? named, ConfigOverrides flags, Surroundings surroundings)
    {
        var code = LoadedConfig.TryLoad(named, flags, surroundings, out var config);
        if (config is null)
            return code;

        // From here on a signal ends in good order what has started; not earlier, so that Ctrl-C ends a wait for input.
        using var signals = new Signals();

        // The log is written to its end before the line that says why there will be no more of it.
        try
        {
            await ServeAsync(config, signals, surroundings);
            return ExitCode.Fine;
        }
        catch (TransportException failure)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
            return ExitCode.Refused;
        }
        catch (ListenException failure)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
            return ExitCode.CouldNotListen;
        }
        catch (AccessLogException failure)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
            return ExitCode.Refused;
        }
    }

    private static async Task ServeAsync(LoadedConfig config, Signals signals, Surroundings surroundings)
    {
        using var logs = LogOutput.Create(config.Options.Logging.Level, surroundings.Variable);
        var logger = logs.CreateLogger("polybalance");
        HostLog.Starting(logger, ProductVersion.Text, ProductVersion.Runtime);
        HostLog.Configured(logger, config.Source, config.Summary);
        foreach (var warning in config.Warnings)
            HostLog.ConfigurationWarning(logger, warning.ToString());

        using (var accessLog = OpenAccessLog(config.Options.Logging, logger, out var accessName))
        {
            signals.Reopen = accessLog is null ? null : accessLog.Reopen;
            await using var server = ProxyServer.Create(config.Options, logs, accessLog);
            await server.StartAsync();
            HostLog.Ready(logger, server.TransportName, accessName);
            SystemdNotify.Ready(surroundings.Variable);
            await StopAfterSignalAsync(server, signals, config.Options.Shutdown, logger, surroundings);
            signals.Reopen = null;
        }

        HostLog.Stopped(logger);
    }

    private static async Task StopAfterSignalAsync(
        ProxyServer server, Signals signals, ShutdownOptions shutdown, ILogger logger, Surroundings surroundings)
    {
        await signals.First;
        SystemdNotify.Stopping(surroundings.Variable);
        server.AnnounceDrain();
        if (shutdown.Delay > TimeSpan.Zero)
        {
            HostLog.DelayingDrain(logger, shutdown.Delay);
            using var delay = new CancellationTokenSource();
            await Task.WhenAny(Task.Delay(shutdown.Delay, TimeProvider.System, delay.Token), signals.Second);
            await delay.CancelAsync();
        }

        HostLog.ToldToStop(logger);
        var drained = server.DrainAsync(shutdown.Drain);
        if (await Task.WhenAny(drained, signals.Second) != drained)
        {
            HostLog.StoppingNow(logger);
            server.StopNow();
        }

        await drained;
    }

    private static AccessLog? OpenAccessLog(LoggingOptions options, ILogger logger, out string name)
    {
        name = "off";
        if (options.Access == AccessLogFormat.Off)
            return null;

        try
        {
            var output = options.AccessPath is { } path ? AccessOutput.ToFile(path) : AccessOutput.ToStandardOutput();
            var isJson = options.Access == AccessLogFormat.Json;
            name = $"{(isJson ? "json" : "combined")} on {output.Name}";
            return new AccessLog(
                isJson ? new JsonAccessFormat() : new CombinedAccessFormat(), output, logger, TimeProvider.System);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new AccessLogException(
                $"the access log {options.AccessPath} cannot be opened: {failure.Message} Make its folder, let "
                + "polybalance's user write there, or set logging.access_path to stdout.", failure);
        }
    }

    /// <summary>The access log's file cannot be opened; the message is a sentence for the operator.</summary>
    private sealed class AccessLogException(string message, Exception cause) : Exception(message, cause);
}
