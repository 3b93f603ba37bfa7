using PolyBalance.Http;
using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>Answers what operators and probes ask of the gateway itself.</summary>
internal sealed class AdminHandler : IExchangeHandler
{
    private const string Json = "application/json";
    private static readonly byte[] Alive = "{\"status\":\"alive\"}\n"u8.ToArray();
    private static readonly byte[] NotFound =
        "{\"error\":\"There is nothing here\",\"reason\":\"not_found\"}\n"u8.ToArray();
    private static readonly byte[] WrongMethod =
        "{\"error\":\"Only GET and HEAD are allowed here\",\"reason\":\"method_not_allowed\"}\n"u8.ToArray();

    /// <inheritdoc/>
    public ValueTask<FailureKind> HandleAsync(Exchange exchange)
    {
        if (!IsKnown(exchange.Request.Path))
            return LocalResponse.SendAsync(exchange, 404, Json, default, NotFound);

        return exchange.Request.Method.Kind is MethodKind.Get or MethodKind.Head
            ? LocalResponse.SendAsync(exchange, 200, Json, default, Alive)
            : LocalResponse.SendAsync(exchange, 405, Json, "Allow: GET, HEAD\r\n"u8.ToArray(), WrongMethod);
    }

    /// <summary>Whether a path is one that a traffic listener may expose, too.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> path) => path.SequenceEqual("/healthz"u8);
}
