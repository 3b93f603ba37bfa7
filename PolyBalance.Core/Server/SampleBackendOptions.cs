namespace PolyBalance.Server;

/// <summary>How an embedded sample backend behaves.</summary>
public sealed record SampleBackendOptions
{
    /// <summary>What it calls itself in its answers.</summary>
    public string Name { get; init; } = "backend";

    /// <summary>Where it listens: <c>host:port</c>; port 0 lets the system choose.</summary>
    public string Bind { get; init; } = "127.0.0.1:0";

    /// <summary>How long it thinks before it answers.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>
    /// Share of requests, 0 to 1, that fail: every other failure is a 500, the others a connection cut off.
    /// </summary>
    public double FailureRate { get; init; }

    /// <summary>How long it keeps idle connections open; null: 75 s.</summary>
    public TimeSpan? KeepAlive { get; init; }
}
