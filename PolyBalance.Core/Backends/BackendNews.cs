using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PolyBalance.Telemetry;

namespace PolyBalance.Backends;

/// <summary>Who hears of backends: handed down to each of them when it is made.</summary>
/// <param name="Logger">Where its ups and downs are told.</param>
/// <param name="RequestRefresh">
/// What is known of it has changed: have its cluster looked at. Any thread; neither waits nor allocates.
/// </param>
/// <param name="Metrics">What is counted for the gateway as a whole.</param>
internal sealed record BackendNews(ILogger Logger, Action RequestRefresh, GatewayMetrics Metrics)
{
    /// <summary>For backends that stand for themselves, as in tests.</summary>
    public static BackendNews ToNobody => new(NullLogger.Instance, static () => { }, new());
}
