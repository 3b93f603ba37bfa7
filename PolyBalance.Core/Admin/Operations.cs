using System.Text.Json.Serialization.Metadata;

namespace PolyBalance.Admin;

/// <summary>
/// Everything that the admin listener can be asked and ordered, with every status that may come of it.
/// </summary>
/// <remarks>Tests hold each answer that they get to this table, and each path that is served.</remarks>
internal static class Operations
{
    private static readonly AdminAnswers Types = AdminJson.Types;

    private static readonly Outcome BadContent =
        new(400, "What was sent is wrong; every mistake is listed with its place", Types.ErrorAnswer);

    private static readonly Outcome NoBackend =
        new(404, "No backend, or more than one, has that id", Types.ErrorAnswer);

    private static readonly Outcome NoCluster = new(404, "There is no such cluster", Types.ErrorAnswer);

    private static readonly Outcome Stale =
        new(412, "Somebody has changed the configuration since the tag of If-Match", Types.ErrorAnswer);

    private static readonly Outcome UnderWay =
        new(409, "An upgrade is under way", Types.ErrorAnswer);

    private static readonly Outcome Invalid =
        new(422, "The configuration has errors, and nothing has changed; every error is listed", Types.ErrorAnswer);

    /// <summary>Answers of everything under <c>/admin/</c> but the dashboard's files.</summary>
    public static readonly Outcome[] ForAll =
        [new(401, "`admin.token_file` is set, and the token was not shown", Types.ErrorAnswer)];

    /// <summary>Answers of everything that sends something.</summary>
    public static readonly Outcome[] ForOrders =
    [
        new(403, "The order comes from a web page of somewhere else", Types.ErrorAnswer),
        new(413, "The content is longer than 8 MiB", Types.ErrorAnswer),
        new(415, "`Content-Type: application/json` is missing", Types.ErrorAnswer),
    ];

    /// <summary>All of them, by path.</summary>
    public static readonly Operation[] All =
    [
        new("GET", "/healthz", "Whether the process lives", Plain("It does", "application/json")),
        new("GET", "/readyz", "Whether traffic should be sent here",
            Plain("It should", "application/json"),
            new(503, "It should not; the reasons are listed", MediaType: "application/json")),
        new("GET", "/metrics", "All metrics in Prometheus' text format", Plain("All of them", MetricsPage.ContentType)),
        new("GET", "/admin/backends", "All backends as they are now; `ETag` is the tag for `If-Match`",
            Is(Types.BackendsAnswer)),
        new("POST", "/admin/backends", "Adds a backend, with the keys it has in the file and `cluster`",
            new(201, "It is added, and gets traffic once a probe has passed", Types.BackendAnswer),
            BadContent, NoCluster,
            new(409, "The cluster has a backend of that name or address, or an upgrade is under way",
                Types.ErrorAnswer),
            Stale)
        {
            Content = section => BackendsAdmin.BindAddition(section, []),
            NeedsContent = true,
        },
        new("GET", "/admin/backends/{id}", "One backend as it is now", Is(Types.BackendAnswer), NoBackend),
        new("PATCH", "/admin/backends/{id}", "Changes the weight of a backend, or drains or resumes it",
            Is(Types.BackendAnswer), BadContent, NoBackend, UnderWay, Stale)
        {
            Content = section => BackendsAdmin.BindAlteration(section),
            NeedsContent = true,
        },
        new("DELETE", "/admin/backends/{id}", "Removes a backend; it finishes what it has",
            new(204, "It is removed"), NoBackend,
            new(409, "A name has it, which would bring it back: drain it instead; or an upgrade is under way",
                Types.ErrorAnswer),
            Stale),
        new("POST", "/admin/backends/{id}/drain", "Gives a backend no new work; it finishes what it has",
            Is(Types.BackendAnswer), NoBackend, UnderWay, Stale),
        new("POST", "/admin/backends/{id}/resume", "Lets a drained backend have new work again",
            Is(Types.BackendAnswer), NoBackend, UnderWay, Stale),
        new("GET", "/admin/algorithm", "How the backends of each cluster are picked", Is(Types.AlgorithmAnswer)),
        new("POST", "/admin/algorithm", "Has a cluster pick another way, for new requests",
            Is(Types.AlgorithmAnswer), BadContent, NoCluster, UnderWay, Stale)
        {
            Content = section => AlgorithmAdmin.BindChoice(section, []),
            NeedsContent = true,
        },
        new("GET", "/admin/health", "What probes know of every backend", Is(Types.HealthAnswer)),
        new("GET", "/admin/config", "Every value that applies, without secrets", Is(Types.ConfigAnswer)),
        new("GET", "/admin/config/drift", "How far what applies is from what the file and its names say",
            Is(Types.DriftAnswer)),
        new("POST", "/admin/reload", "Takes up the configuration anew", Is(Types.ReloadAnswer), Invalid),
        new("POST", "/admin/upgrade", "Starts the executable anew, and that process takes over; nothing is dropped",
            Is(Types.UpgradeAnswer),
            new(409, "An upgrade is under way, or this gateway cannot be upgraded", Types.ErrorAnswer),
            new(500, "The new process did not get ready, and this one goes on", Types.ErrorAnswer)),
        new("POST", "/admin/plan", "What a reload would do, of the file or of the text that is sent",
            Is(Types.ReloadAnswer), BadContent, Invalid)
        {
            Content = section => ConfigAdmin.BindText(section),
        },
        new("POST", "/admin/explain", "Where a request would go now, and why nowhere else",
            Is(Types.Explanation), BadContent)
        {
            Content = AskedRequest.BindFrom,
            NeedsContent = true,
        },
        new("GET", "/admin/errors", "The latest exchanges that failed, needed another attempt, or were slow",
            Is(Types.ErrorsAnswer)),
        new("GET", "/admin/events", "Everything as it is, once a second: server-sent events named `state`, with JSON",
            Plain("It goes on until one side ends it", EventsAdmin.ContentType),
            new(503, "So many watch already that nobody else can", Types.ErrorAnswer)),
        new("GET", "/admin/openapi.json", "This description", Plain("OpenAPI 3.1", "application/json")),
    ];

    private static Outcome Is(JsonTypeInfo type) => new(200, "Done", type);

    private static Outcome Plain(string meaning, string mediaType) => new(200, meaning, MediaType: mediaType);
}
