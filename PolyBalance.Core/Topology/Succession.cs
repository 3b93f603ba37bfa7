using PolyBalance.Configuration;

namespace PolyBalance.Topology;

/// <summary>
/// Who takes over from addresses that a name does not have any more. Where nobody could at once, they stay in service
/// until somebody can.
/// </summary>
/// <remarks>
/// A name whose addresses are all replaced in one answer would leave its cluster without anybody until the new ones are
/// probed. Pure: a snapshot in, a decision out.
/// </remarks>
internal static class Succession
{
    /// <summary>
    /// The places of a name in the next snapshot: those that it has, and those that it had where they are needed still.
    /// </summary>
    /// <param name="previous">The snapshot that is to be followed.</param>
    /// <param name="key">Which name.</param>
    /// <param name="now">What it has. Nothing: then everything is to go.</param>
    public static EquatableArray<FoundPlace> Of(Snapshot previous, LookUpKey key, EquatableArray<FoundPlace> now)
    {
        var kept = now.Select(place => (place.Host, place.Port)).ToHashSet();
        var gone = previous.Config.Found[key].Where(place => !kept.Contains((place.Host, place.Port))).ToList();
        if (gone.Count == 0 || now.Count == 0)
            return now;

        return HasSuccessors(previous, key, now)
            ? now
            : [.. now, .. gone.Select(place => place with { IsLeaving = true })];
    }

    /// <summary>Whether places that stay after their time are needed no more.</summary>
    /// <param name="snapshot">The one in force.</param>
    /// <param name="key">Whose places.</param>
    public static bool IsOver(Snapshot snapshot, LookUpKey key)
        => HasSuccessors(snapshot, key, snapshot.Config.Found.WithoutLeaving(key)[key]);

    // In each cluster that has anybody now, somebody is eligible who stays, or will be at once.
    private static bool HasSuccessors(Snapshot snapshot, LookUpKey key, EquatableArray<FoundPlace> places)
    {
        var mark = snapshot.Config;
        var next = mark.Changes.ApplyTo(mark.Found.With(key, places).ApplyTo(mark.Written));
        for (var index = 0; index < snapshot.Clusters.Length; index++)
        {
            var (cluster, options) = (snapshot.Clusters[index], next.Clusters[index]);
            if (cluster.Eligible.Length == 0 || !options.LookUps.Any(lookUp => lookUp.Key == key))
                continue;

            var eligible = cluster.Eligible.Select(candidate => candidate.Backend.Key.Address).ToHashSet();
            var known = cluster.Backends.Select(backend => backend.Key.Address).ToHashSet();
            if (!options.Backends.Any(backend => eligible.Contains(backend.Address)
                || (backend is { Health: null, Weight: > 0, IsDrained: false } && !known.Contains(backend.Address))))
                return false;
        }

        return true;
    }
}
