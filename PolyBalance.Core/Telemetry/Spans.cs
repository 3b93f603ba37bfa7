using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace PolyBalance.Telemetry;

/// <summary>
/// The spans of a trace: one of kind server for an exchange, one of kind client for each attempt. What they say follows
/// the semantic conventions of OpenTelemetry for HTTP.
/// </summary>
/// <remarks>
/// Any thread. Only exchanges that are recorded come here, and only here memory is allocated for them. Whoever listens
/// to <see cref="SpanSource"/> decides what becomes of the spans; when nobody does there are none.
/// </remarks>
internal static class Spans
{
    // Known methods (RFC 9110 §9.1, RFC 5789). Anybody can make up others, and the names of spans must be few.
    private static readonly string[] Methods =
        ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

    private static readonly ActivitySource Source = new(SpanSource.Name);

    /// <summary>Begins the span of an exchange; null: nobody listens.</summary>
    /// <param name="method">The method as sent.</param>
    /// <param name="parent">Where the request comes from; default: a trace begins here.</param>
    /// <param name="started">When the first byte of the request head was there.</param>
    public static Activity? BeginExchange(ReadOnlySpan<byte> method, ActivityContext parent, DateTimeOffset started)
        => Begin(NameOf(method), ActivityKind.Server, parent, started);

    /// <summary>Ends the span of an exchange.</summary>
    /// <param name="span">The span.</param>
    /// <param name="exchange">What happened.</param>
    /// <param name="facts">What the record does not say.</param>
    public static void EndExchange(Activity span, in ExchangeRecord exchange, in ExchangeSpanFacts facts)
    {
        var target = SpanTarget.Of(exchange.Target.Span);
        AddMethod(span, exchange.Method.Span);
        Add(span, "url.path", target.Path);
        Add(span, "url.query", target.Query);
        span.SetTag("url.scheme", facts.IsTls ? "https" : "http");
        AddHost(span, SpanTarget.Text(exchange.Host.Span), facts.IsTls ? 443 : 80);
        Add(span, "client.address", exchange.ClientAddress);
        AddPeer(span, facts.Peer);
        span.SetTag("network.protocol.version", exchange.IsHttp10 ? "1.0" : "1.1");
        Add(span, "user_agent.original", SpanTarget.Text(exchange.UserAgent.Span));
        Add(span, "polybalance.request_id", SpanTarget.Text(exchange.RequestId.Span));
        Add(span, "polybalance.cluster", exchange.Cluster);
        Add(span, "polybalance.backend", exchange.Backend);
        Add(span, "polybalance.route", facts.Route);
        span.SetTag("polybalance.attempts", exchange.Attempts);
        Add(span, "polybalance.phase", exchange.FailedPhase);
        if (facts.RoutePattern.Length > 0)
        {
            span.SetTag("http.route", facts.RoutePattern);
            span.DisplayName = $"{span.OperationName} {facts.RoutePattern}";
        }

        // What is the client's fault is no error of the gateway's.
        AddOutcome(
            span, facts.StatusSent, exchange.Reason,
            isError: facts.StatusSent >= 500 || exchange.Side is "backend" or "gateway");
        End(span, exchange.Duration);
    }

    /// <summary>Begins the span of an attempt; null: nobody listens.</summary>
    /// <param name="exchange">The span of its exchange.</param>
    /// <param name="facts">What is known of the attempt by now.</param>
    /// <param name="started">When the backend was picked.</param>
    public static Activity? BeginAttempt(Activity exchange, in AttemptSpanFacts facts, DateTimeOffset started)
    {
        if (Begin(exchange.OperationName, ActivityKind.Client, exchange.Context, started) is not { } span)
            return null;

        AddMethod(span, facts.Method.Span);
        Add(span, "server.address", facts.Host);
        if (facts.Port > 0)
        {
            span.SetTag("server.port", facts.Port);
            var target = SpanTarget.Of(facts.Target.Span);
            var query = target.Query.Length > 0 ? $"?{target.Query}" : "";
            span.SetTag("url.full", $"http://{facts.Address}{target.Path}{query}");
        }

        if (facts.Number > 1)
            span.SetTag("http.request.resend_count", facts.Number - 1);
        span.SetTag("polybalance.cluster", facts.Cluster);
        span.SetTag("polybalance.backend", facts.Backend);
        return span;
    }

