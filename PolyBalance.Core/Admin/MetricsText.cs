using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using PolyBalance.Backends;
using PolyBalance.Discovery;
using PolyBalance.Http;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Admin;

/// <summary>
/// Reads every metric where it is counted, and writes it: the answer to <c>GET /metrics</c>, and what a meter shows.
/// </summary>
/// <remarks>
/// Any thread, and several at once. Nothing is held up: counters are summed while others count. Who looks at a thousand
/// backends takes some milliseconds, so this does not belong on a loop that moves bytes.
/// </remarks>
internal sealed class MetricsText(GatewayView gateway)
{
    private static readonly string[] Methods =
        [.. Enum.GetValues<MethodKind>().Select(NameOf)];

    private static readonly (SessionResult Result, string Label)[] SessionResults =
    [
        (SessionResult.Hit, "hit"), (SessionResult.Renewed, "renewed"), (SessionResult.New, "new"),
        (SessionResult.Moved, "moved"), (SessionResult.Invalid, "invalid"),
    ];

    private static readonly string[] ReloadResults = ["success", "failure"];
    private static readonly string[] StaleActions = ["discarded", "resent", "failed"];
    private static readonly string[] EjectionReasons = ["consecutive_failures", "failure_share", "trial_failed"];

    /// <summary>The program's version.</summary>
    public static readonly string Version = (typeof(MetricsText).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "").Split('+')[0];

    /// <summary>Writes all of them, as they are now.</summary>
    public void Write(MetricsWriter page)
    {
        var snapshot = gateway.Store.Current;
        var fold = new LatencyFold();
        WriteExchanges(page, snapshot, fold);
        WriteAttempts(page, snapshot, fold);
        WriteHealth(page, snapshot);
        WritePools(page, snapshot);
        WriteSessionsAndQueues(page, snapshot);
        WriteRemedies(page, snapshot);
        WriteNames(page);
        WriteGateway(page, snapshot);
        WriteProcess(page);
    }

    private void WriteExchanges(MetricsWriter page, Snapshot snapshot, LatencyFold fold)
    {
        page.Begin(MetricFamilies.Requests);
        WriteRequests(page, gateway.Metrics.Unrouted, cluster: "", route: "");
        var written = new HashSet<RequestCounters>();
        foreach (var route in snapshot.Routes.Routes)
        {
            if (written.Add(route.Requests))
                WriteRequests(page, route.Requests, route.Cluster.Name, route.Label);
        }

        page.Begin(MetricFamilies.RequestErrors);
        WriteReasons(page, gateway.Metrics.Errors);

        page.Begin(MetricFamilies.RequestDuration);
        page.Histogram(Fold(fold, gateway.Metrics.Duration));

        page.Begin(MetricFamilies.Overhead);
        page.Histogram(Fold(fold, gateway.Metrics.Overhead));

        page.Begin(MetricFamilies.ClientConnections);
        page.Sample(gateway.ClientConnections());
    }

    private static void WriteRequests(MetricsWriter page, RequestCounters requests, string cluster, string route)
    {
        foreach (var (method, status, count) in requests.Counts())
            page.Sample(count, cluster, route, Text(status), Methods[method]);
    }

    private static void WriteAttempts(MetricsWriter page, Snapshot snapshot, LatencyFold fold)
    {
        page.Begin(MetricFamilies.BackendRequests);
        foreach (var (cluster, backend) in Each(snapshot))
        {
            foreach (var (status, count) in backend.Metrics.Statuses.Counts())
                page.Sample(count, cluster, backend.Name, Text(status));
        }

        page.Begin(MetricFamilies.BackendErrors);
        foreach (var (cluster, backend) in Each(snapshot))
            WriteReasons(page, backend.Metrics.Errors, cluster, backend.Name);

        page.Begin(MetricFamilies.BackendDuration);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Histogram(Fold(fold, backend.Metrics.Duration), cluster, backend.Name);

        page.Begin(MetricFamilies.BackendConnect);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Histogram(Fold(fold, backend.Metrics.Connect), cluster, backend.Name);

        page.Begin(MetricFamilies.BackendFirstByte);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Histogram(Fold(fold, backend.Metrics.FirstByte), cluster, backend.Name);

        page.Begin(MetricFamilies.BackendLatency);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Summary(Fold(fold, backend.Metrics.Duration), cluster, backend.Name);

        page.Begin(MetricFamilies.BackendInFlight);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Sample(backend.InFlight, cluster, backend.Name);
    }

    private static void WriteHealth(MetricsWriter page, Snapshot snapshot)
    {
        page.Begin(MetricFamilies.BackendHealthy);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Sample(backend.Verdict == Verdict.Healthy ? 1 : 0, cluster, backend.Name);

        page.Begin(MetricFamilies.Backends);
        foreach (var cluster in snapshot.Clusters)
        {
            foreach (var state in BackendStates.All)
                page.Sample(cluster.Backends.Count(backend => BackendStates.Of(backend) == state), cluster.Name, state);
        }

        page.Begin(MetricFamilies.HealthChecks);
        foreach (var (cluster, backend) in Each(snapshot))
        {
            page.Sample(backend.Metrics.Probes(passed: true), cluster, backend.Name, "passed");
            page.Sample(backend.Metrics.Probes(passed: false), cluster, backend.Name, "failed");
        }

        page.Begin(MetricFamilies.HealthTransitions);
        foreach (var (cluster, backend) in Each(snapshot))
        {
            page.Sample(backend.Metrics.Transitions(toHealthy: true), cluster, backend.Name, "healthy");
            page.Sample(backend.Metrics.Transitions(toHealthy: false), cluster, backend.Name, "unhealthy");
        }
    }

