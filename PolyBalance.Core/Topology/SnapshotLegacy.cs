using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Topology;

/// <summary>
/// What a process that takes over begins with instead of nothing: the world as the one before it knew it.
/// </summary>
internal sealed record SnapshotLegacy
{
    /// <summary>What was found for names.</summary>
    public required FoundBackends Found { get; init; }

    /// <summary>What operators have changed, made anew for a file with what was found for its names.</summary>
    public required Func<ProxyOptions, RuntimeChanges> Changes { get; init; }

    /// <summary>The keys that were made for clusters whose configuration has none, by cluster.</summary>
    public required IReadOnlyDictionary<string, SigningKeys> MadeKeys { get; init; }

    /// <summary>What was known of backends, by cluster and address.</summary>
    public required IReadOnlyDictionary<(string Cluster, string Address), BackendLegacy> Backends { get; init; }
}
