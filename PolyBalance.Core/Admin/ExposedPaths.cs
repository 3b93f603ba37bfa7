using PolyBalance.Configuration;
using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>
/// Lets a traffic listener answer what its <c>expose</c> names, and hands everything else to the proxy.
/// </summary>
internal sealed class ExposedPaths(EquatableArray<string> exposed, IExchangeHandler admin, IExchangeHandler proxy)
    : IExchangeHandler
{
    /// <inheritdoc/>
    public ValueTask<FailureKind> HandleAsync(Exchange exchange)
        => IsExposed(exchange.Request.Path) ? admin.HandleAsync(exchange) : proxy.HandleAsync(exchange);

    private bool IsExposed(ReadOnlySpan<byte> path)
    {
        if (AdminHandler.NameOf(path) is not { } name)
            return false;

        foreach (var one in exposed)
        {
            if (one == name)
                return true;
        }

        return false;
    }
}
