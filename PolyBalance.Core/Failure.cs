namespace PolyBalance;

/// <summary>Who has to change something before this can work.</summary>
internal enum Side : byte
{
    /// <summary>Whoever connected to us.</summary>
    Client,

    /// <summary>The address that we forward to.</summary>
    Backend,

    /// <summary>PolyBalance or its configuration.</summary>
    Proxy,
}

/// <summary>When another attempt may follow this failure. RFC 9110 §9.2.2, RFC 9112 §9.3.1.</summary>
internal enum RetryRule : byte
{
    /// <summary>No attempt can help.</summary>
    Never,

    /// <summary>No byte of the request left this process: any method may try again.</summary>
    Always,

    /// <summary>The backend may have acted on the request: only idempotent methods may try again.</summary>
    IfIdempotent,
}

/// <summary>Every way in which an exchange can fail. The order is that of <see cref="Failure.All"/>.</summary>
public enum FailureKind : byte
{
    /// <summary>Nothing failed.</summary>
    None,

    // What the client sent.

    /// <summary>The request line does not follow RFC 9112 §3.</summary>
    MalformedRequestLine,

    /// <summary>The request target is none of the four forms of RFC 9112 §3.2.</summary>
    MalformedTarget,

    /// <summary>A field line does not follow RFC 9112 §5.</summary>
    MalformedField,

    /// <summary>A line ends in LF without CR. RFC 9112 §2.2.</summary>
    BareLineFeed,

    /// <summary>An HTTP/1.1 request without Host. RFC 9112 §3.2.</summary>
    MissingHost,

    /// <summary>More than one Host field line. RFC 9112 §3.2.</summary>
    RepeatedHost,

    /// <summary>A Host that is no <c>host[:port]</c>. RFC 9110 §7.2.</summary>
    MalformedHost,

    /// <summary>The authority of an absolute-form target differs from Host. RFC 9112 §3.2.2.</summary>
    HostMismatch,

    /// <summary>Two statements about the length of one body. RFC 9112 §6.3.</summary>
    AmbiguousLength,

    /// <summary>A Content-Length that is no decimal number, or too large a one. RFC 9110 §8.6.</summary>
    InvalidContentLength,

    /// <summary>Transfer-Encoding whose last coding is not <c>chunked</c>. RFC 9112 §6.3 rule 4.</summary>
    ChunkedNotFinal,

    /// <summary>A transfer coding other than <c>chunked</c>. RFC 9112 §6.1.</summary>
    UnknownTransferCoding,

    /// <summary>A chunk that does not follow RFC 9112 §7.1.</summary>
    MalformedChunk,

    /// <summary>A trailer section that does not follow RFC 9112 §7.1.2.</summary>
    MalformedTrailer,

    /// <summary>An HTTP version that we do not speak. RFC 9110 §15.6.6.</summary>
    UnsupportedVersion,

    /// <summary>The head is longer than <c>limits.head</c>. RFC 6585 §5.</summary>
    HeadTooLarge,

    /// <summary>More field lines than <c>limits.fields</c>. RFC 6585 §5.</summary>
    TooManyFields,

    /// <summary>The request target is too long. RFC 9110 §15.5.15.</summary>
    TargetTooLong,

    /// <summary>The content is longer than the route's <c>max_body</c>. RFC 9110 §15.5.14.</summary>
    ContentTooLarge,

    /// <summary>An expectation other than <c>100-continue</c>. RFC 9110 §10.1.1.</summary>
    UnknownExpectation,

    /// <summary>CONNECT: a gateway is no tunnel to arbitrary hosts. RFC 9110 §9.3.6.</summary>
    ConnectNotSupported,

    /// <summary>The head did not arrive within <c>timeouts.client_header</c>.</summary>
    ClientHeadTimedOut,

    /// <summary>The body paused longer than <c>timeouts.client_body_idle</c>, or came too slowly.</summary>
    ClientBodyTimedOut,

    /// <summary>The client took none of the response for <c>timeouts.client_write</c>.</summary>
    ClientWriteTimedOut,

    /// <summary>The client left before the exchange was complete.</summary>
    ClientClosed,

    // What became of the backend.

    /// <summary>The backend's address refused the connection.</summary>
    ConnectRefused,

    /// <summary>The backend's address could not be reached, or its name not be resolved.</summary>
    ConnectFailed,

    /// <summary>No connection within <c>timeouts.connect</c>.</summary>
    ConnectTimedOut,

    /// <summary>A reused connection ended before any byte of a response.</summary>
    StaleConnection,

    /// <summary>A fresh connection ended before any byte of a response.</summary>
    BackendClosed,

    /// <summary>The backend's answer is not HTTP/1.1, or its length is ambiguous.</summary>
    MalformedResponse,

