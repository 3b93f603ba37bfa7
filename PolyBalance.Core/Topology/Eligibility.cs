using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;

namespace PolyBalance.Topology;

/// <summary>Which backends of a cluster may receive traffic now, and how much of it. Pure.</summary>
internal static class Eligibility
{
    /// <summary>Decides for a whole cluster at once: how many are left matters for each of them.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="backends">Its backends, in the order of the options.</param>
    public static ImmutableArray<Candidate> Of(ClusterOptions options, ImmutableArray<Backend> backends)
    {
        var candidates = Among(options, backends, isStrict: true);
        return candidates.IsEmpty && options.WhenNoneEligible == NoneEligibleRule.UseAll
            ? Among(options, backends, isStrict: false)
            : candidates;
    }

    private static ImmutableArray<Candidate> Among(
        ClusterOptions options, ImmutableArray<Backend> backends, bool isStrict)
    {
        var candidates = ImmutableArray.CreateBuilder<Candidate>(backends.Length);
        for (var index = 0; index < backends.Length; index++)
        {
            var weight = options.Backends[index].Weight;
            if (weight > 0 && (!isStrict || backends[index].Verdict == Verdict.Healthy))
                candidates.Add(new(backends[index], weight));
        }

        return candidates.ToImmutable();
    }
}
