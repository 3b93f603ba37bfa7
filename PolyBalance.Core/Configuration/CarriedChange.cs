using System.Globalization;

namespace PolyBalance.Configuration;

/// <summary>One change at run time on its way to a process that takes over.</summary>
/// <param name="Kind">What was changed.</param>
/// <param name="Cluster">In which cluster.</param>
/// <param name="Backend">Of which backend, by name; empty for the algorithm.</param>
/// <param name="Value">The value as the file would write it.</param>
internal sealed record CarriedChange(RuntimeChangeKind Kind, string Cluster, string Backend, string Value)
{
    /// <summary>
    /// What the file said in its place: as long as it still does, the change stands. Of a backend, its address, its
    /// weight, whether it drained, and whether it was a backup.
    /// </summary>
    public string? Former { get; init; }

    /// <summary>A backend that was added, as the operator wrote it: JSON.</summary>
    public string? Written { get; init; }

    /// <summary>The weight that a backend that was added has now.</summary>
    public int Weight { get; init; }

    /// <summary>Whether it drains now.</summary>
    public bool IsDrained { get; init; }

    /// <summary>All of them, in their order.</summary>
    /// <param name="changes">What operators have changed.</param>
    /// <param name="file">The file for which they did.</param>
    public static IReadOnlyList<CarriedChange> Of(RuntimeChanges changes, ProxyOptions file)
        => [.. changes.All.Select(change => Of(change, file))];

    /// <summary>
    /// Makes the changes anew in another process, as far as its file says the same about their values as the former one
    /// did.
    /// </summary>
    /// <param name="carried">The changes.</param>
    /// <param name="file">The file of this process.</param>
    /// <param name="read">Reads a backend that an operator wrote; null: it cannot be read.</param>
    /// <param name="superseded">Those that do not stand any more.</param>
    public static RuntimeChanges Apply(
        IReadOnlyList<CarriedChange> carried, ProxyOptions file, Func<CarriedChange, BackendOptions?> read,
        out IReadOnlyList<RuntimeChange> superseded)
    {
        var (changes, gone) = (RuntimeChanges.None, new List<RuntimeChange>());
        foreach (var change in carried)
        {
            if (change.ApplyTo(changes, file, read) is { } more)
                changes = more;
            else
                gone.Add(new(change.Kind, change.Cluster, change.Backend, change.Value));
        }

        superseded = gone;
        return changes;
    }

    private static CarriedChange Of(RuntimeChange change, ProxyOptions file)
    {
        var cluster = file.Clusters.FirstOrDefault(one => one.Name == change.Cluster);
        var backend = cluster?.Backends.FirstOrDefault(one => one.Name == change.Backend);
        return new(change.Kind, change.Cluster, change.Backend, change.Value)
        {
            Former = FormerOf(change.Kind, cluster, backend),
            Written = change.Written,
            Weight = change.Options?.Weight ?? 0,
            IsDrained = change.Options?.IsDrained ?? false,
        };
    }

    // Null: it does not stand.
    private RuntimeChanges? ApplyTo(
        RuntimeChanges changes, ProxyOptions file, Func<CarriedChange, BackendOptions?> read)
    {
        var cluster = file.Clusters.FirstOrDefault(one => one.Name == Cluster);
        var backend = cluster?.Backends.FirstOrDefault(one => one.Name == Backend);
        if (cluster is null || FormerOf(Kind, cluster, backend) != Former)
            return null;

        return Kind switch
        {
            RuntimeChangeKind.Algorithm when ClusterOptions.Algorithms.Contains(Value)
                => changes.WithAlgorithm(file, Cluster, Value),
            RuntimeChangeKind.Weight when backend is not null && TryReadWeight(out var weight)
                => changes.WithWeight(file, Cluster, Backend, weight),
            RuntimeChangeKind.Drain when backend is not null
                => changes.WithDrain(file, Cluster, Backend, Value == "true"),
            RuntimeChangeKind.Removed when backend is not null => changes.WithRemoved(file, Cluster, Backend),
            RuntimeChangeKind.Added => Add(changes, file, cluster, backend, read(this)),
            _ => null,
        };
    }

    // It may stand beside a backend of the file that was removed; nobody may have taken its name or address.
    private RuntimeChanges? Add(
        RuntimeChanges changes, ProxyOptions file, ClusterOptions cluster, BackendOptions? namesake,
        BackendOptions? added)
    {
        var isFree = added is not null && !cluster.Backends.Any(one => one.Address == added.Address && one != namesake)
            && (namesake is null || changes.All.Any(
                one => one.Kind == RuntimeChangeKind.Removed && one.Cluster == Cluster && one.Backend == Backend));
        return isFree
            ? changes.WithAdded(file, Cluster, added! with { Weight = Weight, IsDrained = IsDrained }, Written)
            : null;
    }

    private bool TryReadWeight(out int weight)
        => int.TryParse(Value, NumberStyles.None, CultureInfo.InvariantCulture, out weight)
            && weight <= Limits.WeightMax;

    private static string? FormerOf(RuntimeChangeKind kind, ClusterOptions? cluster, BackendOptions? backend)
        => kind switch
        {
            RuntimeChangeKind.Algorithm => cluster?.Algorithm,
            RuntimeChangeKind.Weight => backend?.Weight.ToString(CultureInfo.InvariantCulture),
            RuntimeChangeKind.Drain => backend?.IsDrained.ToString(CultureInfo.InvariantCulture),
            _ when backend is null => null,

            // Not in every text: a process that knows no backups takes over, or hands over, too.
            _ => $"{backend.Address} {backend.Weight} {backend.IsDrained}{(backend.IsBackup ? " backup" : "")}",
        };
}
