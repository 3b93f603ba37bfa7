namespace PolyBalance.Telemetry;

/// <summary>What became of a sticky session in one exchange.</summary>
public enum SessionResult
{
    /// <summary>The cluster has no sticky sessions, or no backend's response has begun.</summary>
    None,

    /// <summary>The session's backend has answered, and the cookie stays.</summary>
    Hit,

    /// <summary>The session's backend has answered, with a new cookie: half of the old one's time was over.</summary>
    Renewed,

    /// <summary>The request carried no session.</summary>
    New,

    /// <summary>Another backend than the session's has answered.</summary>
    Moved,

    /// <summary>
    /// The request carried cookies that do not count: forged, expired, foreign, or of a backend that is gone.
    /// </summary>
    Invalid,
}

/// <summary>How far an exchange came: what it was at when it ended.</summary>
public enum ExchangePhase
{
    /// <summary>The request head was read.</summary>
    Head,

    /// <summary>A route and a backend were chosen, or a place at a backend was waited for.</summary>
    Select,

    /// <summary>A connection to the backend was taken or established.</summary>
    Connect,

    /// <summary>The request's content was on its way, and no final response had begun.</summary>
    RequestContent,

    /// <summary>The whole request was there, and no final response had begun.</summary>
    Response,

    /// <summary>The response's content was on its way.</summary>
    ResponseContent,

    /// <summary>Both sides spoke another protocol, after 101.</summary>
    Tunnel,
}

/// <summary>
/// Where the time of an exchange went, all attempts together. What is left of its duration is the way of the response's
/// content from the backend.
/// </summary>
/// <param name="Queue">For a place at a backend.</param>
/// <param name="Connect">For connections to backends.</param>
/// <param name="FirstByte">For backends, until the final response began.</param>
/// <param name="Client">For the client: its head, its content, and until it took bytes of the response.</param>
/// <param name="Overhead">When nobody was waited for: what the gateway itself added.</param>
public readonly record struct ExchangeTiming(
    TimeSpan Queue, TimeSpan Connect, TimeSpan FirstByte, TimeSpan Client, TimeSpan Overhead);

/// <summary>One finished exchange, completed once: access log, metrics and spans are views of this value.</summary>
/// <remarks>
/// The <see cref="ReadOnlyMemory{T}"/> members are ASCII (field values: opaque bytes) and lent for the duration of
/// <see cref="IExchangeSink.Record"/> only.
/// </remarks>
public readonly record struct ExchangeRecord
{
    /// <summary>When the first byte of the request head was there.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>From the first byte of the request head to the last byte of the response.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>
    /// From the first byte of the request head to the final response head of the backend; zero when there was none.
    /// </summary>
    public TimeSpan TimeToFirstByte { get; init; }

    /// <summary>Where the time went.</summary>
    public ExchangeTiming Timing { get; init; }

    /// <summary>The client's address without port; the one a trusted proxy names, when the peer is one.</summary>
    public string ClientAddress { get; init; }

    /// <summary>The method as sent; empty when the request line was unreadable.</summary>
    public ReadOnlyMemory<byte> Method { get; init; }

    /// <summary>The request target as sent, with its query; empty when the request line was unreadable.</summary>
    public ReadOnlyMemory<byte> Target { get; init; }

    /// <summary>The Host that was asked for; empty when there was none.</summary>
    public ReadOnlyMemory<byte> Host { get; init; }

    /// <summary>The Referer field of the request; empty when there was none.</summary>
    public ReadOnlyMemory<byte> Referer { get; init; }

    /// <summary>The User-Agent field of the request; empty when there was none.</summary>
    public ReadOnlyMemory<byte> UserAgent { get; init; }

    /// <summary>Whether the client spoke HTTP/1.0; HTTP/1.1 otherwise.</summary>
    public bool IsHttp10 { get; init; }

    /// <summary>Name of the cluster, or an empty string when no route matched.</summary>
    public string Cluster { get; init; }

    /// <summary>Index of the route in the configuration, or -1 when none matched.</summary>
    public int Route { get; init; }

    /// <summary>Name of the backend of the last attempt, or an empty string when there was no attempt.</summary>
    public string Backend { get; init; }

    /// <summary>Address of the backend of the last attempt, or an empty string when there was no attempt.</summary>
    public string BackendAddress { get; init; }

    /// <summary>Status code sent to the client; 499 when it left before it had the whole response.</summary>
    public int Status { get; init; }

    /// <summary>Content received from the client, framing not counted. Unit: bytes.</summary>
    public long BytesIn { get; init; }

    /// <summary>Content sent to the client, framing not counted. Unit: bytes.</summary>
    public long BytesOut { get; init; }

    /// <summary>The request id that was forwarded and echoed.</summary>
    public ReadOnlyMemory<byte> RequestId { get; init; }

    /// <summary>The trace that it belongs to, 32 hexadecimal digits; empty when nobody traces.</summary>
    public ReadOnlyMemory<byte> TraceId { get; init; }

    /// <summary>How many backends were tried.</summary>
    public int Attempts { get; init; }

    /// <summary>Each attempt in its order; empty unless there was more than one or the only one failed.</summary>
    public ReadOnlyMemory<AttemptRecord> AttemptDetails { get; init; }

    /// <summary>What became of its sticky session.</summary>
    public SessionResult Session { get; init; }

    /// <summary>What failed, or <see cref="FailureKind.None"/>.</summary>
    public FailureKind Failure { get; init; }

    /// <summary>What the exchange was at when it ended.</summary>
    public ExchangePhase Phase { get; init; }

    /// <summary>The stable label of <see cref="Failure"/>, empty when nothing failed.</summary>
    public string Reason => PolyBalance.Failure.Of(Failure).Label;

    /// <summary>Who has to act: <c>client</c>, <c>backend</c> or <c>gateway</c>; empty when nothing failed.</summary>
    public string Side => PolyBalance.Failure.Of(Failure).SideLabel;

    /// <summary>The stable label of <see cref="Phase"/>, empty when nothing failed.</summary>
    public string FailedPhase => Failure == FailureKind.None ? "" : Phase switch
    {
        ExchangePhase.Head => "head",
        ExchangePhase.Select => "select",
        ExchangePhase.Connect => "connect",
        ExchangePhase.RequestContent => "request_content",
        ExchangePhase.Response => "response",
        ExchangePhase.ResponseContent => "response_content",
        _ => "tunnel",
    };
}

/// <summary>One try at one backend.</summary>
/// <param name="BackendAddress">Whom it was made at.</param>
/// <param name="Failure">How it failed, or <see cref="FailureKind.None"/>.</param>
/// <param name="Status">The backend's status code, 0 when it gave none.</param>
/// <param name="Duration">From picking the backend to the end of the attempt.</param>
public readonly record struct AttemptRecord(string BackendAddress, FailureKind Failure, int Status, TimeSpan Duration)
{
    /// <summary>How long a connection was waited for; zero when an idle one was there.</summary>
    public TimeSpan Connect { get; init; }

    /// <summary>From picking the backend to the head of its final response; zero when there was none.</summary>
    public TimeSpan FirstByte { get; init; }

    /// <summary>Whether its connection had carried an exchange before.</summary>
    public bool IsReused { get; init; }

    /// <summary>The stable label of <see cref="Failure"/>, empty when nothing failed.</summary>
    public string Reason => PolyBalance.Failure.Of(Failure).Label;
}
