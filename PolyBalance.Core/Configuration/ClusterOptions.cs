namespace PolyBalance.Configuration;

/// <summary>
/// What happens to a request when no backend of the cluster is eligible. Config key <c>when_none_eligible</c>.
/// </summary>
public enum NoneEligibleRule
{
    /// <summary>It is refused with 503.</summary>
    Refuse,

    /// <summary>All backends are used as if they were eligible.</summary>
    UseAll,
}

/// <summary>A named set of backends and how to use it. An entry of <c>clusters</c>.</summary>
public sealed record ClusterOptions
{
    /// <summary>The canonical names of the balancing algorithms.</summary>
    public static readonly EquatableArray<string> Algorithms =
    [
        "round_robin", "weighted_round_robin", "least_connections", "random", "power_of_two", "peak_ewma",
        HashOptions.Algorithm,
    ];

    private static readonly (string, NoneEligibleRule)[] NoneEligibleRules =
        [("refuse", NoneEligibleRule.Refuse), ("use_all", NoneEligibleRule.UseAll)];

    /// <summary>The key of the entry; routes, logs and metrics use it.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="Algorithms"/>.</summary>
    public string Algorithm { get; init; } = Algorithms[0];

    /// <summary>What the algorithm <c>hash</c> goes by; without effect on the others.</summary>
    public HashOptions Hash { get; init; } = HashOptions.Default;

    /// <summary>What the Host field of a forwarded request says.</summary>
    public HostPolicy Host { get; init; } = HostPolicy.Preserve;

    /// <summary>
    /// Whom requests are forwarded to, in the order of the file and then those that were found; may be empty. Addresses
    /// and names are unique.
    /// </summary>
    public required EquatableArray<BackendOptions> Backends { get; init; }

    /// <summary>Names that stand for further backends, in the order of the file; each once.</summary>
    public EquatableArray<LookUpOptions> LookUps { get; init; } = [];

    /// <summary>Bounds on the connections to each backend.</summary>
    public PoolOptions Pool { get; init; } = PoolOptions.Default;

    /// <summary>Waiting for a busy backend; <see langword="null"/> when <c>queue</c> is <c>off</c>.</summary>
    public QueueOptions? Queue { get; init; } = QueueOptions.Default;

    /// <summary>How long a backend may take.</summary>
    public ClusterTimeoutOptions Timeouts { get; init; } = ClusterTimeoutOptions.Default;

    /// <summary>
    /// Probing; <see langword="null"/> when <c>health</c> is <c>off</c>. Each backend carries its own merged copy.
    /// </summary>
    public HealthOptions? Health { get; init; } = HealthOptions.Default;

    /// <summary>Passive health; <see langword="null"/> when <c>ejection</c> is <c>off</c>.</summary>
    public EjectionOptions? Ejection { get; init; } = EjectionOptions.Default;

    /// <summary>Attempts after the first; <see langword="null"/> when <c>retries</c> is <c>off</c>.</summary>
    public RetryOptions? Retries { get; init; } = RetryOptions.Default;

