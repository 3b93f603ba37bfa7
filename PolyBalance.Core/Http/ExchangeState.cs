namespace PolyBalance.Http;

/// <summary>
/// How far one exchange has come on one connection, seen from the gateway: request half and response half.
/// </summary>
internal enum ExchangeProgress : byte
{
    /// <summary>Nothing of this exchange has passed, or no request head that could be understood.</summary>
    Idle,

    /// <summary>The request head has passed, its body is under way.</summary>
    RequestBody,

    /// <summary>The whole request has passed, and at most interim responses came back.</summary>
    AwaitingResponse,

    /// <summary>The final response began before the end of the request: both bodies are under way.</summary>
    BothBodies,

    /// <summary>The final response has passed, the end of the request has not.</summary>
    RequestLeftOver,

    /// <summary>The final response's body is under way.</summary>
    ResponseBody,

    /// <summary>Both messages have passed to their ends.</summary>
    Complete,

    /// <summary>The connection speaks another protocol now. RFC 9110 §7.8.</summary>
    Tunnel,

    /// <summary>The connection is gone, or carries nothing of use any more.</summary>
    Closed,
}

/// <summary>
/// How far an exchange has come on its client's connection and on its backend's, what is still possible, and whether
/// either connection can carry another exchange. Everything that decides persistence is here. RFC 9112 §9.3, §9.6.
/// </summary>
/// <remarks>
/// <para>
/// One table serves both connections, because both see the same: a request head, the request's end, a final
/// response head, the response's end. Every message has a head event and an end event, bodies of no length included.
/// </para>
/// <para>
/// An event that the table does not allow is a bug and throws <see cref="InvalidOperationException"/>. On a closed
/// connection every event is allowed and changes nothing: what was under way when a peer left may still be reported.
/// </para>
/// <para>
/// Owned by the exchange's flow; pumps return results and never touch it. <c>default</c> is the start of an exchange.
/// </para>
/// </remarks>
internal struct ExchangeState
{
    private bool _clientPersists;       // what the request asked for
    private bool _backendPersists;      // what the response allows
    private bool _isCloseAnnounced;     // what we told the client
    private bool _isForwarding;         // the client's final response is the backend's, not a local one
    private bool _isResponseReceived;
    private int _interims;

    private enum Passed : byte
    {
        RequestHead,
        RequestEnd,
        Interim,
        ResponseHead,
        ResponseEnd,
        Switch,
        Close,
    }

    /// <summary>How far the client's connection has come.</summary>
    public ExchangeProgress Client { get; private set; }

    /// <summary>How far the current attempt's connection has come.</summary>
    public ExchangeProgress Backend { get; private set; }

    /// <summary>
    /// No byte of a final response has gone to the client: a local response, or another attempt, is still possible.
    /// </summary>
    public readonly bool CanRefuse => Client
        is ExchangeProgress.Idle or ExchangeProgress.RequestBody or ExchangeProgress.AwaitingResponse;

    /// <summary>
    /// The client has part of a final response. If the rest does not come, only an abort tells the client so.
    /// RFC 9112 §8.
    /// </summary>
    public readonly bool MustAbortClient => Client
        is ExchangeProgress.BothBodies or ExchangeProgress.ResponseBody;

    /// <summary>
    /// The client's request has been read to its end: the next byte on its connection starts another request.
    /// </summary>
    public readonly bool IsRequestRead => Client
        is ExchangeProgress.AwaitingResponse or ExchangeProgress.ResponseBody or ExchangeProgress.Complete;

    /// <summary>Whether the current attempt's backend has sent an interim response.</summary>
    public readonly bool HasInterim => _interims > 0;

    /// <summary>The client's connection can carry another exchange.</summary>
    /// <remarks>
    /// True only when the request was read to its end (§9.3: otherwise the rest of its body would be taken for a
    /// request), the response was written to its end, and the response did not say <c>Connection: close</c>.
    /// </remarks>
    public readonly bool CanReuseClient => Client == ExchangeProgress.Complete && !_isCloseAnnounced;

