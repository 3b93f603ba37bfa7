using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Admin;

/// <summary>Backends: what they are now, more of them, fewer of them, other weights, drain and resume.</summary>
/// <remarks>Any thread; see <see cref="Writes"/> for who sees what.</remarks>
internal sealed class BackendsAdmin(GatewayView gateway, Writes writes)
{
    /// <summary><c>GET /admin/backends</c></summary>
    public AdminAnswer List()
    {
        var snapshot = gateway.Store.Current;
        var errors = ProbeErrors.Of(gateway.Health());
        var backends = new List<BackendAnswer>();
        foreach (var cluster in snapshot.Clusters)
        {
            for (var index = 0; index < cluster.Backends.Length; index++)
            {
                var error = errors.Find(cluster.Name, cluster.Backends[index].Name);
                backends.Add(BackendStates.Describe(snapshot, cluster, index, error));
            }
        }

        return AdminAnswer.Of(
            new(snapshot.Config.Generation, snapshot.Config.Revision, backends),
            AdminJson.Types.BackendsAnswer, lines: writes.LineOf(snapshot));
    }

    /// <summary><c>GET /admin/backends/{id}</c></summary>
    public AdminAnswer Show(AdminRequest request)
    {
        var snapshot = gateway.Store.Current;
        return Find(snapshot, request.Id) is var (cluster, index)
            ? Describe(snapshot, cluster.Name, cluster.Backends[index].Name) with { Lines = writes.LineOf(snapshot) }
            : Unknown(request.Id);
    }

    /// <summary><c>POST /admin/backends</c></summary>
    public async Task<AdminAnswer> AddAsync(AdminRequest request)
    {
        // Which cluster decides how the rest is understood: its probing is what the backend inherits.
        var options = gateway.Store.Current.Options;
        var wrong = request.Read(options, section => BindAddition(section, options.Clusters), out var read);
        if (wrong is not null)
            return wrong;

        var (name, backend) = read;
        if (name is null || !options.Clusters.Any(cluster => cluster.Name == name))
            return UnknownCluster(name ?? "", options);

        return await writes.ChangeAsync(
            request,
            found =>
            {
                var cluster = found.Options.Clusters.FirstOrDefault(one => one.Name == name);
                if (cluster is null)
                    return (null, UnknownCluster(name, found.Options));
                if (cluster.Backends.Any(one => one.Name == backend!.Name || one.Address == backend.Address))
                {
                    return (null, AdminAnswer.Refused(409, "duplicate",
                        $"The cluster {name} has a backend of that name or address already"));
                }

                return (found.Config.Changes.WithAdded(found.Config.Given, name, backend!, request.Content), null);
            },
            next => Describe(next, name, backend!.Name) with
            {
                Status = 201,
                Lines = LocationOf(BackendStates.IdOf(next, name, backend.Name)),
                Outcome = $"added {backend.Name} ({backend.Address}) to {name}",
            });
    }

    /// <summary><c>PATCH /admin/backends/{id}</c></summary>
    public async Task<AdminAnswer> AlterAsync(AdminRequest request)
    {
        var wrong = request.Read(
            gateway.Store.Current.Options,
            BindAlteration,
            out var wanted);
        if (wrong is not null)
            return wrong;
        if (wanted is (null, null))
        {
            return AdminAnswer.BadContent(
                [new("request", 1, 1, "nothing is to be changed", "send `weight`, `drain`, or both")]);
        }

        return await AlterAsync(
            request,
            (changes, file, cluster, name) =>
            {
                if (wanted.Weight is { } weight)
                    changes = changes.WithWeight(file, cluster, name, weight);
                return wanted.Drain is { } drain ? changes.WithDrain(file, cluster, name, drain) : changes;
            },
            $"weight {wanted.Weight?.ToString(provider: null) ?? "as before"}, drain "
            + (wanted.Drain is { } isDrained ? isDrained ? "true" : "false" : "as before"));
    }

    /// <summary><c>POST /admin/backends/{id}/drain</c> and <c>/resume</c></summary>
    public Task<AdminAnswer> DrainAsync(AdminRequest request, bool isDrained)
        => AlterAsync(
            request, (changes, file, cluster, name) => changes.WithDrain(file, cluster, name, isDrained),
            isDrained ? "drains" : "takes new work again");

    /// <summary><c>DELETE /admin/backends/{id}</c></summary>
    public Task<AdminAnswer> RemoveAsync(AdminRequest request)
        => writes.ChangeAsync(
            request,
            found =>
            {
                if (Find(found, request.Id) is not var (cluster, index))
                    return (null, Unknown(request.Id));

                // It would come back with the next answer.
                var backend = cluster.Options.Backends[index];
                return backend.Source is { } source
                    ? (null, AdminAnswer.Refused(409, "found_by_name",
                        $"`{backend.Name}` is there because of `{source}`: drain it, or change what that stands for"))
                    : (found.Config.Changes.WithRemoved(found.Config.Given, cluster.Name, backend.Name), null);
            },
            static _ => AdminAnswer.Done with { Outcome = "removed" });

