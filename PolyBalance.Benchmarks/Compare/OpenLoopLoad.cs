using System.Reflection;
using System.Text.Json;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>What the generator of an open loop says at its end, on one line.</summary>
/// <param name="Requests">Answered, those of its warm-up too.</param>
/// <param name="Seconds">How long it ran.</param>
/// <param name="Errors">What went wrong.</param>
/// <param name="Latency">From the moment a request was due.</param>
internal sealed record OpenLoopReport(long Requests, double Seconds, LoadErrors Errors, Latencies Latency);

/// <summary>Runs the generator of an open loop as a process of its own, and measures the proxy meanwhile.</summary>
internal static class OpenLoopLoad
{
    /// <summary>The hidden word on the command line that makes this executable the generator.</summary>
    public const string Verb = "compare-load";

    /// <summary>Loads a proxy at a fixed rate and measures it.</summary>
    /// <param name="proxy">Whom.</param>
    /// <param name="load">How.</param>
    /// <param name="round">1-based; 0 for a warm-up.</param>
    /// <param name="rate">Requests per second.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="stop">The comparison is over.</param>
    /// <exception cref="InvalidOperationException">The generator failed; the message is what it printed.</exception>
    public static async Task<Measurement> MeasureAsync(
        ProxyUnderTest proxy, Load load, int round, int rate, int seconds, CancellationToken stop)
    {
        var before = proxy.Cpu;
        var (exitCode, output) = await ChildProgram.RunAsync(
            "dotnet",
            [
                Assembly.GetExecutingAssembly().Location, Verb,
                $"{proxy.Port}", $"{rate}", $"{load.Connections}", $"{seconds}",
            ],
            stop,
            ("DOTNET_TieredCompilation", "0"), ("DOTNET_gcServer", "0"));
        var used = proxy.Cpu - before;

        if (exitCode != 0 || JsonSerializer.Deserialize<OpenLoopReport>(output) is not { } report)
            throw new InvalidOperationException($"the load generator failed ({exitCode}): {output.Trim()}");
        return new(proxy.Name, load.Name, round)
        {
            Requests = report.Requests,
            Seconds = report.Seconds,
            UserSeconds = used.User,
            SystemSeconds = used.System,
            Errors = report.Errors,
            Latency = report.Latency,
            MemoryMib = proxy.MemoryMib,
        };
    }

    /// <summary>The generator's own Main: arguments in, one line of JSON out.</summary>
    /// <returns>The exit code.</returns>
    public static int Generate(IReadOnlyList<int> arguments)
    {
        if (arguments is not [var port, var rate and > 0, var connections and > 0, var seconds and > 0])
        {
            Console.Error.WriteLine($"{Verb} PORT RATE CONNECTIONS SECONDS");
            return 2;
        }

        using var generator = new OpenLoopGenerator(port, connections);
        Console.WriteLine(JsonSerializer.Serialize(generator.Run(rate, seconds)));
        return 0;
    }
}
