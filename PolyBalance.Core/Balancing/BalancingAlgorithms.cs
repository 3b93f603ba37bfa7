using System.Collections.Immutable;
using PolyBalance.Configuration;

namespace PolyBalance.Balancing;

/// <summary>Every algorithm that PolyBalance knows. A new one is its own file and one line here.</summary>
internal static class BalancingAlgorithms
{
    /// <summary>The registry. Names are those of the config key <c>algorithm</c>.</summary>
    public static readonly ImmutableArray<IBalancingAlgorithm> All =
    [
        new RoundRobin(),
        new WeightedRoundRobin(),
        new LeastConnections(),
        new RandomChoice(),
        new PowerOfTwo(),
        new PeakEwma(),
        new ConsistentHash(HashOptions.Default.LoadPercent),
    ];

    /// <summary>The algorithm that a cluster asks for, with the cluster's settings.</summary>
    public static IBalancingAlgorithm Of(ClusterOptions options) => Of(options.Algorithm).For(options);

    /// <summary>The algorithm of a name that the configuration has accepted.</summary>
    /// <exception cref="InvalidOperationException">A bug: configuration and registry know different names.</exception>
    public static IBalancingAlgorithm Of(string name)
    {
        foreach (var algorithm in All)
        {
            if (algorithm.Name == name)
                return algorithm;
        }

        throw new InvalidOperationException($"The configuration accepts {name}, but no algorithm has that name.");
    }
}
