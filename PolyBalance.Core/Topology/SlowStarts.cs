using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Topology;

/// <summary>
/// How gently backends that are back are treated: their slow starts, and how much may be at them at once meanwhile.
/// </summary>
/// <remarks>
/// Runs on the store's loop, after <see cref="Ejections"/>. A backend that starts slowly may have, besides its smaller
/// weight, at most as many exchanges as its share of what the full backends have in flight on average, and always one:
/// however little it has to do, an algorithm that looks for the idlest backend does not send it everything. The bound
/// never falls while a slow start lasts, for a glance may meet a quiet moment. It is compared with the first tier that
/// has anybody with his full share: backups that stand by have nothing in flight, and one that comes back alone takes
/// over from its backups step by step. Where nobody has his full share there is no bound.
/// </remarks>
internal static class SlowStarts
{
    /// <summary>Begins, moves on and ends the slow starts of a cluster.</summary>
    /// <param name="options">The cluster.</param>
    /// <param name="backends">Its backends, in the order of the options.</param>
    /// <param name="now">In heartbeat time.</param>
    public static void Settle(ClusterOptions options, ImmutableArray<Backend> backends, long now)
    {
        var (inFlight, weights, carrying) = (0L, 0L, int.MaxValue);
        for (var index = 0; index < backends.Length; index++)
        {
            var (backend, tier) = (backends[index], options.Backends[index].Tier);
            var isServing = IsServing(options, backends, index);
            var isDown = backend.Verdict == Verdict.Unhealthy || backend.Passive.Stage != ServiceStage.InService;
            backend.SlowStart.Observe(isServing, isDown, now);
            if (!isServing || backend.SlowStart.TenthsAt(now) < Ramp.Full || tier > carrying)
                continue;

            if (tier < carrying)
                (inFlight, weights, carrying) = (0, 0, tier);
            inFlight += backend.InFlight;
            weights += options.Backends[index].Weight;
        }

        for (var index = 0; index < backends.Length; index++)
            Protect(backends[index], options.Backends[index].Weight, inFlight, weights, now);
    }

    private static bool IsServing(ClusterOptions options, ImmutableArray<Backend> backends, int index)
        => backends[index].Passive.Stage == ServiceStage.InService
            && Eligibility.IsUsable(options.Backends[index], backends[index]);

    private static void Protect(Backend backend, int weight, long fullInFlight, long fullWeights, long now)
    {
        var start = backend.SlowStart;
        var tenths = start.TenthsAt(now);
        if (backend.Passive.Stage == ServiceStage.OnTrial)
        {
            backend.Protect(exchangesMax: 1, Limits.ConnectsAtOnceWhileRamping);
        }
        else if (tenths < Ramp.Full)
        {
            var share = fullWeights == 0
                ? 0
                : Math.Max(1, (fullInFlight * weight * tenths) / (fullWeights * Ramp.Full));
            start.ExchangesMax = fullWeights == 0 ? 0 : (int)Math.Max(start.ExchangesMax, share);
            backend.Protect(start.ExchangesMax, Limits.ConnectsAtOnceWhileRamping);
        }
        else
        {
            backend.Protect(exchangesMax: 0, Limits.ConnectsAtOnce);
        }

        var isEjected = backend.Passive.Stage == ServiceStage.Ejected;
        backend.SetDue(isEjected ? backend.Passive.Until : tenths < Ramp.Full ? now : Heartbeat.Never);
    }
}
