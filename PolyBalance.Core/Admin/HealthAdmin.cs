using PolyBalance.Health;

namespace PolyBalance.Admin;

/// <summary>What probes know: <c>GET /admin/health</c>.</summary>
internal sealed class HealthAdmin(GatewayView gateway)
{
    /// <summary>All of it, as it is now.</summary>
    public AdminAnswer Show()
    {
        var backends = new List<BackendHealthAnswer>();
        foreach (var view in gateway.Health())
        {
            backends.Add(new(
                view.Cluster, view.Backend, view.Address, view.Verdict.ToString().ToLowerInvariant(), view.LastCheck,
                view.ConsecutivePasses, view.ConsecutiveFailures, view.LastError, view.NextCheck,
                [.. view.History.Select(Describe)]));
        }

        return AdminAnswer.Of(new(backends), AdminJson.Types.HealthAnswer);
    }

    private static ProbeReport Describe(ProbeResult probe) => new(
        probe.At, probe.Answer.Passed, probe.Answer.Reason, Math.Round(probe.Duration.TotalMilliseconds, 3));
}
