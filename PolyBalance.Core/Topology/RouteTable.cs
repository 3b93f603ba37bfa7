using System.Collections.Immutable;
using PolyBalance.Http;

namespace PolyBalance.Topology;

/// <summary>Where requests go: the first route that matches. Immutable.</summary>
internal sealed class RouteTable(ImmutableArray<Route> routes)
{
    /// <summary>The routes in the order of the file.</summary>
    public ImmutableArray<Route> Routes { get; } = routes;

    /// <summary>The first route that a request matches, or null.</summary>
    public Route? Match(RequestHead request)
    {
        var host = HostWithoutPort(request.Host);
        var path = request.Path;
        foreach (var route in Routes)
        {
            if (route.Matches(host, path))
                return route;
        }

        return null;
    }

    /// <summary>What keeps a request from taking one of the routes, were it the only one; null: nothing.</summary>
    public static string? DifferenceOf(Route route, RequestHead request)
        => route.DifferenceFrom(HostWithoutPort(request.Host), request.Path);

    // RFC 3986 §3.2: an IPv6 literal is in brackets, so a colon behind them, or without them, starts the port.
    private static ReadOnlySpan<byte> HostWithoutPort(ReadOnlySpan<byte> host)
    {
        var afterLiteral = host.LastIndexOf((byte)']') + 1;
        var colon = host[afterLiteral..].IndexOf((byte)':');
        return colon < 0 ? host : host[..(afterLiteral + colon)];
    }
}
