namespace PolyBalance.Proxy;

/// <summary>Answers exchanges: the proxy, and whatever PolyBalance answers itself.</summary>
internal interface IExchangeHandler
{
    /// <summary>
    /// Answers one exchange to its end. The request head has been read and understood; its body has not been touched.
    /// </summary>
    /// <returns>What failed; <see cref="FailureKind.None"/> when nothing did.</returns>
    ValueTask<FailureKind> HandleAsync(Exchange exchange);
}
