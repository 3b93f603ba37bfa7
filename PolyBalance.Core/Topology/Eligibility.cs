using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;

namespace PolyBalance.Topology;

/// <summary>Which backends of a cluster may receive traffic now, and how much of it.</summary>
/// <remarks>Pure: reads what <see cref="Ejections"/> and <see cref="SlowStarts"/> have decided before.</remarks>
internal static class Eligibility
{
    /// <summary>Decides for a whole cluster at once: how many are left matters for each of them.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="backends">Its backends, in the order of the options.</param>
    /// <param name="now">In heartbeat time.</param>
    /// <returns>Tier by tier, and in each one in the order of the options. Weights compare within a tier.</returns>
    public static ImmutableArray<Candidate> Of(ClusterOptions options, ImmutableArray<Backend> backends, long now)
    {
        var candidates = Among(options, backends, now, Strictness.Full);

        // Who leaves by his own wish still works, and is better than nobody.
        if (candidates.IsEmpty)
            candidates = Among(options, backends, now, Strictness.TakesDraining);
        return candidates.IsEmpty && options.WhenNoneEligible == NoneEligibleRule.UseAll
            ? Among(options, backends, now, Strictness.TakesAll)
            : candidates;
    }

    /// <summary>
    /// Whether others can rely on a backend: it could receive new work if it were not for an ejection.
    /// </summary>
    public static bool IsUsable(BackendOptions options, Backend backend)
        => options.Weight > 0 && backend.Verdict == Verdict.Healthy && !backend.Drain.IsDraining;

    /// <summary>
    /// Whether sessions may begin at a backend, and be renewed. Not where its sessions are meant to run out.
    /// </summary>
    public static bool TakesNewSessions(BackendOptions options, Backend backend)
        => options.Weight > 0 && !backend.Drain.IsDraining;

    /// <summary>The share that a backend has come to, in tenths.</summary>
    public static int TenthsOf(Backend backend, long now)
        => backend.Passive.Stage == ServiceStage.OnTrial ? 1 : backend.SlowStart.TenthsAt(now);

    private enum Strictness
    {
        Full,
        TakesDraining,
        TakesAll,
    }

    // What the operator has said holds in any case: without weight, or drained by him, a backend gets nothing new.
    private static bool Takes(Strictness strictness, Backend backend) => strictness switch
    {
        Strictness.TakesAll => true,
        _ when backend.Verdict != Verdict.Healthy || backend.Passive.Stage == ServiceStage.Ejected => false,
        _ => strictness == Strictness.TakesDraining || !backend.Drain.IsDraining,
    };

    private static ImmutableArray<Candidate> Among(
        ClusterOptions options, ImmutableArray<Backend> backends, long now, Strictness strictness)
    {
        var candidates = ImmutableArray.CreateBuilder<Candidate>(backends.Length);
        for (var next = (int?)0; next is { } tier; next = NextTier(options, tier))
            AddTier(candidates, tier, options, backends, now, strictness);
        return candidates.ToImmutable();
    }

    private static int? NextTier(ClusterOptions options, int tier)
    {
        var next = default(int?);
        foreach (var backend in options.Backends)
        {
            if (backend.Tier > tier && !(backend.Tier >= next))
                next = backend.Tier;
        }

        return next;
    }

    private static void AddTier(
        ImmutableArray<Candidate>.Builder candidates, int tier, ClusterOptions options,
        ImmutableArray<Backend> backends, long now, Strictness strictness)
    {
        var first = candidates.Count;
        var least = Ramp.Full;
        var most = 1;
        for (var index = 0; index < backends.Length; index++)
        {
            var (backend, weight) = (backends[index], options.Backends[index].Weight);
            if (options.Backends[index].Tier != tier || weight == 0 || backend.Drain.IsOrdered
                || !Takes(strictness, backend))
            {
                continue;
            }

            var tenths = TenthsOf(backend, now);
            (least, most) = (Math.Min(least, tenths), Math.Max(most, tenths));
            candidates.Add(new(backend, weight * tenths, tier));
        }

        // Only the relation counts: where all have come equally far, the weights are the configured ones.
        for (var index = first; index < candidates.Count && least == most; index++)
            candidates[index] = candidates[index] with { Weight = candidates[index].Weight / most };
    }
}
