using System.Globalization;

namespace PolyBalance.Configuration;

/// <summary>
/// Everything that operators have changed at run time, on top of what the file says. A value, immutable: what applies
/// is always the file with these changes.
/// </summary>
/// <remarks>
/// A change stays for as long as the file says the same about the value as it did when the change was made. When the
/// file itself changes that value, the file is the later word.
/// </remarks>
internal sealed class RuntimeChanges
{
    /// <summary>None.</summary>
    public static readonly RuntimeChanges None = new([]);

    private readonly RuntimeChange[] _all;

    private RuntimeChanges(RuntimeChange[] all) => _all = all;

    /// <summary>All of them, in the order in which they were made first.</summary>
    public IReadOnlyList<RuntimeChange> All => _all;

    /// <summary>What applies: the file, changed.</summary>
    public ProxyOptions ApplyTo(ProxyOptions file)
        => _all.Length == 0
            ? file
            : file with { Clusters = [.. file.Clusters.Select(ApplyTo)] };

    // ---- what operators do; each takes the file for which the changes were made

    /// <summary>Another algorithm for a cluster.</summary>
    public RuntimeChanges WithAlgorithm(ProxyOptions file, string cluster, string algorithm)
        => Find(file, cluster)?.Algorithm == algorithm
            ? Without(RuntimeChangeKind.Algorithm, cluster, "")
            : With(new(RuntimeChangeKind.Algorithm, cluster, "", algorithm));

    /// <summary>Another weight for a backend.</summary>
    public RuntimeChanges WithWeight(ProxyOptions file, string cluster, string backend, int weight)
        => Added(cluster, backend) is { } added
            ? With(added with { Options = added.Options! with { Weight = weight } })
            : Find(file, cluster, backend)?.Weight == weight
                ? Without(RuntimeChangeKind.Weight, cluster, backend)
                : With(new(RuntimeChangeKind.Weight, cluster, backend, Text(weight)));

    /// <summary>A backend drains, or does so no more.</summary>
    public RuntimeChanges WithDrain(ProxyOptions file, string cluster, string backend, bool isDrained)
        => Added(cluster, backend) is { } added
            ? With(added with { Options = added.Options! with { IsDrained = isDrained } })
            : Find(file, cluster, backend)?.IsDrained == isDrained
                ? Without(RuntimeChangeKind.Drain, cluster, backend)
                : With(new(RuntimeChangeKind.Drain, cluster, backend, isDrained ? "true" : "false"));

    /// <summary>A backend more; there is none of that name or address in use in its cluster.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cluster">Which cluster.</param>
    /// <param name="backend">The backend.</param>
    /// <param name="written">The same as the operator wrote it, for a process that takes over.</param>
    public RuntimeChanges WithAdded(
        ProxyOptions file, string cluster, BackendOptions backend, string? written = null)
        => Find(file, cluster, backend.Name) == backend
            ? Without(RuntimeChangeKind.Removed, cluster, backend.Name)
            : With(new(RuntimeChangeKind.Added, cluster, backend.Name, backend.Address.ToString())
            {
                Options = backend,
                Written = written,
            });

    /// <summary>A backend less.</summary>
    public RuntimeChanges WithRemoved(ProxyOptions file, string cluster, string backend)
    {
        var rest = Without(RuntimeChangeKind.Added, cluster, backend)
            .Without(RuntimeChangeKind.Weight, cluster, backend)
            .Without(RuntimeChangeKind.Drain, cluster, backend);
        return Find(file, cluster, backend) is null
            ? rest
            : rest.With(new(RuntimeChangeKind.Removed, cluster, backend, ""));
    }

    // ---- another file

