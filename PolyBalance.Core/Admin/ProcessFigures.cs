using System.Diagnostics;

namespace PolyBalance.Admin;

/// <summary>What the operating system says of this process.</summary>
internal static class ProcessFigures
{
    private const string Files = "/proc/self/fd";

    /// <summary>When the process began, in Unix time. Unit: seconds.</summary>
    public static double Started { get; } = FindStart();

    /// <summary>Processor time used. Unit: seconds.</summary>
    public static double ProcessorSeconds
        => OperatingSystem.IsLinux() ? Environment.CpuUsage.TotalTime.TotalSeconds : 0;

    /// <summary>File descriptors that are open. Null: the system does not tell.</summary>
    public static int? CountFiles()
    {
        if (!Directory.Exists(Files))
            return null;

        // The one that looks is not counted.
        var count = -1;
        foreach (var _ in Directory.EnumerateFileSystemEntries(Files))
            count++;
        return count;
    }

    private static double FindStart()
    {
        using var process = Process.GetCurrentProcess();
        return new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
    }
}
