using System.Globalization;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>CPU time of one process or of several together. Unit: seconds.</summary>
internal readonly record struct CpuTimes(double User, double System)
{
    /// <summary>Both together.</summary>
    public static CpuTimes operator +(CpuTimes one, CpuTimes other)
        => new(one.User + other.User, one.System + other.System);

    /// <summary>What was used between two looks.</summary>
    public static CpuTimes operator -(CpuTimes later, CpuTimes earlier)
        => new(later.User - earlier.User, later.System - earlier.System);
}

/// <summary>Reads the texts of <c>/proc</c> that a comparison needs.</summary>
internal static class ProcFiles
{
    // USER_HZ, the unit of times in /proc: 100 on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    private const int UserTimeIndex = 11;
    private const int SystemTimeIndex = 12;
    private const double KibPerMib = 1024;
    private const double NanosPerSecond = 1e9;

    /// <summary>CPU time of a process with all its threads, those that have ended too.</summary>
    /// <param name="stat">Content of <c>/proc/PID/stat</c>.</param>
    public static CpuTimes CpuOf(string stat)
    {
        // The name of the program stands in brackets and may hold blanks and brackets itself.
        var words = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new(
            long.Parse(words[UserTimeIndex], CultureInfo.InvariantCulture) / TicksPerSecond,
            long.Parse(words[SystemTimeIndex], CultureInfo.InvariantCulture) / TicksPerSecond);
    }

    /// <summary>How long one thread ran. Exact, but without a split into user and system. Unit: seconds.</summary>
    /// <param name="schedstat">Content of <c>/proc/PID/task/TID/schedstat</c>.</param>
    public static double RunTimeOf(string schedstat)
        => long.Parse(schedstat.AsSpan(0, schedstat.IndexOf(' ')), CultureInfo.InvariantCulture) / NanosPerSecond;

    /// <summary>Resident memory; what several processes share counts for each in part. Unit: MiB.</summary>
    /// <param name="smaps">Content of <c>/proc/PID/smaps_rollup</c>.</param>
    public static double PssOf(string smaps) => NumberAfter(smaps, "Pss:") is { } kib ? kib / KibPerMib : 0;

    /// <summary>The first number of the line that begins with a name.</summary>
    public static long? NumberAfter(string text, string name)
    {
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal))
                continue;
            foreach (var word in line[name.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries))
            {
                if (long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    return number;
            }
        }

        return null;
    }
}
