namespace PolyBalance.Configuration;

/// <summary>Which implementation moves the bytes. Config key <c>transport</c>.</summary>
public enum TransportKind
{
    /// <summary>The best one that this machine offers.</summary>
    Auto,

    /// <summary>The portable one over the sockets of .NET.</summary>
    Sockets,

    /// <summary>One io_uring per processor: Linux 6.1 or newer, where it is not forbidden.</summary>
    IoUring,
}

/// <summary>The whole configuration, validated: what the user wrote, with every default filled in.</summary>
/// <remarks>Equality is by value all the way down, so a reload can tell what changed.</remarks>
public sealed record ProxyOptions
{
    private static readonly (string, TransportKind)[] Transports =
        [("auto", TransportKind.Auto), ("io_uring", TransportKind.IoUring), ("sockets", TransportKind.Sockets)];

    /// <summary>Where client connections are accepted. At least one, no two on the same address.</summary>
    public required EquatableArray<ListenerOptions> Listeners { get; init; }

    /// <summary>The listener for operators; <see langword="null"/> when <c>admin</c> is <c>off</c>.</summary>
    public AdminOptions? Admin { get; init; } = AdminOptions.Default;

    /// <summary>
    /// Which requests go to which cluster; the first match wins. Never empty after parsing: without <c>routes</c> in
    /// the
    /// file it holds one route that sends everything to the only cluster.
    /// </summary>
    public required EquatableArray<RouteOptions> Routes { get; init; }

    /// <summary>The named sets of backends, in the order of the file. At least one; names are unique.</summary>
    public required EquatableArray<ClusterOptions> Clusters { get; init; }

    /// <summary>How long clients may take.</summary>
    public ClientTimeoutOptions Timeouts { get; init; } = ClientTimeoutOptions.Default;

    /// <summary>How much clients may send.</summary>
    public LimitOptions Limits { get; init; } = LimitOptions.Default;

    /// <summary>How the names of backends are looked up.</summary>
    public DnsOptions Dns { get; init; } = DnsOptions.Default;

    /// <summary>What is written to which log.</summary>
    public LoggingOptions Logging { get; init; } = LoggingOptions.Default;

    /// <summary>
    /// Which exchanges are recorded in traces, and where they are sent; <see langword="null"/>: nobody traces.
    /// </summary>
    public TracingOptions? Tracing { get; init; }

    /// <summary>How the process ends.</summary>
    public ShutdownOptions Shutdown { get; init; } = ShutdownOptions.Default;

    /// <summary>Whether probes of kind exec may run programs. Config key <c>allow_exec</c>.</summary>
    public bool AllowsExec { get; init; }

    /// <summary>Most probes at once, over all clusters. Config key <c>max_concurrent_probes</c>.</summary>
    public int ConcurrentProbesMax { get; init; } = PolyBalance.Limits.ConcurrentProbesDefault;

    /// <summary>Which implementation moves the bytes.</summary>
    public TransportKind Transport { get; init; } = TransportKind.Auto;

    /// <summary>Loops of the transport <c>io_uring</c>; null: one per processor.</summary>
    public int? Workers { get; init; }

    /// <summary>
    /// Reads a configuration and finds every error in it. Total: no text makes it throw. Does no I/O.
    /// </summary>
    /// <param name="text">YAML or JSON; may be empty when the overrides say enough.</param>
    /// <param name="file">What errors call the text; nothing is read from there.</param>
    /// <param name="environment">Looks up <c>${NAME}</c>; without it no variable is set.</param>
    /// <param name="overrides">What flags and environment variables put in place of the text's values.</param>
    public static ConfigResult Parse(
        string text, string file, Func<string, string?>? environment = null, ConfigOverrides? overrides = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(file);
        var report = new ConfigReport { IsOfFile = true };
        var written = YamlReader.Read(text, file, environment ?? (_ => null), report);
        if (written is null && report.HasErrors)
            return new() { Errors = report.Errors, Warnings = report.Warnings };

        ProxyOptions? options = null;
        var root = written is null or { IsNull: true } ? new ConfigMap(new(file, 1, 1), []) : written;
        if (root is ConfigMap map)
        {
            var merged = OverrideMerge.Apply(map, overrides ?? new(), report);
            options = ConfigSection.Bind(merged, "", report, BindFrom).Value;
        }
        else
        {
            report.Error(root.At, $"the file must be a mapping, not {root.Kind}",
                "begin with `listeners:` and `clusters:`");
        }

        if (report.HasErrors)
            options = null;

        return new() { Options = options, Errors = report.Errors, Warnings = report.Warnings };
    }

