using System.Text.Json.Serialization;

namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>What went wrong in one run, by kind. A comparison shows it and never hides it.</summary>
/// <param name="Connect">Connections that could not be opened.</param>
/// <param name="Read">Reads that failed, or that ended in the middle of a response.</param>
/// <param name="Write">Writes that failed.</param>
/// <param name="Timeout">Requests without a response in time.</param>
/// <param name="Status">Responses with another status than 2xx.</param>
internal sealed record LoadErrors(long Connect = 0, long Read = 0, long Write = 0, long Timeout = 0, long Status = 0)
{
    /// <summary>All of them together.</summary>
    [JsonIgnore]
    public long Total => Connect + Read + Write + Timeout + Status;

    /// <summary>The errors of two runs together.</summary>
    public static LoadErrors operator +(LoadErrors one, LoadErrors other)
        => new(
            one.Connect + other.Connect, one.Read + other.Read, one.Write + other.Write,
            one.Timeout + other.Timeout, one.Status + other.Status);

    /// <summary>The kinds that happened, such as <c>3 read, 1 non-2xx</c>; <c>none</c> when nothing did.</summary>
    public string Describe()
    {
        (long Count, string Kind)[] kinds =
            [(Connect, "connect"), (Read, "read"), (Write, "write"), (Timeout, "timeout"), (Status, "non-2xx")];
        var happened = kinds.Where(kind => kind.Count > 0).Select(kind => $"{kind.Count} {kind.Kind}").ToList();
        return happened.Count == 0 ? "none" : string.Join(", ", happened);
    }
}

/// <summary>Latencies of the requests of one run. Unit: microseconds.</summary>
internal sealed record Latencies(double P50, double P90, double P99, double P999, double Max);

/// <summary>What connections cost that are open and say nothing.</summary>
/// <param name="Connections">How many there were.</param>
/// <param name="KibPerConnection">Growth of the resident memory, divided by them. Unit: KiB.</param>
/// <param name="CpuMillisPerSecond">CPU time that the proxy took while nothing happened.</param>
internal sealed record IdleCost(int Connections, double KibPerConnection, double CpuMillisPerSecond);

/// <summary>One run: one load through one proxy, once.</summary>
/// <param name="Proxy">Whose run it was.</param>
/// <param name="Load">Short name of the load.</param>
/// <param name="Round">1-based.</param>
internal sealed record Measurement(string Proxy, string Load, int Round)
{
    /// <summary>Requests that got their whole response.</summary>
    public long Requests { get; init; }

    /// <summary>How long the load ran, as its generator says.</summary>
    public double Seconds { get; init; }

    /// <summary>CPU time of the proxy's whole process tree in user mode during the run. Unit: seconds.</summary>
    public double UserSeconds { get; init; }

    /// <summary>The same in the kernel.</summary>
    public double SystemSeconds { get; init; }

    /// <summary>What went wrong.</summary>
    public LoadErrors Errors { get; init; } = new();

    /// <summary>Absent for idle connections.</summary>
    public Latencies? Latency { get; init; }

    /// <summary>Resident memory of the process tree at the end, shared pages counted once (PSS). Unit: MiB.</summary>
    public double MemoryMib { get; init; }

    /// <summary>Only for idle connections.</summary>
    public IdleCost? Idle { get; init; }
}
