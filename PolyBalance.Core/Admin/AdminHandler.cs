using PolyBalance.Http;
using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>Answers what operators and probes ask of the gateway itself.</summary>
internal sealed class AdminHandler(GatewayView gateway) : IExchangeHandler
{
    private const string Json = "application/json";
    private static readonly byte[] Alive = "{\"status\":\"alive\"}\n"u8.ToArray();
    private static readonly byte[] NotFound =
        "{\"error\":\"There is nothing here\",\"reason\":\"not_found\"}\n"u8.ToArray();
    private static readonly byte[] WrongMethod =
        "{\"error\":\"Only GET and HEAD are allowed here\",\"reason\":\"method_not_allowed\"}\n"u8.ToArray();

    private readonly Readiness _readiness = new(gateway);
    private readonly MetricsText _metrics = new(gateway);
    private readonly AdminApi _api = new(gateway);

    /// <inheritdoc/>
    public ValueTask<FailureKind> HandleAsync(Exchange exchange)
    {
        if (AdminApi.Owns(exchange.Request.Path))
            return _api.HandleAsync(exchange);
        if (NameOf(exchange.Request.Path) is not { } name)
            return LocalResponse.SendAsync(exchange, 404, Json, default, NotFound);
        if (exchange.Request.Method.Kind is not (MethodKind.Get or MethodKind.Head))
            return LocalResponse.SendAsync(exchange, 405, Json, "Allow: GET, HEAD\r\n"u8.ToArray(), WrongMethod);

        return name switch
        {
            "metrics" => SendMetricsAsync(exchange),
            "readyz" => SendReadinessAsync(exchange),
            _ => LocalResponse.SendAsync(exchange, 200, Json, default, Alive),
        };
    }

    /// <summary>
    /// What the configuration calls a path that a traffic listener may expose, too; null: it may not.
    /// </summary>
    public static string? NameOf(ReadOnlySpan<byte> path)
        => path.SequenceEqual("/healthz"u8) ? "healthz"
            : path.SequenceEqual("/readyz"u8) ? "readyz"
            : path.SequenceEqual("/metrics"u8) ? "metrics"
            : null;

    private ValueTask<FailureKind> SendReadinessAsync(Exchange exchange)
    {
        var obstacles = _readiness.Obstacles();
        var status = obstacles.Count == 0 ? 200 : 503;
        return LocalResponse.SendAsync(exchange, status, Json, default, Readiness.Describe(obstacles));
    }

    // Whoever moves this client's bytes moves those of others, who must not wait while counters are summed.
    private async ValueTask<FailureKind> SendMetricsAsync(Exchange exchange)
    {
        using var content = new PagedContent();
        await Task.Run(() => _metrics.Write(new MetricsPage(content)));
        return await LocalResponse.SendPiecesAsync(exchange, 200, MetricsPage.ContentType, default, content.Content);
    }
}