    private Task<AdminAnswer> AlterAsync(
        AdminRequest request, Func<RuntimeChanges, ProxyOptions, string, string, RuntimeChanges> alter, string outcome)
    {
        var (cluster, name) = ("", "");
        return writes.ChangeAsync(
            request,
            found =>
            {
                if (Find(found, request.Id) is not var (home, index))
                    return (null, Unknown(request.Id));

                (cluster, name) = (home.Name, home.Backends[index].Name);
                return (alter(found.Config.Changes, found.Config.Given, cluster, name), null);
            },
            next => Describe(next, cluster, name) with { Outcome = outcome });
    }

    private AdminAnswer Describe(Snapshot snapshot, string clusterName, string name)
    {
        var cluster = snapshot.Clusters.First(one => one.Name == clusterName);
        var index = cluster.Options.Backends.ToList().FindIndex(one => one.Name == name);
        var error = ProbeErrors.Of(gateway.Health()).Find(clusterName, name);
        return AdminAnswer.Of(
            BackendStates.Describe(snapshot, cluster, index, error), AdminJson.Types.BackendAnswer);
    }

    /// <summary>Reads a backend that is to be added, and where.</summary>
    /// <param name="section">What was sent.</param>
    /// <param name="clusters">Where there is only one, it is meant; the backend inherits its probing.</param>
    public static (string? Cluster, BackendOptions? Backend) BindAddition(
        ConfigSection section, IReadOnlyList<ClusterOptions> clusters)
    {
        if (clusters.Count > 1)
            section.RequireWritten("cluster", "name the cluster that the backend is for");
        var name = section.Text("cluster", clusters.Count == 1 ? clusters[0].Name : null, ConfigName.Form,
            "Which cluster it is for; needed where there are several.", ConfigName.Parse);
        var home = clusters.FirstOrDefault(cluster => cluster.Name == name);
        return (name, BackendOptions.BindFrom(section, home is null ? HealthOptions.Default : home.Health));
    }

    /// <summary>Reads once more, in a process that takes over, what an operator had added in the one before.</summary>
    /// <param name="change">The addition.</param>
    /// <param name="options">What applies.</param>
    /// <returns>Null: it cannot be read any more.</returns>
    public static BackendOptions? Reread(CarriedChange change, ProxyOptions options)
    {
        var clusters = options.Clusters.Where(cluster => cluster.Name == change.Cluster).ToList();
        var request = new AdminRequest("POST", "", change.Written ?? "", "");
        return request.Read(options, section => BindAddition(section, clusters), out var read) is null
            ? read.Backend
            : null;
    }

    /// <summary>Reads what of a backend is to be changed.</summary>
    /// <param name="section">What was sent.</param>
    public static (int? Weight, bool? Drain) BindAlteration(ConfigSection section) => (
        section.Value<int?>("weight", null, Quantity.CountForm(0, Limits.WeightMax), null, "Share of the traffic.",
            text => Optional(Quantity.Count(text, 0, Limits.WeightMax))),
        section.Value<bool?>("drain", null, ConfigForm.Truth, null, "No new work.",
            text => Optional(ProxyOptions.ParseTruth(text))));

    // By its name or address where only one cluster has it, or by cluster and name.
    private static (Cluster Cluster, int Index)? Find(Snapshot snapshot, string id)
    {
        var found = default((Cluster, int)?);
        foreach (var cluster in snapshot.Clusters)
        {
            for (var index = 0; index < cluster.Backends.Length; index++)
            {
                var backend = cluster.Options.Backends[index];
                if (id == $"{cluster.Name}/{backend.Name}")
                    return (cluster, index);
                if (id != backend.Name && id != backend.Address.ToString())
                    continue;
                if (found is not null)
                    return null;

                found = (cluster, index);
            }
        }

        return found;
    }

    private static string LocationOf(string id) => $"Location: /admin/backends/{Uri.EscapeDataString(id)}\r\n";

    private static AdminAnswer Unknown(string id) => AdminAnswer.Refused(
        404, "unknown_backend", $"No backend, or more than one, is called `{id}`; GET /admin/backends shows the ids");

    private static AdminAnswer UnknownCluster(string name, ProxyOptions options) => AdminAnswer.Refused(
        404, "unknown_cluster",
        $"There is no cluster `{name}`; there are: {string.Join(", ", options.Clusters.Select(one => one.Name))}");

    private static Parsed<T?> Optional<T>(Parsed<T> parsed)
        where T : struct
        => new(parsed.Value, parsed.Flaw);
}
