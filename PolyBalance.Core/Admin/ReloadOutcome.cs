using PolyBalance.Configuration;

namespace PolyBalance.Admin;

/// <summary>A backend that is in use no more and has still something to finish.</summary>
/// <param name="Cluster">Where it was.</param>
/// <param name="Backend">Its name.</param>
/// <param name="InFlight">Exchanges and tunnels that go on.</param>
internal readonly record struct LeavingBackend(string Cluster, string Backend, int InFlight);

/// <summary>What a reload has done, or what it would do.</summary>
internal sealed record ReloadOutcome
{
    /// <summary>The generation in force afterwards.</summary>
    public long Generation { get; init; }

    /// <summary>Why nothing was changed; empty: it was.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>What deserves a look.</summary>
    public IReadOnlyList<ConfigError> Warnings { get; init; } = [];

    /// <summary>What is different; null after errors.</summary>
    public ConfigDifference? Difference { get; init; }

    /// <summary>Backends that are gone and have still something in flight.</summary>
    public IReadOnlyList<LeavingBackend> Leaving { get; init; } = [];

    /// <summary>Changes made at run time that go on.</summary>
    public IReadOnlyList<RuntimeChange> Kept { get; init; } = [];

    /// <summary>Changes made at run time that are over, because the file has changed the same value.</summary>
    public IReadOnlyList<RuntimeChange> Superseded { get; init; } = [];
}
