using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Configuration;

namespace PolyBalance.Topology;

/// <summary>Which configuration is in force, and what it is made of.</summary>
/// <param name="Generation">1 for the one at the start; every reload that was taken up adds one.</param>
/// <param name="Since">When it was taken up.</param>
/// <param name="Revision">Like the generation, but changes at run time and other backends of names count too.</param>
/// <param name="Written">What the file says.</param>
/// <param name="Found">What was found for the names in it.</param>
/// <param name="Given">Both together: what operators change.</param>
/// <param name="Changes">What they have changed at run time.</param>
internal sealed record ConfigMark(
    long Generation, DateTimeOffset Since, long Revision, ProxyOptions Written, FoundBackends Found,
    ProxyOptions Given, RuntimeChanges Changes);

/// <summary>The world at one instant: options, routes, clusters. Immutable; an exchange reads it once.</summary>
/// <param name="Version">Counts up with every publication; 1 is the first.</param>
/// <param name="Options">What applies: the file, with what was changed at run time.</param>
/// <param name="Routes">Where requests go.</param>
/// <param name="Clusters">In the order of the file.</param>
internal sealed record Snapshot(
    long Version, ProxyOptions Options, RouteTable Routes, ImmutableArray<Cluster> Clusters)
{
    /// <summary>Which configuration it was made from.</summary>
    public required ConfigMark Config { get; init; }

    /// <summary>Every backend of every cluster.</summary>
    public IEnumerable<Backend> Backends()
    {
        foreach (var cluster in Clusters)
        {
            foreach (var backend in cluster.Backends)
                yield return backend;
        }
    }

    /// <summary>Lets go of the connections of backends that the next snapshot does not know any more.</summary>
    public void RetireAbsentFrom(Snapshot next)
    {
        var kept = next.Backends().ToHashSet();
        foreach (var backend in Backends())
        {
            if (!kept.Contains(backend))
                backend.Pool.Retire();
        }
    }
}
