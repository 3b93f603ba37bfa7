using System.Globalization;

namespace PolyBalance.Configuration;

/// <summary>
/// Options turned round: every value that applies, defaults included, as the file would write it. For whoever shows a
/// configuration, or compares two of them.
/// </summary>
/// <remarks>Secrets are not among the values: files that hold them are named, what is in them is not.</remarks>
internal static class AppliedValues
{
    private const string Off = "off";

    /// <summary>Everything: the gateway first, then listeners, routes and clusters with their backends.</summary>
    public static List<AppliedGroup> Of(ProxyOptions options)
    {
        var groups = new List<AppliedGroup> { new("gateway", "", OfGateway(options)) };
        foreach (var listener in options.Listeners)
        {
            groups.Add(new("listener", listener.Bind.ToString(),
            [
                new("expose", string.Join(", ", listener.Expose)),
                new("trusted_proxies", string.Join(", ", listener.TrustedProxies)),
                new("server_timing", Text(listener.SendsServerTiming)),
            ]));
        }

        foreach (var route in options.Routes)
            groups.Add(OfRoute(route));
        foreach (var cluster in options.Clusters)
        {
            groups.Add(new("cluster", cluster.Name, OfCluster(cluster)));
            foreach (var lookUp in cluster.LookUps)
                groups.Add(new("backends", $"{cluster.Name}/{lookUp}", OfLookUp(lookUp)));
            foreach (var backend in cluster.Backends)
                groups.Add(new("backend", $"{cluster.Name}/{backend.Name}", OfBackend(backend)));
        }

        return groups;
    }

    private static List<AppliedValue> OfGateway(ProxyOptions options)
    {
        var (timeouts, limits, logging) = (options.Timeouts, options.Limits, options.Logging);
        List<AppliedValue> values =
        [
            new("admin.bind", options.Admin?.Bind.ToString() ?? Off),
            new("admin.token_file", options.Admin?.TokenFile ?? ""),
            new("allow_exec", Text(options.AllowsExec)),
            new("timeouts.client_header", Quantity.Write(timeouts.Head)),
            new("timeouts.client_idle", Quantity.Write(timeouts.Idle)),
            new("timeouts.client_body_idle", Quantity.Write(timeouts.BodyIdle)),
            new("timeouts.client_write", Quantity.Write(timeouts.Write)),
            new("timeouts.tunnel_idle", Quantity.Write(timeouts.TunnelIdle)),
            new("limits.head", Quantity.WriteSize(limits.HeadBytesMax)),
            new("limits.fields", Quantity.Write(limits.FieldLinesMax)),
            new("limits.connections", Quantity.Write(limits.ConnectionsMax)),
            new("logging.level", Text(logging.Level)),
            new("logging.access", Text(logging.Access)),
            new("logging.access_path", logging.AccessPath ?? "stdout"),
            new("shutdown.drain", Quantity.Write(options.Shutdown.Drain)),
            new("shutdown.delay", Quantity.Write(options.Shutdown.Delay)),
            new("shutdown.upgrade_drain", Quantity.Write(options.Shutdown.UpgradeDrain)),
            new("max_concurrent_probes", Quantity.Write(options.ConcurrentProbesMax)),
            new("transport", options.Transport == TransportKind.IoUring ? "io_uring" : Text(options.Transport)),
            new("workers", options.Workers is { } workers ? Quantity.Write(workers) : "auto"),
        ];
        AddDns(values, options.Dns);
        AddTracing(values, options.Tracing);
        return values;
    }

    // Two routes never match the same, so what they match is their name.
    private static AppliedGroup OfRoute(RouteOptions route) => new("route", $"{route.Host}{route.Path}",
    [
        new("match.host", route.Host ?? ""),
        new("match.path", route.Path),
        new("cluster", route.Cluster),
        new("max_body", route.MaxBody is { } max ? Quantity.WriteSize(max) : ""),
    ]);

