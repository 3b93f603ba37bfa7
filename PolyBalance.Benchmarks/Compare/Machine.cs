using System.Runtime.InteropServices;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>What a comparison ran on: figures without it say nothing.</summary>
/// <param name="Cpu">Model of the processor.</param>
/// <param name="Processors">How many this process may use.</param>
/// <param name="MemoryMib">Of the whole machine.</param>
/// <param name="Kernel">
/// Name, release and TCP congestion control. The latter matters on loopback: BBR paces each connection with a timer,
/// and what a response of 1 MiB costs may double.
/// </param>
/// <param name="Runtime">The .NET that PolyBalance and YARP run on.</param>
/// <param name="OpenFiles">Most files that one process may have open.</param>
/// <param name="Commit">What was measured; <c>dirty</c> when files differ from it.</param>
internal sealed record Machine(
    string Cpu, int Processors, long MemoryMib, string Kernel, string Runtime, int OpenFiles, string Commit)
{
    /// <summary>How many files a process that we start may have open.</summary>
    public static int OpenFilesMax { get; } =
        (int)Math.Min(
            ProcFiles.NumberAfter(File.ReadAllText("/proc/self/limits"), "Max open files") ?? 1024, 1_000_000);

    /// <summary>Looks at everything.</summary>
    public static async Task<Machine> LookAsync(CancellationToken stop)
    {
        var cpu = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        var memory = ProcFiles.NumberAfter(File.ReadAllText("/proc/meminfo"), "MemTotal:") ?? 0;
        return new(
            cpu is null ? RuntimeInformation.ProcessArchitecture.ToString() : cpu[(cpu.IndexOf(':') + 1)..].Trim(),
            Environment.ProcessorCount,
            memory / 1024,
            $"Linux {Setting("kernel/osrelease")} with {Setting("net/ipv4/tcp_congestion_control")}",
            $".NET {Environment.Version}",
            OpenFilesMax,
            await CommitAsync(stop));
    }

    private static string Setting(string name) => File.ReadAllText($"/proc/sys/{name}").Trim();

    private static async Task<string> CommitAsync(CancellationToken stop)
    {
        if (ChildProgram.Find("git") is not { } git)
            return "unknown";

        string[] here = ["-C", AppContext.BaseDirectory];
        var (exitCode, commit) = await ChildProgram.RunAsync(git, [.. here, "rev-parse", "--short=12", "HEAD"], stop);
        if (exitCode != 0)
            return "unknown";
        var (_, changes) = await ChildProgram.RunAsync(git, [.. here, "status", "--porcelain"], stop);
        return commit.Trim() + (changes.Trim().Length > 0 ? ", dirty" : "");
    }
}
