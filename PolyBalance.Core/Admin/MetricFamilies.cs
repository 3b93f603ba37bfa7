using System.Text;

namespace PolyBalance.Admin;

/// <summary>Every metric there is. What each of them is read from stands in <see cref="MetricsText"/>.</summary>
/// <remarks>The questions above them are those of an operator; the help gives the precise answer.</remarks>
internal static class MetricFamilies
{
    // ---- exchanges

    /// <summary>How many exchanges.</summary>
    public static readonly MetricFamily Requests = new(
        "polybalance_requests_total", MetricKind.Counter,
        "Finished exchanges; code is what the access log says, 499 for a client that left; without a route: refused",
        "cluster", "route", "code", "method");

    /// <summary>Why they failed.</summary>
    public static readonly MetricFamily RequestErrors = new(
        "polybalance_request_errors_total", MetricKind.Counter,
        "Finished exchanges that failed; reason is that of the access log", "reason");

    /// <summary>How long they took.</summary>
    public static readonly MetricFamily RequestDuration = new(
        "polybalance_request_duration_seconds", MetricKind.Histogram,
        "From the first byte of a request to the last of its response; of a tunnel to the switch");

    /// <summary>How much of that was ours.</summary>
    public static readonly MetricFamily Overhead = new(
        "polybalance_proxy_overhead_seconds", MetricKind.Histogram,
        "What the gateway itself adds: the time of an exchange less that in which it waited for a backend (for a "
        + "place, to connect, to answer, to go on) or for the client (to send its head, to take bytes)");

    /// <summary>How many clients.</summary>
    public static readonly MetricFamily ClientConnections = new(
        "polybalance_client_connections", MetricKind.Gauge, "Client connections that are open");

    // ---- backends

    /// <summary>How many attempts.</summary>
    public static readonly MetricFamily BackendRequests = new(
        "polybalance_backend_requests_total", MetricKind.Counter,
        "Finished attempts; code is what the backend answered, or else what the failure of the attempt stands for",
        "cluster", "backend", "code");

    /// <summary>Why they failed.</summary>
    public static readonly MetricFamily BackendErrors = new(
        "polybalance_backend_errors_total", MetricKind.Counter,
        "Attempts that failed because of the backend; what clients do counts against nobody",
        "cluster", "backend", "reason");

    /// <summary>How long they took.</summary>
    public static readonly MetricFamily BackendDuration = new(
        "polybalance_backend_request_duration_seconds", MetricKind.Histogram,
        "From the pick of the backend to the end of the attempt; of a tunnel to the switch", "cluster", "backend");

    /// <summary>How long connecting took.</summary>
    public static readonly MetricFamily BackendConnect = new(
        "polybalance_backend_connect_duration_seconds", MetricKind.Histogram,
        "Time to establish a connection, the look-up of the name included", "cluster", "backend");

    /// <summary>How long the first byte took.</summary>
    public static readonly MetricFamily BackendFirstByte = new(
        "polybalance_backend_ttfb_seconds", MetricKind.Histogram,
        "From the pick of the backend to the head of its final response", "cluster", "backend");

    /// <summary>How long attempts took, in quantiles.</summary>
    public static readonly MetricFamily BackendLatency = new(
        "polybalance_backend_latency_seconds", MetricKind.Summary,
        "Quantiles of polybalance_backend_request_duration_seconds since the start, 1 % off at most",
        "cluster", "backend");

    /// <summary>How many there are now.</summary>
    public static readonly MetricFamily BackendInFlight = new(
        "polybalance_backend_in_flight", MetricKind.Gauge, "Attempts under way", "cluster", "backend");

    /// <summary>Whether probes are content.</summary>
    public static readonly MetricFamily BackendHealthy = new(
        "polybalance_backend_healthy", MetricKind.Gauge,
        "What probes say: 1 healthy, 0 unhealthy or not probed yet", "cluster", "backend");

