using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;
using PolyBalance.Host.Configuration;
using PolyBalance.Host.Lifecycle;
using PolyBalance.Host.Telemetry;
using PolyBalance.Server;
using PolyBalance.Transport;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance run</c>: the gateway, from reading its configuration to its orderly end.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan LastSpansMin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CountersPeriod = TimeSpan.FromSeconds(1);

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
        var systemd = new SystemdNotify(surroundings.Variable);

        // The log is written to its end before the line that says why there will be no more of it.
        try
        {
            await ServeAsync(config, named, flags, signals, systemd, surroundings);
            return ExitCode.Fine;
        }
        catch (TransportException failure)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
            return ExitCode.Refused;
        }
        catch (HandoverException failure)
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

    private static async Task ServeAsync(
        LoadedConfig config, string? named, ConfigOverrides flags, Signals signals, SystemdNotify systemd,
        Surroundings surroundings)
    {
        var level = new LogLevelSwitch(config.Options.Logging.Level);
        using var logs = LogOutput.Create(level, surroundings.Variable);
        var logger = logs.CreateLogger("polybalance");
        HostLog.Starting(logger, ProductVersion.Text, ProductVersion.Runtime);
        HostLog.Configured(logger, config.Source, config.Summary);
        foreach (var warning in config.Warnings)
            HostLog.ConfigurationWarning(logger, warning.ToString());

        using (var predecessor = await FindPredecessorAsync(surroundings, logger))
        using (var given = GivenSockets.FromSystemd(surroundings.Variable))
        using (var accessLogs = new AccessLogs(logger))
        using (var traces = new TraceExports(logger))
        {
            if (accessLogs.Prepare(config.Options.Logging) is var (problem, remedy))
                throw new AccessLogException($"{problem}; {remedy}");

            accessLogs.Adopt(config.Options.Logging);
            traces.Adopt(config.Options.Tracing);
            var source = new ConfigSource(named, flags, surroundings, level, accessLogs, traces) { Text = config.Text };
            signals.Reopen = accessLogs.Reopen;
            await using var server = ProxyServer.Create(
                config.Options, logs, accessLogs.Current, source, given, predecessor);
            using var upgrade = new Upgrade(server, systemd, surroundings, isReadAgain: named != "-", logger);
            server.Upgrade = upgrade.RunAsync;
            await server.StartAsync();

            // Clients are served already. Once it is said that all is ready, the executable may be replaced.
            await Task.Run(WholeProgram.Load);
            HostLog.Ready(logger, server.TransportName, accessLogs.Name);
            await FollowAsync(server, source, named, surroundings, signals, systemd, upgrade);

            // What is left of the drain, and a moment in any case, is for the last spans.
            var left = await StopAsync(
                server, signals, source.Options?.Shutdown ?? config.Options.Shutdown, logger, systemd, upgrade);
            traces.FlushTimeout = TimeSpan.FromTicks(
                Math.Clamp(left.Ticks, LastSpansMin.Ticks, traces.FlushTimeout.Ticks));
            signals.Reopen = null;
        }

        HostLog.Stopped(logger);
    }

    private static async Task<Predecessor?> FindPredecessorAsync(Surroundings surroundings, ILogger logger)
    {
        var predecessor = await Predecessor.FindAsync(
            surroundings.Variable, ProductVersion.Text, CancellationToken.None);
        if (predecessor is not null)
            HostLog.TakingOver(logger, predecessor.Process);
        return predecessor;
    }

    // Takes up what the file says anew: when it says something else, or when SIGHUP asks for it. Until the end begins.
    private static async Task FollowAsync(
        ProxyServer server, ConfigSource source, string? named, Surroundings surroundings, Signals signals,
        SystemdNotify systemd, Upgrade upgrade)
    {
        using var stop = new CancellationTokenSource();

        async Task ReloadAsync()
        {
            systemd.Reloading();
            var isTaken = await server.ReloadConfigurationAsync();
            systemd.Ready(isTaken ? server.Status : "The configuration has errors, see the log: the last one applies");
        }

        // systemd may ask for a reload as soon as it hears that all is ready.
        signals.Reload = () => _ = ReloadAsync();
        signals.Upgrade = () => _ = upgrade.RunAsync();
        systemd.Ready(server.Status);
        await using var watched = SystemdWatch.Start(systemd, server, TimeProvider.System);

        // Standard input says nothing more. Who runs on flags alone is not to find a later file taken up.
        var watch = named == "-" || source.Text is not { Length: > 0 }
            ? Task.CompletedTask
            : ConfigWatch.RunAsync(
                () => ConfigFile.TryRead(named, isNeeded: true, surroundings, out var found, out _) == ExitCode.Fine
                    ? found.Text
                    : null,
                () => source.Text, ReloadAsync, TimeProvider.System, stop.Token);
        await Task.WhenAny(signals.First, upgrade.Done);
        await upgrade.AbandonAsync();
        (signals.Reload, signals.Upgrade) = (null, null);
        await stop.CancelAsync();
        await watch;
    }

    // How much of the drain was not needed.
    private static async Task<TimeSpan> StopAsync(
        ProxyServer server, Signals signals, ShutdownOptions shutdown, ILogger logger, SystemdNotify systemd,
        Upgrade upgrade)
    {
        if (!upgrade.Done.IsCompleted)
            return await StopAfterSignalAsync(server, signals, shutdown, logger, systemd);

        using var successor = await upgrade.Done;
        await StopAfterUpgradeAsync(server, signals, shutdown, logger, successor);
        return TimeSpan.Zero;
    }

    // There is no hurry: new clients go elsewhere. Unless somebody stops this process, too.
    private static async Task StopAfterUpgradeAsync(
        ProxyServer server, Signals signals, ShutdownOptions shutdown, ILogger logger, Successor successor)
    {
        var drained = server.DrainAsync(shutdown.UpgradeDrain);
        using var done = new CancellationTokenSource();
        var hurry = Task.Run(async () =>
        {
            await signals.First.WaitAsync(done.Token);
            HostLog.ToldToStop(logger);
            server.ShortenDrain(shutdown.Drain);
            await signals.Second.WaitAsync(done.Token);
            HostLog.StoppingNow(logger);
            server.StopNow();
        });
        using var timer = new PeriodicTimer(CountersPeriod, TimeProvider.System);
        while (await Task.WhenAny(drained, timer.WaitForNextTickAsync().AsTask()) != drained)
            await server.TellAsync(successor);

        await done.CancelAsync();
        await Task.WhenAny(hurry);
        await drained;
        await server.TellAsync(successor);
    }

    // How much of the drain was not needed.
    private static async Task<TimeSpan> StopAfterSignalAsync(
        ProxyServer server, Signals signals, ShutdownOptions shutdown, ILogger logger, SystemdNotify systemd)
    {
        server.AnnounceDrain();
        systemd.Stopping(server.Status);
        if (shutdown.Delay > TimeSpan.Zero)
        {
            HostLog.DelayingDrain(logger, shutdown.Delay);
            using var delay = new CancellationTokenSource();
            await Task.WhenAny(Task.Delay(shutdown.Delay, TimeProvider.System, delay.Token), signals.Second);
            await delay.CancelAsync();
        }

        HostLog.ToldToStop(logger);
        var began = TimeProvider.System.GetTimestamp();
        var drained = server.DrainAsync(shutdown.Drain);
        if (await Task.WhenAny(drained, signals.Second) != drained)
        {
            HostLog.StoppingNow(logger);
            server.StopNow();
        }

        await drained;
        return shutdown.Drain - TimeProvider.System.GetElapsedTime(began);
    }

    /// <summary>The access log's file cannot be opened; the message is a sentence for the operator.</summary>
    private sealed class AccessLogException(string message) : Exception(message);
}
