using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>
/// Lets a traffic listener answer what its <c>expose</c> names, and hands everything else to the proxy.
/// </summary>
internal sealed class ExposedPaths(IExchangeHandler admin, IExchangeHandler proxy) : IExchangeHandler
{
    /// <inheritdoc/>
    public ValueTask<FailureKind> HandleAsync(Exchange exchange)
        => AdminHandler.IsKnown(exchange.Request.Path) ? admin.HandleAsync(exchange) : proxy.HandleAsync(exchange);
}
