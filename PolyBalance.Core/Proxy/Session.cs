using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Telemetry;
using PolyBalance.Topology;

namespace PolyBalance.Proxy;

/// <summary>
/// Sessions that stay on one backend: whose a request is, where it goes first, and whether its response brings the
/// client a new cookie.
/// </summary>
/// <remarks>
/// On the exchange's flow; allocates nothing. Who keeps sessions is for <see cref="Backend.KeepsSessions"/> to say, who
/// gets new ones for <see cref="Eligibility"/>.
/// </remarks>
internal static class Session
{
    /// <summary>Finds out which session a request belongs to.</summary>
    public static void Recognize(Exchange exchange, StickyTable table)
        => exchange.Session = table.Find(exchange.Request.Fields, SecondsNow(exchange));

    /// <summary>The session's backend, when a first attempt may be made there; null: the session has none.</summary>
    public static Backend? HomeOf(Exchange exchange)
        => exchange.Session.Home is { KeepsSessions: true } home && exchange.Tried.IsEmpty ? home : null;

    /// <summary>
    /// Writes the cookie that the backend's final response takes along, and notes what has become of the session.
    /// </summary>
    /// <param name="exchange">Whose backend has answered.</param>
    /// <param name="line">Where a whole field line goes: <see cref="StickyTable.LineBytesMax"/> bytes.</param>
    /// <returns>Its length; 0 when the client keeps what it has.</returns>
    public static int WriteCookie(Exchange exchange, Span<byte> line)
    {
        if (exchange.Route is not { Cluster: { Sticky: { } table } cluster } || exchange.Backend is not { } backend)
            return 0;

        // Who has waited may have been placed at a backend that is newer than the snapshot of the exchange.
        var index = cluster.Backends.IndexOf(backend);
        if (index < 0)
            return 0;

        var takesNew = Eligibility.TakesNewSessions(cluster.Options.Backends[index], backend);
        var result = ResultOf(exchange.Session, backend);
        if (result == SessionResult.Renewed && !takesNew)
            result = SessionResult.Hit;
        exchange.SessionResult = result;
        return result == SessionResult.Hit || !takesNew
            ? 0
            : table.WriteLine(index, SecondsNow(exchange), exchange.Client.Additions.IsTls, line);
    }

    private static SessionResult ResultOf(in StickySession session, Backend answering) => session switch
    {
        { Home: null, WasRefused: true } => SessionResult.Invalid,
        { Home: null } => SessionResult.New,
        _ when !ReferenceEquals(session.Home, answering) => SessionResult.Moved,
        { IsDue: true } => SessionResult.Renewed,
        _ => SessionResult.Hit,
    };

    // All instances that share a key go by the same clock: the wall's.
    private static long SecondsNow(Exchange exchange)
    {
        var heartbeat = exchange.Client.Heartbeat;
        return heartbeat.UtcAt(heartbeat.Now).ToUnixTimeSeconds();
    }
}
