namespace PolyBalance.Configuration;

/// <summary>
/// Puts what flags and variables say into the tree before it is bound, so that one set of rules checks everything.
/// </summary>
internal static class OverrideMerge
{
    private const string DefaultCluster = "default";

    /// <summary>The tree with the overrides in their places; errors in them point at the flag or variable.</summary>
    /// <param name="root">What the file says; empty when there is none.</param>
    /// <param name="overrides">What counts more.</param>
    /// <param name="report">Takes overrides that have no place to go.</param>
    public static ConfigMap Apply(ConfigMap root, ConfigOverrides overrides, ConfigReport report)
    {
        var isWithoutFile = root.Entries.Count == 0;
        if (overrides.Port is { } port)
            root = root.With("listeners", Listeners(":" + port.Value.Trim(), At(port)));
        else if (isWithoutFile && overrides.Backends is { } alone)
            root = root.With("listeners", Listeners(":8000", At(alone)));

        if (overrides.Backends is { } backends)
            root = WithBackends(root, backends, report);
        if (overrides.Strategy is { } strategy)
            root = InEachCluster(root,
                cluster => cluster.With("algorithm", Scalar(strategy.Value.Trim(), At(strategy))));

        root = WithDuration(root, "health", "interval", overrides.HealthInterval);
        root = WithDuration(root, "health", "timeout", overrides.HealthTimeout);
        return WithDuration(root, "timeouts", "response", overrides.BackendTimeout);
    }

    private static ConfigList Listeners(string bind, Position at)
        => new(at, [new ConfigMap(at, [new("bind", at, Scalar(bind, at))])]);

    private static ConfigMap WithBackends(ConfigMap root, ConfigOverride backends, ConfigReport report)
    {
        var at = At(backends);
        var list = new ConfigList(at, [.. backends.Value
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(address => Scalar(address, at))]);
        if (list.Items.Count == 0)
            report.Error(at, "there is no backend in the list", "write addresses with commas between them");

        var clusters = root.Find("clusters")?.Value;
        if (clusters is null or { IsNull: true } or ConfigMap { Entries.Count: 0 })
            clusters = new ConfigMap(at, [new(DefaultCluster, at, new ConfigMap(at, []))]);
        if (clusters is not ConfigMap map)
            return root;

        var chosen = map.Entries.Count == 1 ? map.Entries[0] : map.Find(DefaultCluster);
        if (chosen is null)
        {
            report.Error(at, "the file has several clusters, and none of them is named `default`",
                "name one of them `default`, or write the backends into the file");
            return root;
        }

        return root.With("clusters", Within(map, chosen, cluster => cluster.With("backends", list)));
    }

    private static ConfigMap WithDuration(ConfigMap root, string section, string key, ConfigOverride? value)
    {
        if (value is null)
            return root;

        var at = At(value);
        var text = value.Value.Trim();
        var isBare = text.Length > 0 && text.All(char.IsAsciiDigit);
        var duration = Scalar(isBare ? text + "s" : text, at);
        return InEachCluster(root, cluster => cluster.Find(section)?.Value switch
        {
            null or { IsNull: true } => cluster.With(section, new ConfigMap(at, [new(key, at, duration)])),
            ConfigMap map => cluster.With(section, map.With(key, duration)),

            // `off` stays off, and anything else is an error of its own.
            _ => cluster,
        });
    }

    private static ConfigMap InEachCluster(ConfigMap root, Func<ConfigMap, ConfigMap> change)
    {
        if (root.Find("clusters")?.Value is not ConfigMap clusters)
            return root;

        foreach (var entry in clusters.Entries)
            clusters = Within(clusters, entry, change);

        return root.With("clusters", clusters);
    }

    // Whatever is no mapping where one should be is left for the binding to complain about.
    private static ConfigMap Within(ConfigMap clusters, ConfigEntry entry, Func<ConfigMap, ConfigMap> change)
        => entry.Value switch
        {
            ConfigMap cluster => clusters.With(entry.Key, change(cluster)),
            { IsNull: true } => clusters.With(entry.Key, change(new(entry.Value.At, []))),
            _ => clusters,
        };

    private static ConfigScalar Scalar(string text, Position at) => new(at, text, isPlain: false);

    private static Position At(ConfigOverride value) => new(value.Source, 0, 0);
}
