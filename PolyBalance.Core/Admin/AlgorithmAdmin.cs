using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Admin;

/// <summary>Balancing algorithms: which ones are in use, and other ones from now on.</summary>
internal sealed class AlgorithmAdmin(GatewayView gateway, Writes writes)
{
    /// <summary><c>GET /admin/algorithm</c></summary>
    public AdminAnswer Show()
    {
        var snapshot = gateway.Store.Current;
        return Describe(snapshot) with { Lines = writes.LineOf(snapshot) };
    }

    /// <summary><c>POST /admin/algorithm</c></summary>
    public async Task<AdminAnswer> ChooseAsync(AdminRequest request)
    {
        var options = gateway.Store.Current.Options;
        var wrong = request.Read(
            options,
            section => BindChoice(section, options.Clusters),
            out var wanted);
        if (wrong is not null)
            return wrong;

        var name = wanted.Cluster!;
        return await writes.ChangeAsync(
            request,
            found =>
            {
                if (found.Options.Clusters.FirstOrDefault(one => one.Name == name) is not { } cluster)
                {
                    return (null, AdminAnswer.Refused(
                        404, "unknown_cluster", $"There is no cluster `{name}`; there are: "
                        + string.Join(", ", found.Options.Clusters.Select(one => one.Name))));
                }

                if (wanted.Algorithm == HashOptions.AddressAlgorithm && cluster.Hash.Key != HashKey.ClientAddress)
                {
                    return (null, AdminAnswer.BadContent([new("request", 1, 1,
                        $"the cluster `{name}` hashes something else than the client's address", "send `hash`")]));
                }

                var algorithm = wanted.Algorithm == HashOptions.AddressAlgorithm
                    ? HashOptions.Algorithm
                    : wanted.Algorithm;
                return (found.Config.Changes.WithAlgorithm(found.Config.Given, name, algorithm), null);
            },
            next => Describe(next) with { Outcome = $"cluster {name} uses {wanted.Algorithm}" });
    }

    /// <summary>Reads which algorithm is wanted, and where.</summary>
    /// <param name="section">What was sent.</param>
    /// <param name="clusters">Where there is only one, it is meant.</param>
    public static (string? Cluster, string Algorithm) BindChoice(
        ConfigSection section, IReadOnlyList<ClusterOptions> clusters)
    {
        section.RequireWritten("algorithm", "name the algorithm");
        if (clusters.Count > 1)
            section.RequireWritten("cluster", "name the cluster that is to use it");
        return (
            section.Text("cluster", clusters.Count == 1 ? clusters[0].Name : null, ConfigName.Form,
                "Which cluster is to use it; needed where there are several.", ConfigName.Parse),
            section.Value("algorithm", "", AlgorithmName.Form, null, "Which one.", AlgorithmName.Parse));
    }

    private static AdminAnswer Describe(Snapshot snapshot)
    {
        var clusters = snapshot.Options.Clusters;
        return AdminAnswer.Of(
            new AlgorithmAnswer(
                clusters.Count == 1 ? clusters[0].Algorithm : null,
                [.. clusters.Select(one => new ClusterAlgorithmAnswer(one.Name, one.Algorithm))],
                [.. ClusterOptions.Algorithms]),
            AdminJson.Types.AlgorithmAnswer);
    }
}