    /// <summary>
    /// How long a recovered backend takes to get its full share; <see langword="null"/> when <c>off</c>.
    /// </summary>
    public TimeSpan? SlowStart { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Sessions that stay on one backend; <see langword="null"/> unless the section is written.</summary>
    public StickyOptions? Sticky { get; init; }

    /// <summary>What happens when no backend is eligible.</summary>
    public NoneEligibleRule WhenNoneEligible { get; init; } = NoneEligibleRule.Refuse;

    /// <summary>Reads an entry of <c>clusters</c>.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="section">Its value.</param>
    internal static ClusterOptions BindFrom(string name, ConfigSection section)
    {
        if (ConfigName.Parse(name).Flaw is { } flaw)
            section.Report.Error(section.At, flaw);

        var options = new ClusterOptions
        {
            Name = name,
            Algorithm = section.Value("algorithm", Algorithms[0], AlgorithmName.Form, Algorithms[0],
                "How the next backend is picked.", AlgorithmName.Parse),
            Hash = section.Section("hash", "What the algorithm hash goes by.", HashOptions.BindFrom),
            Host = section.Word("host", HostPolicy.Preserve, HostPolicy.Form, "preserve",
                "What the Host field of a forwarded request says.", HostPolicy.Parse),
            Backends = [],
            Pool = section.Section("pool", "Bounds on the connections to each backend.", PoolOptions.BindFrom),
            Queue = section.SectionOrOff("queue", QueueOptions.Default,
                "Requests that wait while every backend has pool.max_connections.", QueueOptions.BindFrom),
            Timeouts = section.Section("timeouts", "How long a backend may take.", ClusterTimeoutOptions.BindFrom),
            Health = section.SectionOrOff("health", HealthOptions.Default, "How backends are probed.",
                health => HealthOptions.BindFrom(health, HealthOptions.Default)),
            Ejection = section.SectionOrOff("ejection", EjectionOptions.Default,
                "When traffic itself shows that a backend is unhealthy.", EjectionOptions.BindFrom),
            Retries = section.SectionOrOff("retries", RetryOptions.Default, "Attempts after the first.",
                RetryOptions.BindFrom),
            SlowStart = section.DurationOrOff("slow_start", TimeSpan.FromSeconds(10), Quantity.Shortest,
                Quantity.Longest, "How long a recovered backend takes to get its full share."),
            Sticky = section.SectionOrOff("sticky", null, "Sessions that stay on one backend.", StickyOptions.BindFrom),
            WhenNoneEligible = section.Choice("when_none_eligible", NoneEligibleRule.Refuse, NoneEligibleRules,
                "What happens to a request when no backend is eligible."),
        };

        if (section.IsWritten("queue") && options is { Queue: not null, Pool.ConnectionsMax: 0 })
        {
            section.Report.Warning(section.PositionOf("queue"),
                "nobody waits in `queue` as long as `pool.max_connections` is 0",
                "write `pool: { max_connections: N }`, how many requests one backend can work on at once");
        }

        var entries = BindBackends(section, options.Health);
        return HashOptions.Settle(options, section) with
        {
            Backends = [.. entries.Select(entry => entry.Value.Backend).OfType<BackendOptions>()],
            LookUps = [.. entries.Select(entry => entry.Value.LookUp).OfType<LookUpOptions>()],
        };
    }

    private static List<Bound<BackendEntry>> BindBackends(ConfigSection section, HealthOptions? inherited)
    {
        section.RequireWritten("backends", "write `backends: [ \"10.0.0.1:8080\" ]`, or `[]` for none");
        var entries = section.Items("backends", "address", "Whom requests are forwarded to.",
            entry => BackendEntry.BindFrom(entry, inherited));
        if (section.IsEmptyList("backends"))
        {
            section.Report.Warning(section.PositionOf("backends"),
                "a cluster without backends answers every request with 503",
                "add a backend");
        }

        CheckBackends(section, entries);
        CheckLookUps(section, entries);
        return entries;
    }

    private static void CheckBackends(ConfigSection section, List<Bound<BackendEntry>> entries)
    {
        var byAddress = new Dictionary<Address, ConfigSection>();
        var byName = new Dictionary<string, ConfigSection>(StringComparer.Ordinal);
        foreach (var (entry, at, _) in entries)
        {
            if (entry.Backend is not { } backend)
                continue;

            if (!byAddress.TryAdd(backend.Address, at))
            {
                section.Report.Error(at.PositionOf("address"),
                    $"the backend `{backend.Address}` is already in this cluster, {byAddress[backend.Address].Place}",
                    "remove one of the two; a larger share is a larger `weight`");
            }
            else if (!byName.TryAdd(backend.Name, at))
            {
                section.Report.Error(at.PositionOf("name"),
                    $"the name `{backend.Name}` is already in this cluster, {byName[backend.Name].Place}",
                    "give each backend its own name");
            }
        }
    }

    private static void CheckLookUps(ConfigSection section, List<Bound<BackendEntry>> entries)
    {
        var known = new Dictionary<(LookUpKey Key, int Port), ConfigSection>();
        foreach (var (entry, at, _) in entries)
        {
            if (entry.LookUp is { } lookUp && !known.TryAdd((lookUp.Key, lookUp.Port), at))
            {
                section.Report.Error(at.PositionOf(lookUp.Key.Kind == LookUpKind.Places ? "srv" : "dns"),
                    $"`{lookUp}` is already in this cluster, {known[(lookUp.Key, lookUp.Port)].Place}",
                    "remove one of the two; a larger share is a larger `weight`");
            }
        }
    }
}