    /// <summary>No final response head within <c>timeouts.response</c>.</summary>
    ResponseTimedOut,

    /// <summary>The response paused longer than <c>timeouts.response_idle</c>.</summary>
    ResponseIdleTimedOut,

    /// <summary>The response ended before it was complete; what the client has of it is cut off visibly.</summary>
    ResponseTruncated,

    /// <summary>The whole exchange took longer than <c>timeouts.request</c>.</summary>
    RequestTimedOut,

    /// <summary>
    /// The backend answered with one of <c>retries.statuses</c>, and another one is asked. Never how an exchange ends.
    /// </summary>
    UnwantedStatus,

    // What PolyBalance could not do.

    /// <summary>No route matches the request.</summary>
    NoRoute,

    /// <summary>The cluster has no backend that may receive traffic.</summary>
    NoEligibleBackend,

    /// <summary>The backend has <c>pool.max_connections</c> connections in use.</summary>
    PoolExhausted,

    /// <summary>No backend had a place, and <c>queue.size</c> requests wait for one already.</summary>
    QueueFull,

    /// <summary>No backend had a place within <c>queue.timeout</c>, or, under lasting overload, soon enough.</summary>
    QueueTimedOut,

    /// <summary>No file descriptor is left for one more connection to a backend.</summary>
    FilesExhausted,

    /// <summary>More client connections than <c>limits.connections</c>, or than file descriptors for them.</summary>
    TooManyConnections,

    /// <summary>The drain deadline passed before the exchange was complete.</summary>
    ShuttingDown,

    /// <summary>A bug: an exception nobody expected.</summary>
    InternalError,
}