    /// <summary>The backend's connection can carry another exchange.</summary>
    /// <remarks>
    /// True only when the request was sent to its end, the response was received to its end, its head lets the
    /// connection persist, and its body did not end with the connection. A tunnel never returns. When the backend
    /// sent more bytes than the response had, report <see cref="BackendClosed"/>: what they answer is unknown (§9.2).
    /// </remarks>
    public readonly bool CanReuseBackend => Backend == ExchangeProgress.Complete && _backendPersists;

    /// <summary>
    /// Whether the response that is about to be sent has to say <c>Connection: close</c>. Ask before writing its head,
    /// then pass the answer to <see cref="ResponseHeadSent"/>.
    /// </summary>
    /// <remarks>
    /// §9.3 and §9.6: the client asked for it (HTTP/1.1 with <c>close</c>, HTTP/1.0 without <c>keep-alive</c>), the
    /// body can only end with the connection, the process drains, or the request is not read to its end and we will
    /// not wait for it.
    /// </remarks>
    /// <param name="framing">The framing of the response towards the client.</param>
    /// <param name="isDraining">The process takes no further exchanges.</param>
    public readonly bool MustCloseClient(BodyFraming framing, bool isDraining)
        => !_clientPersists
            || isDraining
            || framing.Kind == BodyKind.UntilClose
            || Client != ExchangeProgress.AwaitingResponse;

    // The client's connection.

    /// <summary>A request head came from the client and was understood.</summary>
    /// <param name="keepAlive">What it asks for: <see cref="MessageHead.KeepAlive"/>.</param>
    public void RequestHeadReceived(bool keepAlive)
    {
        Client = After(Client, Passed.RequestHead);
        _clientPersists = keepAlive;
    }

    /// <summary>The request has been read to its end, trailer section included.</summary>
    public void RequestReceived() => Client = After(Client, Passed.RequestEnd);

    /// <summary>An interim response went to the client.</summary>
    public void InterimSent() => Client = After(Client, Passed.Interim);

    /// <summary>The head of the final response went to the client, be it a local response or the backend's.</summary>
    /// <param name="close">
    /// What the head said: the answer of <see cref="MustCloseClient"/>, or true for a reason of the caller's.
    /// </param>
    public void ResponseHeadSent(bool close)
    {
        Client = After(Client, Passed.ResponseHead);
        _isCloseAnnounced = close;
        _isForwarding = Backend is ExchangeProgress.BothBodies or ExchangeProgress.RequestLeftOver
            or ExchangeProgress.ResponseBody or ExchangeProgress.Complete;
    }

    /// <summary>The final response went to the client to its end, trailer section included.</summary>
    /// <exception cref="InvalidOperationException">
    /// A bug, among others when a backend's response was not received to its end: a response that was cut off
    /// must not look complete.
    /// </exception>
    public void ResponseSent()
    {
        if (_isForwarding && !_isResponseReceived && Client != ExchangeProgress.Closed)
            throw new InvalidOperationException("A response that was not received to its end cannot be ended.");

        Client = After(Client, Passed.ResponseEnd);
    }

    /// <summary>The client left, or its connection was aborted.</summary>
    public void ClientClosed() => Client = After(Client, Passed.Close);

    // The backend's connection.

    /// <summary>
    /// An attempt begins on a connection of its own; what became of the previous one no longer matters.
    /// </summary>
    public void AttemptStarted()
    {
        if (!CanRefuse || Client == ExchangeProgress.Idle)
            throw new InvalidOperationException($"No attempt may start when the client's side is {Client}.");

        Backend = ExchangeProgress.Idle;
        _backendPersists = false;
        _isResponseReceived = false;
        _interims = 0;
    }

    /// <summary>The request head went to the backend.</summary>
    public void RequestHeadSent() => Backend = After(Backend, Passed.RequestHead);

