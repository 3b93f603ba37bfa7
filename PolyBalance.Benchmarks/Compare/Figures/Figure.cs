namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>One number that a run gives, and how it is read: the rows of <see cref="All"/> are all there are.</summary>
/// <param name="Name">What results.json calls it.</param>
/// <param name="Title">What a table calls it, with its unit.</param>
/// <param name="IsBetterLow">Whether less is better.</param>
/// <param name="Of">The number, absent when a run of this kind has none.</param>
internal sealed record Figure(string Name, string Title, bool IsBetterLow, Func<Measurement, double?> Of)
{
    private const double MicrosPerSecond = 1e6;

    /// <summary>CPU time of the proxy for one request: the figure that decides.</summary>
    public static readonly Figure Cpu = new(
        "cpuMicrosPerRequest", "CPU µs/request", IsBetterLow: true,
        run => PerRequest(run, run.UserSeconds + run.SystemSeconds));

    /// <summary>The part of it in user mode.</summary>
    public static readonly Figure UserCpu = new(
        "userMicrosPerRequest", "user µs", IsBetterLow: true, run => PerRequest(run, run.UserSeconds));

    /// <summary>The part of it in the kernel.</summary>
    public static readonly Figure SystemCpu = new(
        "systemMicrosPerRequest", "system µs", IsBetterLow: true, run => PerRequest(run, run.SystemSeconds));

    /// <summary>Requests answered in one second.</summary>
    public static readonly Figure Throughput = new(
        "requestsPerSecond", "requests/s", IsBetterLow: false,
        run => run.Idle is null && run.Seconds > 0 ? run.Requests / run.Seconds : null);

    /// <summary>Half of the requests took no longer.</summary>
    public static readonly Figure P50 = new("p50Micros", "p50 µs", IsBetterLow: true, run => run.Latency?.P50);

    /// <summary>90 % of the requests took no longer.</summary>
    public static readonly Figure P90 = new("p90Micros", "p90 µs", IsBetterLow: true, run => run.Latency?.P90);

    /// <summary>99 % of the requests took no longer.</summary>
    public static readonly Figure P99 = new("p99Micros", "p99 µs", IsBetterLow: true, run => run.Latency?.P99);

    /// <summary>99.9 % of the requests took no longer.</summary>
    public static readonly Figure P999 = new("p999Micros", "p99.9 µs", IsBetterLow: true, run => run.Latency?.P999);

    /// <summary>The slowest request.</summary>
    public static readonly Figure Max = new("maxMicros", "max µs", IsBetterLow: true, run => run.Latency?.Max);

    /// <summary>Resident memory at the end of the run.</summary>
    public static readonly Figure Memory = new(
        "memoryMib", "memory MiB", IsBetterLow: true, run => run.MemoryMib);

    /// <summary>Resident memory for one idle connection.</summary>
    public static readonly Figure IdleMemory = new(
        "idleKibPerConnection", "KiB/connection", IsBetterLow: true, run => run.Idle?.KibPerConnection);

    /// <summary>CPU time per second while all connections are idle.</summary>
    public static readonly Figure IdleCpu = new(
        "idleCpuMillisPerSecond", "CPU ms/s idle", IsBetterLow: true, run => run.Idle?.CpuMillisPerSecond);

    /// <summary>All figures, in the order of the columns.</summary>
    public static readonly IReadOnlyList<Figure> All =
        [Cpu, UserCpu, SystemCpu, Throughput, P50, P90, P99, P999, Max, IdleMemory, IdleCpu, Memory];

    private static double? PerRequest(Measurement run, double seconds)
        => run.Idle is null && run.Requests > 0 ? seconds * MicrosPerSecond / run.Requests : null;
}