/// <summary>
/// One row per way an exchange can fail. Status code, blame, retry and label follow from the kind and from nothing
/// else.
/// </summary>
/// <param name="Kind">What happened.</param>
/// <param name="Side">Who has to act.</param>
/// <param name="Status">
/// Status code of the local response, or of the access record when no response is possible.
/// </param>
/// <param name="Retry">Whether another attempt may follow.</param>
/// <param name="Label">Stable name for logs, metrics and the JSON body's <c>reason</c>.</param>
/// <param name="Sentence">What an operator or a client is told. No period at the end.</param>
internal readonly record struct Failure(
    FailureKind Kind, Side Side, int Status, RetryRule Retry, string Label, string Sentence)
{
    private static readonly Failure[] Rows =
    [
        new(FailureKind.None, Side.Proxy, 0, RetryRule.Never, "", ""),

        Client(FailureKind.MalformedRequestLine, 400, "malformed_request_line", "The request line is malformed"),
        Client(FailureKind.MalformedTarget, 400, "malformed_target", "The request target is malformed"),
        Client(FailureKind.MalformedField, 400, "malformed_field", "A header field is malformed"),
        Client(FailureKind.BareLineFeed, 400, "bare_line_feed", "A line ends in LF without CR"),
        Client(FailureKind.MissingHost, 400, "missing_host", "An HTTP/1.1 request needs a Host field"),
        Client(FailureKind.RepeatedHost, 400, "repeated_host", "The request has more than one Host field"),
        Client(FailureKind.MalformedHost, 400, "malformed_host", "The Host field is malformed"),
        Client(FailureKind.HostMismatch, 400, "host_mismatch",
            "The request target and the Host field name different hosts"),
        Client(FailureKind.AmbiguousLength, 400, "ambiguous_length",
            "The length of the body is stated in more than one way"),
        Client(FailureKind.InvalidContentLength, 400, "invalid_content_length", "Content-Length is not a valid number"),
        Client(FailureKind.ChunkedNotFinal, 400, "chunked_not_final", "Transfer-Encoding does not end in chunked"),
        Client(FailureKind.UnknownTransferCoding, 501, "unknown_transfer_coding",
            "Only the chunked transfer coding is supported"),
        Client(FailureKind.MalformedChunk, 400, "malformed_chunk", "A chunk of the body is malformed"),
        Client(FailureKind.MalformedTrailer, 400, "malformed_trailer", "The trailer section is malformed"),
        Client(FailureKind.UnsupportedVersion, 505, "unsupported_version", "Only HTTP/1.1 and HTTP/1.0 are supported"),
        Client(FailureKind.HeadTooLarge, 431, "head_too_large", "The request head is too large"),
        Client(FailureKind.TooManyFields, 431, "too_many_fields", "The request has too many header fields"),
        Client(FailureKind.TargetTooLong, 414, "target_too_long", "The request target is too long"),
        Client(FailureKind.ContentTooLarge, 413, "content_too_large", "The request content is too large"),
        Client(FailureKind.UnknownExpectation, 417, "unknown_expectation",
            "Only the expectation 100-continue is supported"),
        Client(FailureKind.ConnectNotSupported, 501, "connect_not_supported", "CONNECT is not supported"),
        Client(FailureKind.ClientHeadTimedOut, 408, "client_head_timed_out", "The request head did not arrive in time"),
        Client(FailureKind.ClientBodyTimedOut, 408, "client_body_timed_out", "The request body did not arrive in time"),
        Client(FailureKind.ClientWriteTimedOut, 499, "client_write_timed_out",
            "The client stopped reading the response"),
        Client(FailureKind.ClientClosed, 499, "client_closed", "The client left before the exchange was complete"),

        Backend(FailureKind.ConnectRefused, 502, RetryRule.Always, "connect_refused",
            "The backend refused the connection"),
        Backend(FailureKind.ConnectFailed, 502, RetryRule.Always, "connect_failed", "The backend could not be reached"),
        Backend(FailureKind.ConnectTimedOut, 502, RetryRule.Always, "connect_timed_out",
            "The backend did not accept the connection in time"),
        Proxy(FailureKind.StaleConnection, 502, RetryRule.IfIdempotent, "stale_connection",
            "A reused connection to the backend was closed before it answered"),
        Backend(FailureKind.BackendClosed, 502, RetryRule.IfIdempotent, "backend_closed",
            "The backend closed the connection before it answered"),
        Backend(FailureKind.MalformedResponse, 502, RetryRule.IfIdempotent, "malformed_response",
            "The backend's answer is not valid HTTP"),
        Backend(FailureKind.ResponseTimedOut, 504, RetryRule.IfIdempotent, "response_timed_out",
            "The backend did not answer in time"),
        Backend(FailureKind.ResponseIdleTimedOut, 504, RetryRule.Never, "response_idle_timed_out",
            "The backend stopped in the middle of its answer"),
        Backend(FailureKind.ResponseTruncated, 502, RetryRule.Never, "response_truncated",
            "The backend's answer ended before it was complete"),
        Backend(FailureKind.RequestTimedOut, 504, RetryRule.Never, "request_timed_out", "The exchange took too long"),

        // The configuration does not want it; whether it speaks against the backend is for `ejection.statuses` to say.
        Proxy(FailureKind.UnwantedStatus, 502, RetryRule.IfIdempotent, "unwanted_status",
            "The backend answered with a status for which another one is asked"),

        new(FailureKind.NoRoute, Side.Client, 404, RetryRule.Never, "no_route", "No route matches this host and path"),
        Proxy(FailureKind.NoEligibleBackend, 503, RetryRule.Never, "no_eligible_backend",
            "No backend can receive this request now"),
        Proxy(FailureKind.PoolExhausted, 503, RetryRule.Always, "pool_exhausted",
            "Every connection to the backend is in use"),
        Proxy(FailureKind.QueueFull, 503, RetryRule.Never, "queue_full",
            "Every backend is busy, and too many requests wait already"),
        Proxy(FailureKind.QueueTimedOut, 503, RetryRule.Never, "queue_timed_out",
            "Every backend was busy for too long"),
        Proxy(FailureKind.FilesExhausted, 503, RetryRule.Always, "file_descriptors_exhausted",
            "The gateway has no file descriptor left for a connection to the backend"),
        Proxy(FailureKind.TooManyConnections, 503, RetryRule.Never, "too_many_connections",
            "The gateway has too many client connections"),
        Proxy(FailureKind.ShuttingDown, 503, RetryRule.Never, "shutting_down", "The gateway is shutting down"),
        Proxy(FailureKind.InternalError, 500, RetryRule.Never, "internal_error",
            "The gateway failed; its log says why"),
    ];

    /// <summary>What records call <see cref="Side"/>; empty when nothing failed.</summary>
    public string SideLabel => (Kind, Side) switch
    {
        (FailureKind.None, _) => "",
        (_, Side.Client) => "client",
        (_, Side.Backend) => "backend",
        _ => "gateway",
    };

    /// <summary>The rows in the order of <see cref="FailureKind"/>.</summary>
    public static ReadOnlySpan<Failure> All => Rows;

    /// <summary>The row of one kind.</summary>
    public static ref readonly Failure Of(FailureKind kind) => ref Rows[(int)kind];

    private static Failure Client(FailureKind kind, int status, string label, string sentence)
        => new(kind, Side.Client, status, RetryRule.Never, label, sentence);

    private static Failure Backend(FailureKind kind, int status, RetryRule retry, string label, string sentence)
        => new(kind, Side.Backend, status, retry, label, sentence);

    private static Failure Proxy(FailureKind kind, int status, RetryRule retry, string label, string sentence)
        => new(kind, Side.Proxy, status, retry, label, sentence);
}