    /// <summary>How many backends are in which state.</summary>
    public static readonly MetricFamily Backends = new(
        "polybalance_backends", MetricKind.Gauge, "Backends by what they are to traffic; each is counted once",
        "cluster", "state");

    /// <summary>How many probes.</summary>
    public static readonly MetricFamily HealthChecks = new(
        "polybalance_health_checks_total", MetricKind.Counter, "Probes that found something out",
        "cluster", "backend", "result");

    /// <summary>How often they changed their mind.</summary>
    public static readonly MetricFamily HealthTransitions = new(
        "polybalance_health_transitions_total", MetricKind.Counter,
        "Verdicts that probes turned round; the first verdict is none of them", "cluster", "backend", "to");

    // ---- connections to backends

    /// <summary>How many connections there are.</summary>
    public static readonly MetricFamily PoolConnections = new(
        "polybalance_pool_connections", MetricKind.Gauge,
        "Connections to a backend; active are those in use and those being made", "cluster", "backend", "state");

    /// <summary>How many were opened.</summary>
    public static readonly MetricFamily PoolOpened = new(
        "polybalance_pool_opened_total", MetricKind.Counter, "Connections established", "cluster", "backend");

    /// <summary>How often one was reused.</summary>
    public static readonly MetricFamily PoolReused = new(
        "polybalance_pool_reused_total", MetricKind.Counter, "Attempts on a connection that had been idle",
        "cluster", "backend");

    /// <summary>How many were closed at the other end.</summary>
    public static readonly MetricFamily Stale = new(
        "polybalance_stale_connections_total", MetricKind.Counter,
        "Idle connections that their backends closed: seen in time (discarded), or met by a request that was sent "
        + "once more (resent) or lost (failed)", "action");

    // ---- sessions and the queue

    /// <summary>What became of sessions.</summary>
    public static readonly MetricFamily Sticky = new(
        "polybalance_sticky_total", MetricKind.Counter,
        "Backends' responses in clusters with sticky sessions: kept as it was (hit), kept with a later expiry "
        + "(renewed), begun (new), begun because the cookie did not count (invalid), gone on elsewhere (moved)",
        "result");

    /// <summary>How many requests wait.</summary>
    public static readonly MetricFamily QueueWaiting = new(
        "polybalance_queue_requests", MetricKind.Gauge, "Requests that wait for a backend with room", "cluster");

    /// <summary>How many were not placed.</summary>
    public static readonly MetricFamily QueueRefusals = new(
        "polybalance_queue_refusals_total", MetricKind.Counter,
        "Requests that the queue refused: full, too late, or no hope in an overload", "cluster");

    // ---- what is done about failures

    /// <summary>How many further attempts, and why.</summary>
    public static readonly MetricFamily Retries = new(
        "polybalance_retries_total", MetricKind.Counter, "Further attempts; reason is why the one before failed",
        "reason");

    /// <summary>How many were not allowed.</summary>
    public static readonly MetricFamily RetryBudgetExhausted = new(
        "polybalance_retry_budget_exhausted_total", MetricKind.Counter,
        "Retries that were not made because the budget was spent", "cluster");

    /// <summary>How many ejections, and why.</summary>
    public static readonly MetricFamily Ejections = new(
        "polybalance_ejections_total", MetricKind.Counter,
        "Backends that were taken out of service for their traffic", "reason");

    // ---- names

    /// <summary>How many look-ups, and how they ended.</summary>
    public static readonly MetricFamily NameLookUps = new(
        "polybalance_dns_lookups_total", MetricKind.Counter,
        "Look-ups of the names of backends; found also where one family of addresses could not be found out",
        "name", "result");

    /// <summary>How old what is known is.</summary>
    public static readonly MetricFamily NameAge = new(
        "polybalance_dns_answer_age_seconds", MetricKind.Gauge,
        "Time since a name server has said last what is in use; grows while look-ups fail or a name is held", "name");

    // ---- the gateway

    /// <summary>Which configuration.</summary>
    public static readonly MetricFamily ConfigGeneration = new(
        "polybalance_config_generation", MetricKind.Gauge,
        "Which configuration is in force: 1 at the start, one more with each reload that is taken up");

