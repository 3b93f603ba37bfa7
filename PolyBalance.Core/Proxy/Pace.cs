using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>
/// Paces a request body: the client may pause for so long, and must not be slower than a minimal rate.
/// </summary>
/// <remarks>
/// While we wait for the client, the backend's time to answer stands still; it starts anew whenever the backend has
/// taken something. Used by the upload's flow; <see cref="ContinueSent"/> comes from the exchange's flow.
/// </remarks>
internal sealed class RequestPace : IBodyPace
{
    private Exchange _exchange = null!;
    private Connection _backend = null!;
    private long _responseTimeout;
    private long _waited;
    private long _waitStarted;
    private volatile bool _awaitsContinue;
    private volatile bool _isWaiting;

    /// <summary>Whether the client is waited for now, and not for 100 (Continue). Any thread.</summary>
    public bool IsWaiting => _isWaiting && !_awaitsContinue;

    /// <summary>
    /// How long the client was waited for in this attempt, in heartbeat ticks; from then on nothing. For whoever knows
    /// that the upload is over.
    /// </summary>
    public long TakeClientWait()
    {
        var waited = _waited;
        _waited = 0;
        return waited;
    }

    /// <summary>Starts pacing one attempt.</summary>
    /// <param name="exchange">Whose request.</param>
    /// <param name="backend">Whose time to answer is kept.</param>
    /// <param name="responseTimeout">That time, in heartbeat ticks.</param>
    /// <param name="now">In heartbeat time.</param>
    public void Begin(Exchange exchange, Connection backend, long responseTimeout, long now)
    {
        _exchange = exchange;
        _backend = backend;
        _responseTimeout = responseTimeout;
        _waited = 0;
        _isWaiting = false;
        _awaitsContinue = exchange.Request.ExpectsContinue;
        backend.ReadDeadline = exchange.Bound(now + responseTimeout);
    }

    /// <summary>100 (Continue) went to the client: from now on it is the client that we wait for.</summary>
    public void ContinueSent()
    {
        if (!_awaitsContinue)
            return;

        _awaitsContinue = false;
        var connection = _exchange.Connection;
        connection.ReadDeadline = _exchange.Client.Heartbeat.Now + _exchange.Client.Rules.BodyIdleTimeout;
        _backend.ReadDeadline = _exchange.Bound(Heartbeat.Unbounded);
    }

    /// <inheritdoc/>
    public long BeforeWait()
    {
        _waitStarted = _exchange.Client.Heartbeat.Now;
        _isWaiting = true;
        // A client that waits for 100 (Continue) is not slow: the backend is (RFC 9110 §10.1.1).
        if (_awaitsContinue)
            return Heartbeat.Unbounded;

        _backend.ReadDeadline = _exchange.Bound(Heartbeat.Unbounded);
        var rules = _exchange.Client.Rules;
        var earned = rules.BodyRateGrace + _exchange.Upload.ContentBytes * rules.TicksPerByteMax;
        return _waitStarted + Math.Min(rules.BodyIdleTimeout, Math.Max(earned - _waited, 0));
    }

    /// <inheritdoc/>
    public void AfterWait()
    {
        _isWaiting = false;
        _awaitsContinue = false;
        var now = _exchange.Client.Heartbeat.Now;
        _waited += now - _waitStarted;
        _exchange.Connection.ReadDeadline = Heartbeat.Unbounded;
        _backend.ReadDeadline = _exchange.Bound(now + _responseTimeout);
    }

    /// <inheritdoc/>
    public void BeforeSend()
    {
    }

    /// <inheritdoc/>
    public void AfterSend()
        => _backend.ReadDeadline = _exchange.Bound(_exchange.Client.Heartbeat.Now + _responseTimeout);

    /// <inheritdoc/>
    public void Ended(PumpEnd end)
    {
        var client = _exchange.Client;
        client.Connection.IsIdle = true;
        if (end == PumpEnd.Complete)
            client.Connection.Watch(client);

        // The backend may have answered before it stopped reading; after anything else it will never see a whole
        // request.
        if (end is not (PumpEnd.Complete or PumpEnd.SinkFailed))
            _backend.Abort(CloseReason.Aborted);
        else if (_exchange.RequestFraming.Kind != BodyKind.None)
            AfterSend();
    }
}

/// <summary>
/// Paces a response body: the backend may pause for so long. Time that a slow client takes is not the backend's.
/// </summary>
internal sealed class ResponsePace : IBodyPace
{
    private Exchange _exchange = null!;
    private Connection _backend = null!;
    private long _idleTimeout;

    /// <summary>Starts pacing one response, whose head is there.</summary>
    public void Begin(Exchange exchange, Connection backend, long idleTimeout)
    {
        _exchange = exchange;
        _backend = backend;
        _idleTimeout = idleTimeout;
        AfterWait();
    }

    /// <inheritdoc/>
    public long BeforeWait()
    {
        _exchange.BeginWait(WaitKind.Content);
        return _exchange.Bound(_exchange.Client.Heartbeat.Now + _idleTimeout);
    }

    /// <inheritdoc/>
    public void AfterWait()
    {
        _exchange.EndWait();
        _backend.ReadDeadline = _exchange.Bound(Heartbeat.Unbounded);
    }

    /// <inheritdoc/>
    public void BeforeSend() => _exchange.BeginWait(WaitKind.Client);

    /// <inheritdoc/>
    public void AfterSend() => _exchange.EndWait();

    /// <inheritdoc/>
    public void Ended(PumpEnd end) => _exchange.EndWait();
}