    /// <summary>What is left of the changes when another file takes the place of the one they were made for.</summary>
    /// <param name="before">The file so far.</param>
    /// <param name="after">The one that comes.</param>
    /// <param name="superseded">Those whose value the file itself has changed.</param>
    public RuntimeChanges CarryOver(
        ProxyOptions before, ProxyOptions after, out IReadOnlyList<RuntimeChange> superseded)
    {
        var kept = new List<RuntimeChange>();
        var gone = new List<RuntimeChange>();
        foreach (var change in _all)
            (Stands(change, before, after) ? kept : gone).Add(change);
        superseded = gone;
        return gone.Count == 0 ? this : new([.. kept]);
    }

    private static bool Stands(RuntimeChange change, ProxyOptions before, ProxyOptions after)
    {
        var (was, now) = (Find(before, change.Cluster), Find(after, change.Cluster));
        if (now is null)
            return false;

        var (former, current) = (Find(was, change.Backend), Find(now, change.Backend));
        return change.Kind switch
        {
            RuntimeChangeKind.Algorithm => was?.Algorithm == now.Algorithm,
            RuntimeChangeKind.Weight => current is not null && former?.Weight == current.Weight,
            RuntimeChangeKind.Drain => current is not null && former?.IsDrained == current.IsDrained,
            RuntimeChangeKind.Removed => current is not null && former == current,

            // It may stand beside a backend of the file that was removed; nobody may have taken its name or address.
            _ => former == current
                && !now.Backends.Any(backend => backend.Address == change.Options!.Address && backend != current),
        };
    }

    // ---- parts

    private ClusterOptions ApplyTo(ClusterOptions cluster)
    {
        var isChanged = false;
        var algorithm = cluster.Algorithm;
        var backends = new List<BackendOptions>(cluster.Backends);
        foreach (var change in _all)
        {
            if (change.Cluster != cluster.Name)
                continue;

            isChanged = true;
            var index = backends.FindIndex(backend => backend.Name == change.Backend);
            switch (change.Kind)
            {
                case RuntimeChangeKind.Algorithm:
                    algorithm = change.Value;
                    break;

                case RuntimeChangeKind.Weight when index >= 0:
                    backends[index] = backends[index] with
                    {
                        Weight = int.Parse(change.Value, CultureInfo.InvariantCulture),
                    };
                    break;

                case RuntimeChangeKind.Drain when index >= 0:
                    backends[index] = backends[index] with { IsDrained = change.Value == "true" };
                    break;

                case RuntimeChangeKind.Removed when index >= 0:
                    backends.RemoveAt(index);
                    break;

                case RuntimeChangeKind.Added:
                    backends.Add(change.Options!);
                    break;
            }
        }

        return isChanged ? cluster with { Algorithm = algorithm, Backends = [.. backends] } : cluster;
    }

    private RuntimeChange? Added(string cluster, string backend)
        => Array.Find(_all, change
            => change.Kind == RuntimeChangeKind.Added && change.Cluster == cluster && change.Backend == backend);

    private RuntimeChanges With(RuntimeChange change)
    {
        var index = IndexOf(change.Kind, change.Cluster, change.Backend);
        if (index < 0)
            return new([.. _all, change]);

        var all = (RuntimeChange[])_all.Clone();
        all[index] = change;
        return new(all);
    }

    private RuntimeChanges Without(RuntimeChangeKind kind, string cluster, string backend)
    {
        var index = IndexOf(kind, cluster, backend);
        return index < 0 ? this : new([.. _all[..index], .. _all[(index + 1)..]]);
    }

    private int IndexOf(RuntimeChangeKind kind, string cluster, string backend)
        => Array.FindIndex(_all, change
            => change.Kind == kind && change.Cluster == cluster && change.Backend == backend);

    private static ClusterOptions? Find(ProxyOptions options, string cluster)
        => options.Clusters.FirstOrDefault(one => one.Name == cluster);

    private static BackendOptions? Find(ClusterOptions? cluster, string backend)
        => cluster?.Backends.FirstOrDefault(one => one.Name == backend);

    private static BackendOptions? Find(ProxyOptions options, string cluster, string backend)
        => Find(Find(options, cluster), backend);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
