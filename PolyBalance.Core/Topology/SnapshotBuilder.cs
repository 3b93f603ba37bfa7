using System.Collections.Immutable;
using System.Security.Cryptography;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Topology;

/// <summary>
/// Options and the previous snapshot make the next one. A backend whose key is unchanged is carried over, connections
/// and all.
/// </summary>
/// <param name="transport">How backends are connected to.</param>
/// <param name="clock">How long names that were looked up are good for.</param>
/// <param name="news">Who hears of backends; null: nobody.</param>
/// <param name="random">Where new sequences of turns begin, and what queues draw; null: anything.</param>
internal sealed class SnapshotBuilder(
    ITransport transport, TimeProvider clock, BackendNews? news = null, Random? random = null)
{
    private readonly Random _random = random ?? Random.Shared;

    /// <summary>
    /// Builds the snapshot that follows <paramref name="previous"/>; cannot fail for options that were validated and
    /// whose key files were read.
    /// </summary>
    public Snapshot Build(ProxyOptions options, Snapshot? previous)
    {
        var found = (previous?.Config.Found ?? FoundBackends.None).For(options);
        var given = found.ApplyTo(options);
        return Build(given, NextMark(previous, options, found, given, RuntimeChanges.None), previous);
    }

    /// <summary>The first snapshot of a process that takes over from another one.</summary>
    /// <param name="options">What its file says.</param>
    /// <param name="legacy">What the other one has known.</param>
    public Snapshot Begin(ProxyOptions options, SnapshotLegacy legacy)
    {
        var found = legacy.Found.For(options);
        var given = found.ApplyTo(options);
        var changes = legacy.Changes(given);
        return Build(
            changes.ApplyTo(given), NextMark(null, options, found, given, changes), previous: null, legacy: legacy);
    }

    /// <summary>What <see cref="Reload"/> would put in force.</summary>
    /// <inheritdoc cref="Reload"/>
    public static ProxyOptions Foresee(ProxyOptions file, FoundBackends anew, Snapshot previous)
    {
        var given = anew.With(previous.Config.Found).For(file).ApplyTo(file);
        return previous.Config.Changes.CarryOver(previous.Config.Given, given, out _).ApplyTo(given);
    }

    /// <summary>
    /// Another file, with what was found for its names, and what operators have changed at run time and the file has
    /// not.
    /// </summary>
    /// <param name="file">What it says.</param>
    /// <param name="anew">What was found for names that only this file has.</param>
    /// <param name="introduced">Backends that nobody knew, and that were asked whether they work: they do.</param>
    /// <param name="previous">What is in force.</param>
    /// <param name="superseded">Changes that are over.</param>
    public Snapshot Reload(
        ProxyOptions file, FoundBackends anew, IReadOnlySet<(string Cluster, Address Address)> introduced,
        Snapshot previous, out IReadOnlyList<RuntimeChange> superseded)
    {
        var found = anew.With(previous.Config.Found).For(file);
        var given = found.ApplyTo(file);
        var changes = previous.Config.Changes.CarryOver(previous.Config.Given, given, out superseded);
        return Build(
            changes.ApplyTo(given), NextMark(previous, file, found, given, changes), previous, introduced: introduced);
    }

    /// <summary>The same file with other changes.</summary>
    public Snapshot Change(RuntimeChanges changes, Snapshot previous)
    {
        var mark = previous.Config with { Revision = previous.Config.Revision + 1, Changes = changes };
        return Build(changes.ApplyTo(mark.Given), mark, previous);
    }

    /// <summary>The same file and the same changes with other backends of its names.</summary>
    /// <param name="found">What was found for all of them.</param>
    /// <param name="previous">What is in force.</param>
    /// <param name="isAtStart">Nothing listens yet: nobody has to be spared.</param>
    /// <param name="superseded">Changes that are over, since their backends are gone.</param>
    public Snapshot Discover(
        FoundBackends found, Snapshot previous, bool isAtStart, out IReadOnlyList<RuntimeChange> superseded)
    {
        var given = found.ApplyTo(previous.Config.Written);
        var changes = previous.Config.Changes.CarryOver(previous.Config.Given, given, out superseded);
        var mark = previous.Config with
        {
            Revision = previous.Config.Revision + 1,
            Found = found,
            Given = given,
            Changes = changes,
        };
        return Build(changes.ApplyTo(given), mark, previous, isAtStart);
    }

    private ConfigMark NextMark(
        Snapshot? previous, ProxyOptions file, FoundBackends found, ProxyOptions given, RuntimeChanges changes)
        => new((previous?.Config.Generation ?? 0) + 1, clock.GetUtcNow(), (previous?.Config.Revision ?? 0) + 1, file,
            found, given, changes);

    private Snapshot Build(
        ProxyOptions options, ConfigMark mark, Snapshot? previous, bool isAtStart = false,
        SnapshotLegacy? legacy = null, IReadOnlySet<(string Cluster, Address Address)>? introduced = null)
    {
        var known = previous?.Backends().ToDictionary(backend => backend.Key) ?? [];
        var clusters = ImmutableArray.CreateBuilder<Cluster>();
        foreach (var cluster in options.Clusters)
            clusters.Add(BuildCluster(cluster, known, previous, isAtStart || previous is null, legacy, introduced));

        return Assemble(options, clusters, mark, previous);
    }

    /// <summary>
    /// The same options in the light of what is now known of the backends: their verdicts, what traffic says of them,
    /// and how far their slow starts have come. The very snapshot that was given when nothing follows from it.
    /// </summary>
    public static Snapshot Refresh(Snapshot previous)
    {
        var clusters = previous.Clusters.ToBuilder();
        var hasChanged = false;
        for (var index = 0; index < clusters.Count; index++)
        {
            var cluster = clusters[index];
            var candidates = Settle(cluster.Options, cluster.Backends);
            if (candidates.AsSpan().SequenceEqual(cluster.Candidates.AsSpan()))
            {
                // The bounds of backends at their slow starts may have been raised all the same.
                cluster.Queue.OnRoom();
                continue;
            }

            // Its sequence of turns, if it has one, has begun already: there is nothing to draw.
            clusters[index] = MakeCluster(
                cluster.Options, cluster.Backends, candidates, cluster, cluster.RetryBudget, cluster.Queue, draw: 0);
            hasChanged = true;
        }

        return hasChanged ? Assemble(previous.Options, clusters, previous.Config, previous) : previous;
    }

    private static Snapshot Assemble(
        ProxyOptions options, ImmutableArray<Cluster>.Builder clusters, ConfigMark mark, Snapshot? previous)
    {
        EquatableArray<RouteOptions> routes = options.Routes.Count > 0
            ? options.Routes
            : [new RouteOptions { Cluster = clusters[0].Name }];
        var version = (previous?.Version ?? 0) + 1;
        return new(version, options, new(BuildRoutes(routes, clusters, previous)), clusters.ToImmutable())
        {
            Config = mark,
        };
    }

    // Who is ejected first: it decides who returns, and that begins a slow start.
    private static ImmutableArray<Candidate> Settle(ClusterOptions options, ImmutableArray<Backend> backends)
    {
        if (backends.IsEmpty)
            return [];

        var now = backends[0].Now;
        Ejections.Settle(options, backends, now);
        SlowStarts.Settle(options, backends, now);
        return Eligibility.Of(options, backends, now);
    }

    private static Cluster MakeCluster(
        ClusterOptions options, ImmutableArray<Backend> backends, ImmutableArray<Candidate> candidates,
        Cluster? previous, RetryBudget retryBudget, RequestQueue queue, ulong draw, SigningKeys? madeKeys = null)
    {
        var placement = PlacementOf(
            BalancingAlgorithms.Of(options), candidates, previous?.Placement, queue.IsOpen, draw);
        queue.Follow(placement);
        return new(
            options, backends, candidates, placement, retryBudget, queue,
            StickyOf(options, backends, previous, madeKeys))
        {
            FirstTier = BackupNews.Tell(options.Name, backends, candidates, previous?.FirstTier),
        };
    }

    // Each tier goes on where the one in its place was: those behind it have turns of their own.
    private static Placement PlacementOf(
        IBalancingAlgorithm algorithm, ImmutableArray<Candidate> candidates, Placement? previous, bool canWait,
        ulong draw)
    {
        var length = 0;
        while (length < candidates.Length && candidates[length].Tier == candidates[0].Tier)
            length++;

        var tier = candidates[..length];
        var selector = algorithm.Build(tier, previous?.Selector, draw);
        var backups = length == candidates.Length
            ? null
            : PlacementOf(algorithm, candidates[length..], previous?.Backups, canWait, draw);
        return new(tier, selector, canWait, backups);
    }

    // A hash per backend and key: a snapshot of the same options keeps the table.
    private static StickyTable? StickyOf(
        ClusterOptions options, ImmutableArray<Backend> backends, Cluster? previous, SigningKeys? madeKeys)
    {
        if (ReferenceEquals(options, previous?.Options))
            return previous.Sticky;

        return options.Sticky is { } sticky ? new(options, sticky, KeysOf(sticky, previous, madeKeys), backends) : null;
    }

    // A key that was made at the start goes from snapshot to snapshot, and from process to process: neither a reload
    // nor an upgrade ends a session.
    private static SigningKeys KeysOf(StickyOptions sticky, Cluster? previous, SigningKeys? madeKeys)
    {
        if (sticky is { KeyFile: not null, Keys: null })
            throw new InvalidOperationException("Nobody has read the key file of these options.");

        return sticky.Keys
            ?? (previous is { Options.Sticky.Keys: null, Sticky.Keys: { } made }
                ? made
                : madeKeys ?? new(RandomNumberGenerator.GetBytes(Limits.SigningKeyLengthMin)));
    }

    private static ImmutableArray<Route> BuildRoutes(
        EquatableArray<RouteOptions> options, ImmutableArray<Cluster>.Builder clusters, Snapshot? previous)
    {
        var counters = new Dictionary<(string Cluster, string Label), RequestCounters>();
        foreach (var route in previous?.Routes.Routes ?? [])
            counters[(route.Cluster.Name, route.Label)] = route.Requests;

        var routes = ImmutableArray.CreateBuilder<Route>(options.Count);
        foreach (var route in options)
        {
            // Two routes that are written the same way count together: operators could not tell them apart.
            var key = (route.Cluster, Route.LabelOf(route));
            if (!counters.TryGetValue(key, out var requests))
                counters[key] = requests = new();
            var cluster = clusters.First(cluster => cluster.Name == route.Cluster);
            routes.Add(new(routes.Count, route, cluster, requests));
        }

        return routes.ToImmutable();
    }

    private Cluster BuildCluster(
        ClusterOptions options, Dictionary<BackendKey, Backend> known, Snapshot? previous, bool isAtStart,
        SnapshotLegacy? legacy, IReadOnlySet<(string Cluster, Address Address)>? introduced)
    {
        // Equal options: the very same objects, so that a reload of something else does not even restart the turn.
        var before = previous?.Clusters.FirstOrDefault(cluster => cluster.Name == options.Name);
        if (before is not null && before.Options == options)
            return before;

        var queue = QueueOf(options, before);
        var backends = ImmutableArray.CreateBuilder<Backend>(options.Backends.Count);
        foreach (var backend in options.Backends)
        {
            var key = new BackendKey(options.Name, backend.Address, options.Pool, options.Timeouts.Connect);
            if (known.TryGetValue(key, out var kept))
                kept.Rename(backend.Name);
            var current = kept ?? Succeed(new(key, backend, transport, clock, news), before);
            if (current.Verdict == Verdict.Unknown && introduced?.Contains((options.Name, backend.Address)) == true)
                current.Judge(Verdict.Healthy);
            current.Configure(options.Ejection, options.SlowStart, queue.OnRoom);
            Order(current, backend.IsDrained);
            if (legacy?.Backends.GetValueOrDefault((options.Name, backend.Address.ToString())) is { } inherited)
                current.Inherit(inherited);
            if (kept is null && !isAtStart)
                current.SlowStart.NoteAddedLater();
            backends.Add(current);
        }

        var all = backends.ToImmutable();
        var draw = (ulong)_random.NextInt64();
        return MakeCluster(options, all, Settle(options, all), before, BudgetOf(options, before), queue, draw,
            legacy?.MadeKeys.GetValueOrDefault(options.Name));
    }

    // What was spent is not forgiven for a change of the configuration.
    private RetryBudget BudgetOf(ClusterOptions options, Cluster? before)
    {
        var percent = (options.Retries ?? RetryOptions.Default).BudgetPercent;
        var heartbeat = transport.Heartbeat;
        var budget = before?.RetryBudget ?? new(percent, heartbeat.Ticks(TimeSpan.FromSeconds(1)), heartbeat.Now);
        budget.Percent = percent;
        return budget;
    }

    private static void Order(Backend backend, bool isDrained)
    {
        if (isDrained)
            backend.BeginDrain(DrainCauses.Operator);
        else
            backend.EndDrain(DrainCauses.Operator, "the operator wants it no more");
    }

    // Who waits already goes on waiting, for the backends of the new configuration.
    private RequestQueue QueueOf(ClusterOptions options, Cluster? before)
    {
        var queue = before?.Queue ?? new(transport.Heartbeat, _random);
        var waits = options is { Queue: not null, Pool.ConnectionsMax: > 0 };
        var rules = options.Queue ?? QueueOptions.Default;
        queue.Configure(waits ? rules.RequestsMax : 0, transport.Heartbeat.Ticks(rules.Timeout));
        return queue;
    }

    // Other bounds on its connections make another backend, but say nothing about whether it works.
    private static Backend Succeed(Backend fresh, Cluster? before)
    {
        var former = before?.Backends.FirstOrDefault(backend => backend.Key.Address == fresh.Key.Address);
        if (former is not null && fresh.Verdict == Verdict.Unknown)
            fresh.Judge(former.Verdict);
        return fresh;
    }
}
