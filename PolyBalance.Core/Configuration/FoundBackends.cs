using System.Collections.Immutable;

namespace PolyBalance.Configuration;

/// <summary>One place that was found for a name.</summary>
/// <param name="Host">An IP address.</param>
/// <param name="Port">Where it listens; 0: where the entry says.</param>
/// <param name="Share">Its share among the places of the name that have its rank, 1 to 1000.</param>
/// <param name="IsLeaving">The name has it no more, and it stays until one of the others works.</param>
/// <param name="Rank">
/// 0 for the places of the first priority, and one more for each further priority that the name has.
/// </param>
internal readonly record struct FoundPlace(string Host, int Port, int Share, bool IsLeaving, int Rank = 0)
{
    /// <summary>Where it listens, as an entry has it.</summary>
    /// <param name="lookUp">The entry.</param>
    public Address At(LookUpOptions lookUp) => Address.Tcp(Host, Port == 0 ? lookUp.Port : Port);
}

/// <summary>
/// Everything that was found for the names of a configuration: a value, immutable. What the file and these say together
/// is what operators then change.
/// </summary>
internal sealed class FoundBackends
{
    /// <summary>Nothing.</summary>
    public static readonly FoundBackends None = new(ImmutableDictionary<LookUpKey, EquatableArray<FoundPlace>>.Empty);

    private readonly ImmutableDictionary<LookUpKey, EquatableArray<FoundPlace>> _places;

    private FoundBackends(ImmutableDictionary<LookUpKey, EquatableArray<FoundPlace>> places) => _places = places;

    /// <summary>Everything that is looked up for a configuration, each once.</summary>
    public static IReadOnlyCollection<LookUpKey> KeysOf(ProxyOptions file)
        => [.. file.Clusters.SelectMany(cluster => cluster.LookUps).Select(lookUp => lookUp.Key).Distinct()];

    /// <summary>The places of one name; none as long as nothing was found.</summary>
    public EquatableArray<FoundPlace> this[LookUpKey key] => _places.GetValueOrDefault(key);

    /// <summary>The names of which places stay that they do not have any more.</summary>
    public IEnumerable<LookUpKey> Leaving
        => _places.Where(name => name.Value.Any(place => place.IsLeaving)).Select(name => name.Key);

    /// <summary>The same with other places for one name.</summary>
    public FoundBackends With(LookUpKey key, EquatableArray<FoundPlace> places) => new(_places.SetItem(key, places));

    /// <summary>The same with everything that somebody else has found, too.</summary>
    public FoundBackends With(FoundBackends others) => new(_places.SetItems(others._places));

    /// <summary>The same without the places that only stay until others work.</summary>
    public FoundBackends WithoutLeaving(LookUpKey key)
        => With(key, [.. this[key].Where(place => !place.IsLeaving)]);

    /// <summary>What of it another file still asks for.</summary>
    public FoundBackends For(ProxyOptions file)
    {
        var asked = KeysOf(file).ToHashSet();
        return _places.Keys.All(asked.Contains)
            ? this
            : new(_places.RemoveRange(_places.Keys.Where(key => !asked.Contains(key))));
    }

    /// <summary>The file with a backend for each place. Where two have one address or one name, the first one counts:
    /// those that are written before those that are found.</summary>
    public ProxyOptions ApplyTo(ProxyOptions file)
        => file.Clusters.All(cluster => cluster.LookUps.Count == 0)
            ? file
            : file with { Clusters = [.. file.Clusters.Select(ApplyTo)] };

    private ClusterOptions ApplyTo(ClusterOptions cluster)
    {
        if (cluster.LookUps.Count == 0)
            return cluster;

        var backends = new List<BackendOptions>(cluster.Backends);
        var addresses = backends.Select(backend => backend.Address).ToHashSet();
        var names = backends.Select(backend => backend.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var lookUp in cluster.LookUps)
        {
            var places = this[lookUp.Key];
            var most = lookUp.Weight * places.Select(place => place.Share).DefaultIfEmpty().Max();
            foreach (var place in places)
            {
                var address = place.At(lookUp);
                var name = lookUp.Prefix is { } prefix ? $"{prefix}-{address}" : address.ToString();
                if (!addresses.Contains(address) && names.Add(name))
                {
                    addresses.Add(address);
                    backends.Add(Of(lookUp, address, name, WeightOf(lookUp.Weight * place.Share, most)) with
                    {
                        Rank = place.Rank,
                    });
                }
            }
        }

        return cluster with { Backends = [.. backends] };
    }

    // Shares and weights multiply; where the product is too much for somebody, all of them get less.
    private static int WeightOf(int wanted, int most)
        => most <= Limits.WeightMax || wanted == 0 ? wanted : Math.Max(1, wanted * Limits.WeightMax / most);

    private static BackendOptions Of(LookUpOptions lookUp, Address address, string name, int weight) => new()
    {
        Address = address,
        Name = name,
        Weight = weight,
        IsDrained = lookUp.IsDrained,
        IsBackup = lookUp.IsBackup,
        Health = lookUp.Health,
        Source = lookUp.Key.ToString(),
    };
}
