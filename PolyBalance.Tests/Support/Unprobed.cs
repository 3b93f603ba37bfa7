using PolyBalance.Configuration;

namespace PolyBalance.Tests.Support;

/// <summary>
/// Options as if every cluster had <c>health: off</c>, for tests whose backends answer nothing but what the test says.
/// </summary>
internal static class Unprobed
{
    /// <summary>The same options without probes.</summary>
    public static ProxyOptions From(ProxyOptions options) => options with
    {
        Clusters =
        [
            .. options.Clusters.Select(cluster => cluster with
            {
                Health = null,
                Backends = [.. cluster.Backends.Select(backend => backend with { Health = null })],
            }),
        ],
    };
}