    private void WritePools(MetricsWriter page, Snapshot snapshot)
    {
        page.Begin(MetricFamilies.PoolConnections);
        foreach (var (cluster, backend) in Each(snapshot))
        {
            // Two glances: what moved in between may not make a negative number.
            var idle = backend.Pool.Idle;
            page.Sample(idle, cluster, backend.Name, "idle");
            page.Sample(Math.Max(backend.Pool.Open - idle, 0), cluster, backend.Name, "active");
        }

        page.Begin(MetricFamilies.PoolOpened);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Sample(backend.Pool.Opened, cluster, backend.Name);

        page.Begin(MetricFamilies.PoolReused);
        foreach (var (cluster, backend) in Each(snapshot))
            page.Sample(backend.Pool.Reused, cluster, backend.Name);

        page.Begin(MetricFamilies.Stale);
        WriteAll(page, gateway.Metrics.Stale, StaleActions);
    }

    private void WriteSessionsAndQueues(MetricsWriter page, Snapshot snapshot)
    {
        page.Begin(MetricFamilies.Sticky);
        foreach (var (result, label) in SessionResults)
            page.Sample(gateway.Metrics.Sessions.Sum((int)result), label);

        page.Begin(MetricFamilies.QueueWaiting);
        foreach (var cluster in snapshot.Clusters)
            page.Sample(cluster.Queue.Waiting, cluster.Name);

        page.Begin(MetricFamilies.QueueRefusals);
        foreach (var cluster in snapshot.Clusters)
            page.Sample(cluster.Queue.Refusals, cluster.Name);
    }

    private void WriteRemedies(MetricsWriter page, Snapshot snapshot)
    {
        page.Begin(MetricFamilies.Retries);
        WriteReasons(page, gateway.Metrics.Retries);

        page.Begin(MetricFamilies.RetryBudgetExhausted);
        foreach (var cluster in snapshot.Clusters)
            page.Sample(cluster.RetryBudget.Refusals, cluster.Name);

        page.Begin(MetricFamilies.Ejections);
        WriteAll(page, gateway.Metrics.Ejections, EjectionReasons);
    }

    private void WriteNames(MetricsWriter page)
    {
        var names = gateway.Names();
        page.Begin(MetricFamilies.NameLookUps);
        foreach (var name in names)
        {
            for (var outcome = 0; outcome < LookUpOutcomes.Labels.Length; outcome++)
                page.Sample(name.Outcomes[outcome], name.Key.Name, LookUpOutcomes.Labels[outcome]);
        }

        page.Begin(MetricFamilies.NameAge);
        foreach (var name in names)
        {
            if (name.Age is { } age)
                page.Sample(age.TotalSeconds, name.Key.Name);
        }
    }

    private void WriteGateway(MetricsWriter page, Snapshot snapshot)
    {
        page.Begin(MetricFamilies.ConfigGeneration);
        page.Sample(snapshot.Config.Generation);

        page.Begin(MetricFamilies.ConfigReloads);
        WriteAll(page, gateway.Metrics.Reloads, ReloadResults);

        page.Begin(MetricFamilies.ConfigSince);
        page.Sample(snapshot.Config.Since.ToUnixTimeMilliseconds() / 1000.0);

        page.Begin(MetricFamilies.LogDropped);
        page.Sample(gateway.LinesDropped());

        page.Begin(MetricFamilies.SpansDropped);
        page.Sample(gateway.SpansDropped());

        page.Begin(MetricFamilies.Build);
        page.Sample(1, Version, RuntimeInformation.FrameworkDescription, gateway.Transport.Name);
    }

    private void WriteProcess(MetricsWriter page)
    {
        page.Begin(MetricFamilies.ProcessCpu);
        page.Sample(ProcessFigures.ProcessorSeconds);

        page.Begin(MetricFamilies.ProcessMemory);
        page.Sample(Environment.WorkingSet);

        page.Begin(MetricFamilies.ProcessStart);
        page.Sample(ProcessFigures.Started);

        page.Begin(MetricFamilies.ProcessFiles);
        if (ProcessFigures.CountFiles() is { } files)
            page.Sample(files);

        page.Begin(MetricFamilies.ProcessFilesMax);
        if (gateway.Transport.Files.Limit is { } limit)
            page.Sample(limit);

        page.Begin(MetricFamilies.Collections);
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            // The runtime counts a collection for every generation that it reached.
            var further = generation < GC.MaxGeneration ? GC.CollectionCount(generation + 1) : 0;
            page.Sample(Math.Max(GC.CollectionCount(generation) - further, 0), Text(generation));
        }

        page.Begin(MetricFamilies.CollectionPause);
        page.Sample(GC.GetTotalPauseDuration().TotalSeconds);
    }

    private static void WriteReasons(MetricsWriter page, EventCounters counters, params ReadOnlySpan<string> before)
    {
        foreach (ref readonly var failure in Failure.All)
        {
            if (counters[(int)failure.Kind] is var count and > 0)
                page.Sample(count, [.. before, failure.Label]);
        }
    }

    private static void WriteAll(MetricsWriter page, EventCounters counters, string[] labels)
    {
        for (var kind = 0; kind < labels.Length; kind++)
            page.Sample(counters[kind], labels[kind]);
    }

    private static IEnumerable<(string Cluster, Backend Backend)> Each(Snapshot snapshot)
    {
        foreach (var cluster in snapshot.Clusters)
        {
            foreach (var backend in cluster.Backends)
                yield return (cluster.Name, backend);
        }
    }

    private static LatencyFold Fold(LatencyFold fold, LatencyHistogram histogram)
    {
        fold.Clear();
        histogram.FoldInto(fold);
        return fold;
    }

    private static string NameOf(MethodKind method)
        => method == MethodKind.Other ? "other" : method.ToString().ToUpperInvariant();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
