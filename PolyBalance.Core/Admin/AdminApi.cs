using System.Buffers;
using System.Text;
using PolyBalance.Http;
using PolyBalance.Proxy;
using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>Everything under <c>/admin/</c>: who may, which path it is, and who answers.</summary>
/// <remarks>
/// Questions are answered and orders carried out on the thread pool, so that a loop that moves clients' bytes never
/// waits for an operator. Every order leaves a line in the log.
/// </remarks>
internal sealed class AdminApi
{
    /// <summary>The longest content. Unit: bytes.</summary>
    private const int ContentBytesMax = 8 * 1024 * 1024;

    private const string Prefix = "/admin/";
    private const string BackendPrefix = "backends/";

    private readonly GatewayView _gateway;
    private readonly Dictionary<string, Route[]> _routes;
    private readonly Route[] _backendRoutes;
    private readonly Route[] _drainRoutes;
    private readonly Route[] _resumeRoutes;

    /// <summary>Wires paths to whoever answers.</summary>
    public AdminApi(GatewayView gateway)
    {
        _gateway = gateway;
        var writes = new Writes(gateway);
        var backends = new BackendsAdmin(gateway, writes);
        var algorithm = new AlgorithmAdmin(gateway, writes);
        var config = new ConfigAdmin(gateway);
        var upgrade = new UpgradeAdmin(gateway);
        var health = new HealthAdmin(gateway);
        var errors = new ErrorsAdmin(gateway);
        var explain = new ExplainAdmin(gateway.Store, gateway.Transport.Heartbeat, gateway.Health);
        _routes = new(StringComparer.Ordinal)
        {
            ["backends"] = [new("GET", _ => Now(backends.List())), new("POST", backends.AddAsync)],
            ["algorithm"] = [new("GET", _ => Now(algorithm.Show())), new("POST", algorithm.ChooseAsync)],
            ["health"] = [new("GET", _ => Now(health.Show()))],
            ["openapi.json"] =
            [
                new("GET", null!)
                {
                    StreamAsync = exchange => LocalResponse.SendAsync(
                        exchange, 200, "application/json", default, OpenApi.Content),
                },
            ],
            ["events"] = [new("GET", null!) { StreamAsync = new EventsAdmin(gateway).StreamAsync }],
            ["errors"] = [new("GET", _ => Now(errors.Show()))],
            ["config"] = [new("GET", _ => Now(config.Show()))],
            ["config/drift"] = [new("GET", _ => Now(config.ShowDrift()))],
            ["reload"] = [new("POST", _ => config.ReloadAsync())],
            ["upgrade"] = [new("POST", _ => upgrade.UpgradeAsync())],
            ["explain"] = [new("POST", request => Now(explain.Explain(request)), ChangesNothing: true)],
            ["plan"] = [new("POST", config.PlanAsync, ChangesNothing: true)],
        };
        _backendRoutes =
        [
            new("GET", request => Now(backends.Show(request))), new("PATCH", backends.AlterAsync),
            new("DELETE", backends.RemoveAsync),
        ];
        _drainRoutes = [new("POST", request => backends.DrainAsync(request, isDrained: true))];
        _resumeRoutes = [new("POST", request => backends.DrainAsync(request, isDrained: false))];
    }

    /// <summary>Whether a path belongs here.</summary>
    public static bool Owns(ReadOnlySpan<byte> path) => path.StartsWith("/admin/"u8) || path.SequenceEqual("/admin"u8);

