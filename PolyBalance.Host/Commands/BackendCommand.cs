using System.Globalization;
using System.Net;
using PolyBalance.Configuration;
using PolyBalance.Host.Lifecycle;
using PolyBalance.Host.Telemetry;
using PolyBalance.Server;
using PolyBalance.Transport;

namespace PolyBalance.Host.Commands;

/// <summary>What the command line says about an embedded backend, not yet understood.</summary>
/// <param name="Port">A port number.</param>
/// <param name="Bind">An IP address.</param>
/// <param name="Name">What it calls itself.</param>
/// <param name="Delay">A duration.</param>
/// <param name="FailRate">A number from 0 to 1.</param>
/// <param name="KeepAlive">A duration.</param>
internal sealed record BackendFlags(
    string? Port, string? Bind, string? Name, string? Delay, string? FailRate, string? KeepAlive);

/// <summary><c>polybalance backend</c>: an HTTP backend to try things with.</summary>
internal static class BackendCommand
{
    private const int PortDefault = 9001;

    /// <summary>Answers requests until a signal ends it.</summary>
    /// <param name="flags">What the command line says.</param>
    /// <param name="surroundings">Variables and where to print.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(BackendFlags flags, Surroundings surroundings)
    {
        if (!TryUnderstand(flags, out var options, out var problem))
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {problem}");
            return ExitCode.Usage;
        }

        using var logs = LogOutput.Create(new(LoggingLevel.Information), surroundings.Variable);
        var logger = logs.CreateLogger("polybalance");
        using var signals = new Signals();
        try
        {
            await using var backend = SampleBackend.Start(options, logs);
            var address = new IPEndPoint(IPEndPoint.Parse(options.Bind).Address, backend.Port);
            HostLog.BackendListening(logger, options.Name, address.ToString());
            await signals.First;
            HostLog.BackendStopped(logger, options.Name, backend.Requests);
        }
        catch (ListenException failure)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
            return ExitCode.CouldNotListen;
        }

        return ExitCode.Fine;
    }

    /// <summary>Turns the flags into options, or says what is wrong with the first that is not in order.</summary>
    /// <param name="flags">What the command line says.</param>
    /// <param name="options">What they mean.</param>
    /// <param name="problem">A line for the user; empty when there is none.</param>
    internal static bool TryUnderstand(BackendFlags flags, out SampleBackendOptions options, out string problem)
    {
        options = new SampleBackendOptions { Name = flags.Name ?? "backend" };
        problem = "";
        var port = (ushort)PortDefault;
        var address = IPAddress.Loopback;
        var delay = TimeSpan.Zero;
        var failRate = 0.0;
        var keepAlive = TimeSpan.Zero;
        if (flags.Port is { } portText && !TryParsePort(portText, out port))
            problem = $"--port: `{portText}` is no port; write a number from 0 to 65535";
        else if (flags.Bind is { } bindText && !IPAddress.TryParse(bindText, out address))
            problem = $"--bind: `{bindText}` is no IP address; write one such as 127.0.0.1 or 0.0.0.0";
        else if (flags.Delay is { } delayText && !Durations.TryParse(delayText, out delay))
            problem = $"--delay: `{delayText}` is no duration; write one such as 50ms or 2s";
        else if (flags.FailRate is { } rateText && !TryParseShare(rateText, out failRate))
            problem = $"--fail-rate: `{rateText}` is no share; write a number from 0 to 1 such as 0.1";
        else if (flags.KeepAlive is { } idleText && !TryParseIdleTime(idleText, out keepAlive))
            problem = $"--keepalive: `{idleText}` is no duration above 0; write one such as 5s";

        options = options with
        {
            Bind = new IPEndPoint(address ?? IPAddress.Loopback, port).ToString(),
            Delay = delay,
            FailureRate = failRate,
            KeepAlive = flags.KeepAlive is null ? null : keepAlive,
        };
        return problem.Length == 0;
    }

    private static bool TryParsePort(string text, out ushort port)
        => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port);

    private static bool TryParseIdleTime(string text, out TimeSpan time)
        => Durations.TryParse(text, out time) && time > TimeSpan.Zero;

    private static bool TryParseShare(string text, out double share)
        => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share)
            && share is >= 0 and <= 1;
}