    private static List<AppliedValue> OfCluster(ClusterOptions cluster)
    {
        var values = new List<AppliedValue>
        {
            new("algorithm", cluster.Algorithm),
            new("hash.key", Text(cluster.Hash.Key)),
            new("hash.load", cluster.Hash.LoadPercent == 0 ? Off : Percent(cluster.Hash.LoadPercent)),
            new("host", Text(cluster.Host)),
            new("pool.size", Quantity.Write(cluster.Pool.IdleConnections)),
            new("pool.max_connections", Quantity.Write(cluster.Pool.ConnectionsMax)),
            new("pool.idle_timeout", Quantity.Write(cluster.Pool.IdleTimeout)),
            new("pool.max_lifetime", Quantity.Write(cluster.Pool.LifetimeMax)),
            new("timeouts.connect", Quantity.Write(cluster.Timeouts.Connect)),
            new("timeouts.response", Quantity.Write(cluster.Timeouts.Response)),
            new("timeouts.response_idle", Quantity.Write(cluster.Timeouts.ResponseIdle)),
            new("timeouts.request", OrOff(cluster.Timeouts.Request)),
            new("slow_start", OrOff(cluster.SlowStart)),
            new("when_none_eligible",
                cluster.WhenNoneEligible == NoneEligibleRule.UseAll ? "use_all" : "refuse"),
        };
        AddQueue(values, cluster.Queue);
        AddHealth(values, cluster.Health);
        AddEjection(values, cluster.Ejection);
        AddRetries(values, cluster.Retries);
        AddSticky(values, cluster.Sticky);
        return values;
    }

    private static List<AppliedValue> OfBackend(BackendOptions backend)
    {
        var values = new List<AppliedValue>
        {
            new("address", backend.Address.ToString()),
            new("name", backend.Name),
            new("weight", Quantity.Write(backend.Weight)),
            new("drain", Text(backend.IsDrained)),
            new("backup", Text(backend.IsBackup)),
        };
        if (backend.Source is { } source)
            values.Add(new("source", source));
        AddHealth(values, backend.Health);
        return values;
    }

    private static List<AppliedValue> OfLookUp(LookUpOptions lookUp)
    {
        var target = lookUp.Port == 0 ? lookUp.Key.Name : $"{lookUp.Key.Name}:{Quantity.Write(lookUp.Port)}";
        var values = new List<AppliedValue>
        {
            new(lookUp.Key.Kind == LookUpKind.Places ? "srv" : "dns", target),
            new("name", lookUp.Prefix ?? ""),
            new("weight", Quantity.Write(lookUp.Weight)),
            new("drain", Text(lookUp.IsDrained)),
            new("backup", Text(lookUp.IsBackup)),
        };
        AddHealth(values, lookUp.Health);
        return values;
    }

    private static void AddDns(List<AppliedValue> values, DnsOptions dns) => values.AddRange(
    [
        new("dns.servers", string.Join(", ", dns.Servers)),
        new("dns.timeout", Quantity.Write(dns.Timeout)),
        new("dns.min_ttl", Quantity.Write(dns.TimeToLiveMin)),
        new("dns.max_ttl", Quantity.Write(dns.TimeToLiveMax)),
        new("dns.hold", Quantity.Write(dns.Hold)),
    ]);

    // ---- sections that can be off: then that is their only value

    private static void AddTracing(List<AppliedValue> values, TracingOptions? tracing)
    {
        if (tracing is null)
        {
            values.Add(new("tracing", Off));
            return;
        }

        values.AddRange(
        [
            new("tracing.endpoint", tracing.Collector?.OriginalString ?? ""),
            new("tracing.protocol", tracing.Protocol is { } protocol ? Text(protocol) : ""),
            new("tracing.sample", tracing.Sample),
            new("tracing.trust_parent", Text(tracing.TrustsParent)),
            new("tracing.service_name", tracing.Name ?? ""),
        ]);
    }

    private static void AddQueue(List<AppliedValue> values, QueueOptions? queue)
    {
        if (queue is null)
        {
            values.Add(new("queue", Off));
            return;
        }

        values.Add(new("queue.size", Quantity.Write(queue.RequestsMax)));
        values.Add(new("queue.timeout", Quantity.Write(queue.Timeout)));
    }

