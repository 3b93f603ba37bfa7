using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>One run of wrk against one proxy, with what the proxy used meanwhile.</summary>
internal static class WrkRun
{
    /// <summary>Loads a proxy and measures it.</summary>
    /// <param name="proxy">Whom.</param>
    /// <param name="load">How.</param>
    /// <param name="round">1-based; 0 for a warm-up.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="folder">Where scripts for wrk may be written.</param>
    /// <param name="stop">The comparison is over.</param>
    /// <exception cref="InvalidOperationException">wrk failed; the message is what it printed.</exception>
    public static async Task<Measurement> MeasureAsync(
        ProxyUnderTest proxy, Load load, int round, int seconds, string folder, CancellationToken stop)
    {
        var script = Path.Combine(folder, $"{load.Name}.lua");
        await File.WriteAllTextAsync(script, load.Script + WrkReport.Script, stop);

        var before = proxy.Cpu;
        var (exitCode, output) = await ChildProgram.RunAsync(
            "wrk",
            ["-t1", $"-c{load.Connections}", $"-d{seconds}s", "--timeout", "10s", "-s", script, proxy.At(load.Path)],
            stop);
        var used = proxy.Cpu - before;

        if (exitCode != 0 || WrkReport.Parse(output) is not { } report)
            throw new InvalidOperationException($"wrk failed ({exitCode}): {output.Trim()}");
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
}