    /// <summary>Answers one exchange.</summary>
    public async ValueTask<FailureKind> HandleAsync(Exchange exchange)
    {
        var request = exchange.Request;
        var options = _gateway.Store.Current.Options.Admin;
        var path = Encoding.Latin1.GetString(request.Path);
        if (DashboardFiles.Owns(path))
            return await DashboardFiles.AnswerAsync(exchange, path);

        if (!OperatorCheck.MayAsk(options, request.Fields))
        {
            return await SendAsync(exchange, AdminAnswer.Refused(
                401, "no_token", "Send `Authorization: Bearer` with the token of admin.token_file",
                "WWW-Authenticate: Bearer\r\n"));
        }

        if (Find(path, out var id) is not { } routes)
            return await SendAsync(exchange, AdminAnswer.Refused(404, "not_found", "There is nothing here"));

        var method = Encoding.Latin1.GetString(request.MethodToken);
        var route = Array.Find(routes, route => route.Method == (method == "HEAD" ? "GET" : method));
        if (route is null)
            return await SendAsync(exchange, NotAllowed(routes));

        if (route.StreamAsync is { } streamAsync)
            return await streamAsync(exchange);

        var answer = Refusal(exchange, route, options);
        if (answer is null)
        {
            var content = new ArrayBufferWriter<byte>();
            var failure = await RequestContent.ReadAsync(exchange, ContentBytesMax, content);
            if (failure != FailureKind.None)
                return await LocalResponse.RefuseAsync(exchange, failure);

            var text = Encoding.UTF8.GetString(content.WrittenSpan);
            var condition = Encoding.Latin1.GetString(request.Fields.First(KnownField.IfMatch));
            answer = await Task.Run(() => route.AnswerAsync(new(route.Method, id, text, condition)));
        }

        if (route.IsOrder)
        {
            Log.OperatorWrote(
                _gateway.Logger, exchange.Client.Address, method, path, answer.Status,
                answer.Outcome.Length > 0 ? answer.Outcome : "done");
        }

        return await SendAsync(exchange, answer);
    }

    private static Task<AdminAnswer> Now(AdminAnswer answer) => Task.FromResult(answer);

    private static ValueTask<FailureKind> SendAsync(Exchange exchange, AdminAnswer answer)
        => LocalResponse.SendAsync(exchange, answer.Status, "application/json", answer.LineBytes, answer.Content);

    // RFC 9110 §15.5.6: what would be allowed is part of the answer.
    private static AdminAnswer NotAllowed(Route[] routes)
    {
        var allowed = string.Join(", ", routes.Select(route => route.Method == "GET" ? "GET, HEAD" : route.Method));
        return AdminAnswer.Refused(
            405, "method_not_allowed", $"Allowed here: {allowed}", $"Allow: {allowed}\r\n");
    }

    private static AdminAnswer? Refusal(Exchange exchange, Route route, Configuration.AdminOptions? options)
    {
        var request = exchange.Request;
        if (route.Method == "GET")
            return null;
        if (!OperatorCheck.MayOrder(options, request.Fields, request.HostMemory.Span))
        {
            return AdminAnswer.Refused(
                403, "foreign_origin", "This order comes from a web page of somewhere else, or under a name of it");
        }

        // A page cannot make a browser send DELETE without asking first; anything else must say what it is.
        var isBare = route.Method == "DELETE" && exchange.State.IsRequestRead;
        return isBare || OperatorCheck.IsJson(request.Fields)
            ? null
            : AdminAnswer.Refused(415, "not_json", "Send `Content-Type: application/json`");
    }

    private Route[]? Find(string path, out string id)
    {
        id = "";
        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
            return null;

        var rest = path[Prefix.Length..];
        if (_routes.TryGetValue(rest, out var routes))
            return routes;
        if (!rest.StartsWith(BackendPrefix, StringComparison.Ordinal) || rest.Length == BackendPrefix.Length)
            return null;

        rest = rest[BackendPrefix.Length..];
        var found = _backendRoutes;
        foreach (var (suffix, action) in ((string, Route[])[])[("/drain", _drainRoutes), ("/resume", _resumeRoutes)])
        {
            if (rest.Length > suffix.Length && rest.EndsWith(suffix, StringComparison.Ordinal))
            {
                found = action;
                rest = rest[..^suffix.Length];
                break;
            }
        }

        id = Uri.UnescapeDataString(rest);
        return found;
    }

    /// <summary>One method of one path.</summary>
    /// <param name="Method">The method; GET answers HEAD too.</param>
    /// <param name="AnswerAsync">Who answers.</param>
    /// <param name="ChangesNothing">Whether it only asks, although it sends something along.</param>
    private sealed record Route(
        string Method, Func<AdminRequest, Task<AdminAnswer>> AnswerAsync, bool ChangesNothing = false)
    {
        // Who answers bit by bit, instead.
        public Func<Exchange, ValueTask<FailureKind>>? StreamAsync { get; init; }

        public bool IsOrder => Method != "GET" && !ChangesNothing;
    }
}