    private static void AddHealth(List<AppliedValue> values, HealthOptions? health)
    {
        if (health is null)
        {
            values.Add(new("health", Off));
            return;
        }

        values.AddRange(
        [
            new("health.kind", Text(health.Kind)),
            new("health.path", health.Path),
            new("health.interval", Quantity.Write(health.Interval)),
            new("health.timeout", Quantity.Write(health.Timeout)),
            new("health.unhealthy_threshold", Quantity.Write(health.UnhealthyThreshold)),
            new("health.healthy_threshold", Quantity.Write(health.HealthyThreshold)),
            new("health.jitter", Percent(health.JitterPercent)),
            new("health.expect", Text(health.Expect)),
            new("health.drain_on", Text(health.DrainOn)),
            new("health.host", health.Host ?? ""),
            new("health.fields", string.Join(", ", health.Fields.Select(field => $"{field.Name}: {field.Value}"))),
            new("health.expect_field", health.ExpectField is { } field ? $"{field.Name}: {field.Value}" : ""),
            new("health.expect_body", health.ExpectBody ?? ""),
            new("health.service", health.Service),
            new("health.command", health.Command ?? ""),
            new("health.args", string.Join(' ', health.Args)),
        ]);
    }

    private static void AddEjection(List<AppliedValue> values, EjectionOptions? ejection)
    {
        if (ejection is null)
        {
            values.Add(new("ejection", Off));
            return;
        }

        values.AddRange(
        [
            new("ejection.consecutive_failures", Quantity.Write(ejection.ConsecutiveFailures)),
            new("ejection.failure_ratio", Percent(ejection.FailurePercent)),
            new("ejection.minimum_requests", Quantity.Write(ejection.MinimumRequests)),
            new("ejection.window", Quantity.Write(ejection.Window)),
            new("ejection.base_time", Quantity.Write(ejection.BaseTime)),
            new("ejection.max_time", Quantity.Write(ejection.TimeMax)),
            new("ejection.trials", Quantity.Write(ejection.Trials)),
            new("ejection.statuses", Text(ejection.Statuses)),
        ]);
    }

    private static void AddRetries(List<AppliedValue> values, RetryOptions? retries)
    {
        if (retries is null)
        {
            values.Add(new("retries", Off));
            return;
        }

        values.AddRange(
        [
            new("retries.attempts", Quantity.Write(retries.Attempts)),
            new("retries.budget", Percent(retries.BudgetPercent)),
            new("retries.replay_buffer", Quantity.WriteSize(retries.ReplayBufferBytes)),
            new("retries.statuses", Text(retries.Statuses)),
        ]);
    }

    private static void AddSticky(List<AppliedValue> values, StickyOptions? sticky)
    {
        if (sticky is null)
        {
            values.Add(new("sticky", Off));
            return;
        }

        values.AddRange(
        [
            new("sticky.cookie", sticky.Cookie),
            new("sticky.max_age", Quantity.Write(sticky.AgeMax)),
            new("sticky.key_file", sticky.KeyFile ?? ""),
        ]);
    }

    // ---- values

    private static string Text(bool isTrue) => isTrue ? "true" : "false";

    private static string Text<T>(T word)
        where T : struct, Enum
        => word.ToString().ToLowerInvariant();

    private static string Percent(int percent) => string.Create(CultureInfo.InvariantCulture, $"{percent}%");

    private static string OrOff(TimeSpan? duration) => duration is { } value ? Quantity.Write(value) : Off;

    private static string Text(EquatableArray<StatusRange> ranges)
        => string.Join(',', ranges.Select(range => range.First == range.Last
            ? Quantity.Write(range.First)
            : $"{Quantity.Write(range.First)}-{Quantity.Write(range.Last)}"));

    /// <summary>What requests are hashed by.</summary>
    public static string Text(HashKey key) => key.Kind switch
    {
        HashKeyKind.ClientAddress => "client_ip",
        HashKeyKind.Field => $"header:{key.Name}",
        HashKeyKind.Cookie or HashKeyKind.Query => $"{Text(key.Kind)}:{key.Name}",
        _ => Text(key.Kind),
    };

    private static string Text(HostPolicy host) => host.Kind switch
    {
        HostPolicyKind.Literal => host.Value,
        _ => Text(host.Kind),
    };
}