    /// <summary>The request went to the backend to its end, trailer section included.</summary>
    /// <exception cref="InvalidOperationException">
    /// A bug, among others when the client's request is not read to its end.
    /// </exception>
    public void RequestSent()
    {
        if (!IsRequestRead && Client != ExchangeProgress.Closed)
            throw new InvalidOperationException("A request that was not read to its end cannot be ended.");

        Backend = After(Backend, Passed.RequestEnd);
    }

    /// <summary>An interim response came from the backend.</summary>
    /// <returns>False when there are more of them than <see cref="Limits.InterimResponsesMax"/>.</returns>
    public bool InterimReceived()
    {
        Backend = After(Backend, Passed.Interim);
        return _interims++ < Limits.InterimResponsesMax;
    }

    /// <summary>The head of the final response came from the backend.</summary>
    /// <param name="keepAlive">
    /// What it allows: <see cref="MessageHead.KeepAlive"/>, which knows the backend's version.
    /// </param>
    /// <param name="framing">
    /// How the backend framed its body. A body that ends with the connection leaves none to reuse.
    /// </param>
    public void ResponseHeadReceived(bool keepAlive, BodyFraming framing)
    {
        if (Backend == ExchangeProgress.Idle)
            throw new InvalidOperationException("A response to a request that was not sent.");

        Backend = After(Backend, Passed.ResponseHead);
        _backendPersists = keepAlive && framing.Kind != BodyKind.UntilClose;
    }

    /// <summary>The final response came from the backend to its end, trailer section included.</summary>
    public void ResponseReceived()
    {
        Backend = After(Backend, Passed.ResponseEnd);
        _isResponseReceived = true;
    }

    /// <summary>The backend left, its connection was aborted, or it sent what nobody asked for.</summary>
    public void BackendClosed() => Backend = After(Backend, Passed.Close);

    // Both.

    /// <summary>101 went through: both connections are one tunnel from here on. RFC 9110 §7.8, §15.2.2.</summary>
    public void Switched()
    {
        Client = After(Client, Passed.Switch);
        Backend = After(Backend, Passed.Switch);
    }

#pragma warning disable format // a table, aligned by hand
    private static ExchangeProgress After(ExchangeProgress progress, Passed passed) => (progress, passed) switch
    {
        (_, Passed.Close)                                               => ExchangeProgress.Closed,
        (ExchangeProgress.Closed, _)                                    => ExchangeProgress.Closed,

        (ExchangeProgress.Idle, Passed.RequestHead)                     => ExchangeProgress.RequestBody,
        (ExchangeProgress.RequestBody, Passed.RequestEnd)               => ExchangeProgress.AwaitingResponse,
        (ExchangeProgress.BothBodies, Passed.RequestEnd)                => ExchangeProgress.ResponseBody,
        (ExchangeProgress.RequestLeftOver, Passed.RequestEnd)           => ExchangeProgress.Complete,

        (ExchangeProgress.RequestBody, Passed.Interim)                  => ExchangeProgress.RequestBody,
        (ExchangeProgress.AwaitingResponse, Passed.Interim)             => ExchangeProgress.AwaitingResponse,

        // A head that could not be understood is answered too; where its body would end is unknown.
        (ExchangeProgress.Idle, Passed.ResponseHead)                    => ExchangeProgress.BothBodies,
        (ExchangeProgress.RequestBody, Passed.ResponseHead)             => ExchangeProgress.BothBodies,
        (ExchangeProgress.AwaitingResponse, Passed.ResponseHead)        => ExchangeProgress.ResponseBody,
        (ExchangeProgress.BothBodies, Passed.ResponseEnd)               => ExchangeProgress.RequestLeftOver,
        (ExchangeProgress.ResponseBody, Passed.ResponseEnd)             => ExchangeProgress.Complete,

        (ExchangeProgress.AwaitingResponse, Passed.Switch)              => ExchangeProgress.Tunnel,
        _ => throw new InvalidOperationException($"{passed} is not possible when the connection is at {progress}."),
    };
#pragma warning restore format
}
