using Microsoft.Extensions.Logging;
using PolyBalance.Configuration;

namespace PolyBalance.Health;

/// <summary>
/// Asks backends whether they work before any request depends on them. The <see cref="HealthMonitor"/> asks them again,
/// and from then on, once they are in force.
/// </summary>
/// <param name="means">What probes work with.</param>
/// <param name="logger">Hears of bugs.</param>
/// <param name="probes">The probe of a kind; null: those of <see cref="Probes"/>.</param>
internal sealed class FirstProbes(ProbeMeans means, ILogger logger, Func<ProbeKind, IProbe>? probes = null)
{
    // As long as the first round of a start.
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(5);

    // From when each cluster has somebody: the first one who answers should not get all the requests of the others.
    private static readonly TimeSpan PatienceForOthers = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Asks all of them, and returns when they have answered: after 5 s at the latest, and 1 s after each cluster has
    /// somebody who works.
    /// </summary>
    /// <param name="backends">Whom to ask; each one is to be probed.</param>
    /// <param name="atOnce">How many probes may run at once.</param>
    /// <param name="stop">Nobody wants to know any more.</param>
    /// <returns>Those who work and want work.</returns>
    public async Task<IReadOnlySet<(string Cluster, Address Address)>> AskAsync(
        IReadOnlyCollection<(string Cluster, BackendOptions Backend)> backends, int atOnce, CancellationToken stop)
    {
        var passed = new HashSet<(string, Address)>();
        var without = backends.Select(one => one.Cluster).ToHashSet();
        var targets = backends.Select(one => new ProbeTarget(
            one.Cluster, one.Backend.Name, one.Backend.Address, new(one.Backend.Address, means.Clock),
            one.Backend.Health!));
        using var time = new CancellationTokenSource(PatienceMax, means.Clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stop);
        var options = new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = end.Token };
        try
        {
            await Parallel.ForEachAsync(targets, options, async (target, cancel) =>
            {
                var answer = await Probes.RunAsync(
                    (probes ?? Probes.Of)(target.Check.Kind), target, means, logger, cancel);
                if (answer is not { Passed: true, WantsDrain: false })
                    return;

                lock (passed)
                {
                    passed.Add((target.Cluster, target.Address));
                    without.Remove(target.Cluster);
                    if (without.Count == 0)
                        time.CancelAfter(PatienceForOthers);
                }
            });
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // Who has not answered is found out about later.
        }

        return passed;
    }
}
