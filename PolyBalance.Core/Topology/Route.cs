using System.Text;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;

namespace PolyBalance.Topology;

/// <summary>A host and a path that lead to a cluster. Immutable.</summary>
internal sealed class Route
{
    private readonly byte[] _host;          // exact name, or ".suffix" of a wildcard; empty matches every host
    private readonly bool _isWildcard;
    private readonly byte[] _path;          // without a slash at its end

    /// <summary>Prepares a route for matching.</summary>
    /// <param name="index">Its place in the configuration.</param>
    /// <param name="options">What the user wrote.</param>
    /// <param name="cluster">Where it leads.</param>
    /// <param name="requests">Counts its exchanges; null: from zero.</param>
    public Route(int index, RouteOptions options, Cluster cluster, RequestCounters? requests = null)
    {
        Label = LabelOf(options);
        Pattern = $"{options.Path.TrimEnd('/')}/*";
        Requests = requests ?? new();
        Index = index;
        Cluster = cluster;
        BodyBytesMax = options.MaxBody ?? long.MaxValue;
        var host = options.Host ?? "";
        _isWildcard = host.StartsWith("*.", StringComparison.Ordinal);
        _host = Encoding.ASCII.GetBytes(_isWildcard ? host[1..] : host);
        _path = Encoding.ASCII.GetBytes(options.Path.TrimEnd('/'));
    }

    /// <summary>Its place in the configuration, for records and explanations.</summary>
    public int Index { get; }

    /// <summary>Where it leads.</summary>
    public Cluster Cluster { get; }

    /// <summary>What operators call it: host and path, as they are written.</summary>
    public string Label { get; }

    /// <summary>What paths it stands for, in one word: <c>/v1/*</c>.</summary>
    public string Pattern { get; }

    /// <summary>
    /// Its finished exchanges; the same object in every snapshot that has a route of this label to the same cluster.
    /// </summary>
    public RequestCounters Requests { get; }

    /// <summary>Longest request content that it lets through. Unit: bytes.</summary>
    public long BodyBytesMax { get; }

    /// <summary>What operators call a route.</summary>
    public static string LabelOf(RouteOptions options) => $"{options.Host}{options.Path}";

    /// <summary>Whether a request takes this route.</summary>
    /// <param name="host">Host without port; any case.</param>
    /// <param name="path">Path part of the request target, undecoded.</param>
    public bool Matches(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path) => MatchesHost(host) && MatchesPath(path);

    /// <summary>What keeps a request from taking this route; null: nothing does.</summary>
    /// <param name="host">Host without port; any case.</param>
    /// <param name="path">Path part of the request target, undecoded.</param>
    public string? DifferenceFrom(ReadOnlySpan<byte> host, ReadOnlySpan<byte> path)
        => !MatchesHost(host) ? "it is for another host" : MatchesPath(path) ? null : "it is for another path";

    private bool MatchesHost(ReadOnlySpan<byte> host)
    {
        if (_host.Length == 0)
            return true;

        // "*.example.com" stands for what is before the suffix, and for at least one byte of it.
        return _isWildcard
            ? host.Length > _host.Length && System.Text.Ascii.EqualsIgnoreCase(host[^_host.Length..], _host)
            : System.Text.Ascii.EqualsIgnoreCase(host, _host);
    }

    // "/v1" and "/v1/" both stand for "/v1" and everything below it, and not for "/v10".
    private bool MatchesPath(ReadOnlySpan<byte> path)
        => _path.Length == 0
            || (path.StartsWith(_path) && (path.Length == _path.Length || path[_path.Length] == (byte)'/'));
}