    /// <summary>How many reloads.</summary>
    public static readonly MetricFamily ConfigReloads = new(
        "polybalance_config_reloads_total", MetricKind.Counter,
        "Reloads that were taken up (success) or refused (failure)", "result");

    /// <summary>Since when.</summary>
    public static readonly MetricFamily ConfigSince = new(
        "polybalance_config_last_reload_success_timestamp_seconds", MetricKind.Gauge,
        "When the configuration in force was taken up");

    /// <summary>How many lines are missing in the log.</summary>
    public static readonly MetricFamily LogDropped = new(
        "polybalance_log_dropped_total", MetricKind.Counter, "Lines of the access log that were lost");

    /// <summary>How many spans are missing in traces.</summary>
    public static readonly MetricFamily SpansDropped = new(
        "polybalance_spans_dropped_total", MetricKind.Counter,
        "Spans of traces that were lost: too many waited, or the collector did not take them");

    /// <summary>Which version.</summary>
    public static readonly MetricFamily Build = new(
        "polybalance_build_info", MetricKind.Gauge, "What runs; always 1", "version", "runtime", "transport");

    // ---- the process

    /// <summary>How much processor time.</summary>
    public static readonly MetricFamily ProcessCpu = new(
        "process_cpu_seconds_total", MetricKind.Counter, "Processor time used, by all threads");

    /// <summary>How much memory.</summary>
    public static readonly MetricFamily ProcessMemory = new(
        "process_resident_memory_bytes", MetricKind.Gauge, "Resident memory");

    /// <summary>Since when it runs.</summary>
    public static readonly MetricFamily ProcessStart = new(
        "process_start_time_seconds", MetricKind.Gauge, "When the process began");

    /// <summary>How many file descriptors.</summary>
    public static readonly MetricFamily ProcessFiles = new(
        "process_open_fds", MetricKind.Gauge, "File descriptors that are open");

    /// <summary>How many there may be.</summary>
    public static readonly MetricFamily ProcessFilesMax = new(
        "process_max_fds", MetricKind.Gauge, "File descriptors that may be open");

    /// <summary>How many garbage collections.</summary>
    public static readonly MetricFamily Collections = new(
        "polybalance_gc_collections_total", MetricKind.Counter,
        "Garbage collections that reached this generation and went no further", "generation");

    /// <summary>How long they stopped everything.</summary>
    public static readonly MetricFamily CollectionPause = new(
        "polybalance_gc_pause_seconds_total", MetricKind.Counter,
        "Time in which garbage collections stopped everything");

    /// <summary>In the order of the output.</summary>
    public static readonly MetricFamily[] All =
    [
        Requests, RequestErrors, RequestDuration, Overhead, ClientConnections,
        BackendRequests, BackendErrors, BackendDuration, BackendConnect, BackendFirstByte, BackendLatency,
        BackendInFlight, BackendHealthy, Backends, HealthChecks, HealthTransitions,
        PoolConnections, PoolOpened, PoolReused, Stale,
        Sticky, QueueWaiting, QueueRefusals,
        Retries, RetryBudgetExhausted, Ejections, NameLookUps, NameAge,
        ConfigGeneration, ConfigReloads, ConfigSince, LogDropped, SpansDropped, Build,
        ProcessCpu, ProcessMemory, ProcessStart, ProcessFiles, ProcessFilesMax, Collections, CollectionPause,
    ];

    /// <summary>One line for each: the content of <c>surface/metrics.txt</c>.</summary>
    public static string Describe()
    {
        var text = new StringBuilder();
        foreach (var family in All)
        {
            text.Append(family.Name);
            if (family.Labels.Length > 0)
                text.Append('{').AppendJoin(',', family.Labels).Append('}');
            text.Append(' ').Append(family.KindName).Append(": ").Append(family.Help).Append('\n');
        }

        return text.ToString();
    }
}