    /// <summary>The attempt has a connection, to this address.</summary>
    public static void AddPeer(Activity span, EndPoint? peer)
    {
        if (peer is not IPEndPoint { Address: var address, Port: var port })
            return;

        span.SetTag("network.peer.address", (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString());
        span.SetTag("network.peer.port", port);
    }

    /// <summary>Ends the span of an attempt.</summary>
    /// <param name="span">The span.</param>
    /// <param name="attempt">What happened.</param>
    public static void EndAttempt(Activity span, in AttemptRecord attempt)
    {
        span.SetTag("network.protocol.version", "1.1");
        span.SetTag("polybalance.connection.reused", attempt.IsReused);
        span.SetTag("polybalance.connection.wait", attempt.Connect.TotalSeconds);
        AddOutcome(span, attempt.Status, attempt.Reason, isError: attempt.Status >= 400 || attempt.Reason.Length > 0);
        End(span, attempt.Duration);
    }

    // A span is never the current one: what else runs on this thread has nothing to do with it.
    private static Activity? Begin(string name, ActivityKind kind, ActivityContext parent, DateTimeOffset started)
    {
        Activity.Current = null;
        var span = Source.StartActivity(name, kind, parent, startTime: started);
        Activity.Current = null;
        return span;
    }

    // As long as the record says, to the tick, whatever has become of the wall clock meanwhile.
    private static void End(Activity span, TimeSpan duration)
    {
        // No length at all would be taken for one that is not known yet.
        span.SetEndTime(span.StartTimeUtc.AddTicks(Math.Max(duration.Ticks, 1)));
        span.Stop();
        Activity.Current = null;
    }

    private static string NameOf(ReadOnlySpan<byte> method) => KnownMethod(method) ?? "HTTP";

    private static string? KnownMethod(ReadOnlySpan<byte> method)
    {
        foreach (var known in Methods)
        {
            if (System.Text.Ascii.Equals(method, known))
                return known;
        }

        return null;
    }

    private static void AddMethod(Activity span, ReadOnlySpan<byte> method)
    {
        var known = KnownMethod(method);
        span.SetTag("http.request.method", known ?? "_OTHER");
        if (known is null)
            Add(span, "http.request.method_original", SpanTarget.Text(method));
    }

    private static void AddHost(Activity span, string host, int usualPort)
    {
        if (host.Length == 0)
            return;

        var colon = host.LastIndexOf(':');
        var hasPort = colon > host.LastIndexOf(']');
        Add(span, "server.address", (hasPort ? host[..colon] : host).Trim('[', ']'));
        span.SetTag(
            "server.port",
            hasPort && int.TryParse(host.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port)
                ? port
                : usualPort);
    }

    private static void AddOutcome(Activity span, int status, string reason, bool isError)
    {
        if (status > 0)
            span.SetTag("http.response.status_code", status);
        if (reason.Length > 0)
            span.SetTag("error.type", reason);
        else if (isError)
            span.SetTag("error.type", status.ToString(CultureInfo.InvariantCulture));
        if (isError)
            span.SetStatus(ActivityStatusCode.Error);
    }

    private static void Add(Activity span, string name, string value)
    {
        if (value.Length > 0)
            span.SetTag(name, value);
    }
}

/// <summary>What the span of an exchange says beyond its record.</summary>
/// <param name="IsTls">Whether the client spoke TLS to us.</param>
/// <param name="Peer">Who is at the other end of the client's connection.</param>
/// <param name="Route">What operators call the route; empty: there was none.</param>
/// <param name="RoutePattern">What paths the route stands for; empty: there was no route.</param>
/// <param name="StatusSent">The status that the client got; 0: none.</param>
internal readonly record struct ExchangeSpanFacts(
    bool IsTls, EndPoint? Peer, string Route, string RoutePattern, int StatusSent);

/// <summary>What the span of an attempt says from its beginning on.</summary>
/// <param name="Method">The method as sent.</param>
/// <param name="Target">The request target as sent.</param>
/// <param name="Number">Counts the attempts of an exchange, from 1.</param>
/// <param name="Cluster">Where the backend belongs.</param>
/// <param name="Backend">Its name.</param>
/// <param name="Address">Its address, as records have it.</param>
/// <param name="Host">Host of the address; the path of a Unix socket.</param>
/// <param name="Port">Port of the address; 0 of a Unix socket.</param>
internal readonly record struct AttemptSpanFacts(
    ReadOnlyMemory<byte> Method, ReadOnlyMemory<byte> Target, int Number, string Cluster, string Backend,
    string Address, string Host, int Port);
