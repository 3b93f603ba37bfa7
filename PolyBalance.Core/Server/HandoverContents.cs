using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Http;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Server;

/// <summary>What is known here becomes what the next process begins with, and the other way round.</summary>
internal static class HandoverContents
{
    private static readonly string[] Methods = Enum.GetNames<MethodKind>();

    /// <summary>Everything that the next process has to know, but the sockets.</summary>
    /// <param name="snapshot">What is in force.</param>
    /// <param name="counters">What was counted.</param>
    public static HandoverState StateOf(Snapshot snapshot, CounterLedger counters)
    {
        var config = snapshot.Config;
        return new()
        {
            Changes = CarriedChange.Of(config.Changes, config.Given),
            Names =
            [
                .. FoundBackends.KeysOf(config.Written)
                    .Select(key => new HandedName(key.Kind, key.Name, [.. config.Found[key]])),
            ],
            Keys = snapshot.Clusters
                .Where(cluster => cluster is { Options.Sticky.Keys: null, Sticky: not null })
                .ToDictionary(
                    cluster => cluster.Name, cluster => Convert.ToBase64String(cluster.Sticky!.Keys[0])),
            Backends = [.. snapshot.Backends().Select(backend => backend.Bequeath())],
            Counters = counters.Groups,
        };
    }

    /// <summary>What a process begins with that was told all this.</summary>
    /// <param name="state">What it was told.</param>
    /// <param name="read">Reads a backend that an operator had added; null: it cannot be read.</param>
    /// <param name="gone">Hears of changes at run time that do not stand any more.</param>
    public static SnapshotLegacy LegacyOf(
        HandoverState state, Func<CarriedChange, ProxyOptions, BackendOptions?> read, Action<RuntimeChange> gone)
    {
        var found = FoundBackends.None;
        foreach (var name in state.Names)
            found = found.With(new LookUpKey(name.Kind, name.Name), [.. name.Places]);

        RuntimeChanges ChangesFor(ProxyOptions given)
        {
            var changes = CarriedChange.Apply(
                state.Changes, given, change => read(change, given), out var superseded);
            foreach (var change in superseded)
                gone(change);
            return changes;
        }

        var backends = new Dictionary<(string, string), BackendLegacy>();
        foreach (var backend in state.Backends)
            backends[(backend.Cluster, backend.Address)] = backend;
        return new()
        {
            Found = found,
            Changes = ChangesFor,
            MadeKeys = state.Keys.ToDictionary(
                key => key.Key, key => new SigningKeys(Convert.FromBase64String(key.Value))),
            Backends = backends,
        };
    }

    /// <summary>Reads every counter, or adds to it.</summary>
    /// <param name="ledger">Where to, or what.</param>
    /// <param name="snapshot">Whose routes and backends.</param>
    /// <param name="metrics">Those of the gateway as a whole.</param>
    public static void Carry(CounterLedger ledger, Snapshot snapshot, GatewayMetrics metrics)
    {
        metrics.Carry(ledger, Methods);
        foreach (var route in snapshot.Routes.Routes.DistinctBy(route => route.Requests))
            ledger.Carry($"route {route.Cluster.Name} {route.Label}", route.Requests, Methods);
        foreach (var backend in snapshot.Backends())
            backend.Carry(ledger);
    }
}