    /// <summary>Reads the whole configuration.</summary>
    /// <param name="root">The top level.</param>
    internal static ProxyOptions BindFrom(ConfigSection root)
    {
        root.RequireWritten("listeners", "write `listeners: [ { bind: \":8000\" } ]`",
            whenEmpty: "there is no listener");
        var listeners = root.Items("listeners", null, "Where client connections are accepted.",
            ListenerOptions.BindFrom);
        var admin = root.SectionOrOff("admin", AdminOptions.Default, "The listener for operators.",
            AdminOptions.BindFrom);
        var routes = root.Items("routes", null,
            "Which requests go where; the first match wins. Without it the only cluster takes all.",
            RouteOptions.BindFrom);
        var allowsExec = root.Value("allow_exec", false, ConfigForm.Truth, "false",
            "Whether probes of kind exec may run programs.", ParseTruth);
        root.Report.AllowsExec = allowsExec;
        root.RequireWritten("clusters", "write `clusters: { web: { backends: [ \"10.0.0.1:8080\" ] } }`",
            whenEmpty: "there is no cluster");
        var clusters = root.Entries("clusters", ConfigName.Text, "The named sets of backends.",
            ClusterOptions.BindFrom);

        var options = new ProxyOptions
        {
            Listeners = [.. listeners.Select(listener => listener.Value)],
            Admin = admin,
            Routes = routes.Count > 0 || clusters.Count == 0
                ? [.. routes.Select(route => route.Value)]
                : [new RouteOptions { Cluster = clusters[0].Value.Name }],
            Clusters = [.. clusters.Select(cluster => cluster.Value)],
            Timeouts = root.Section("timeouts", "How long clients may take.", ClientTimeoutOptions.BindFrom),
            Limits = root.Section("limits", "How much clients may send.", LimitOptions.BindFrom),
            Dns = root.Section("dns", "How the names of backends are looked up.", DnsOptions.BindFrom),
            Logging = root.Section("logging", "What is written to which log.", LoggingOptions.BindFrom),
            Tracing = root.SectionOrOff("tracing", null,
                "Traces over OTLP, and the field traceparent for backends.", TracingOptions.BindFrom),
            Shutdown = root.Section("shutdown", "How the process ends after the first signal.",
                ShutdownOptions.BindFrom),
            AllowsExec = allowsExec,
            ConcurrentProbesMax = root.Count("max_concurrent_probes", PolyBalance.Limits.ConcurrentProbesDefault, 1,
                PolyBalance.Limits.ConcurrentProbesMax, "Most probes at once, over all clusters."),
            Transport = root.Choice("transport", TransportKind.Auto, Transports,
                "Which implementation moves the bytes; auto: io_uring where the system allows it."),
            Workers = root.Value<int?>("workers", null, WorkerCount.Form, "auto",
                "Threads of io_uring that serve clients, each with connections of its own; auto: one per processor.",
                WorkerCount.Parse),
        };

        CrossChecks.Listeners(root, listeners, admin);
        CrossChecks.Routes(root, routes, clusters);
        return options;
    }

    /// <summary>Reads a truth value.</summary>
    internal static Parsed<bool> ParseTruth(string text) => text switch
    {
        "true" => true,
        "false" => false,
        _ => new Flaw($"{Flaw.Show(text)} is neither `true` nor `false`", "write one of the two"),
    };
}
