using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using PolyBalance.Backends;
using PolyBalance.Http;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>One client's sequence of exchanges: read a head, have it answered, go on or close. RFC 9112 §9.</summary>
/// <remarks>
/// <see cref="RunAsync"/> is the flow that owns everything here. <see cref="Drain"/>, <see cref="Abort"/> and the
/// watcher's report come from other threads. While a request is at a backend the client's connection is watched: a
/// client that leaves takes the attempt with it, by aborting the backend's connection (<c>_lease</c>, exchanged
/// atomically).
/// </remarks>
internal sealed class ClientConnection : IConnectionWatcher, IWaitingClient
{
    private static readonly object Gone = new();

    private readonly ListenerWiring _shared;
    private readonly long _number;
    private readonly IPAddress? _address;
    private object? _lease;             // the backend's connection in use, what is waited for instead, or Gone
    private Exchange? _exchange;        // rented with the first byte of a head
    private long _quietSince;           // in heartbeat time: when it came, or its last exchange ended
    private long _exchanges;
    private long _scanned;
    private volatile bool _isDraining;
    private bool _isInHead;             // the first byte of a head is there, the last is not
    private bool _canCloseNow = true;   // no part of a request is left unread

    /// <summary>Takes over a connection that a listener accepted.</summary>
    public ClientConnection(Connection connection, long number, ListenerWiring shared)
    {
        Connection = connection;
        _number = number;
        _shared = shared;
        _address = (connection.RemoteEndPoint as IPEndPoint)?.Address is { IsIPv4MappedToIPv6: true } mapped
            ? mapped.MapToIPv4()
            : (connection.RemoteEndPoint as IPEndPoint)?.Address;
        Address = _address?.ToString() ?? "";
        _quietSince = shared.Heartbeat.Now;
        IsTrusted = _address is not null && shared.Rules.Trusts(_address);
        Additions = new(Encoding.ASCII.GetBytes(Address), isTls: false, IsTrusted, addForwarded: false);
        connection.WriteTimeout = shared.Rules.WriteTimeout;
        connection.IsIdle = true;
    }

    /// <summary>The bytes.</summary>
    public Connection Connection { get; }

    /// <summary>The peer's IP address; empty on a Unix socket.</summary>
    public string Address { get; }

    /// <summary>Whether the peer is in <c>trusted_proxies</c>.</summary>
    public bool IsTrusted { get; }

    /// <summary>What forwarding adds to each of its requests.</summary>
    public RequestAdditions Additions { get; }

    /// <summary>Limits and timeouts of its listener.</summary>
    public ClientRules Rules => _shared.Rules;

    /// <summary>The clock.</summary>
    public Heartbeat Heartbeat => _shared.Heartbeat;

    /// <summary>Whether the next response has to say that it is the last.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Who its exchange waits for; null: nobody, or there is none. Any thread.</summary>
    public WaitKind? WaitsFor => _isInHead ? WaitKind.Client : _exchange?.WaitsFor;

    /// <summary>Serves the client until it leaves, errs, or is drained. Never throws.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await NextAsync())
            {
            }

            await CloseAsync();
        }
        catch (Exception exception)
        {
            Log.ExchangeFailed(_shared.Logger, exception);
            Connection.Abort(CloseReason.Aborted);
        }
        finally
        {
            Connection.Input.Complete();
            Connection.Output.Complete();
        }
    }

    /// <summary>Who a request comes from: the peer, or whom a trusted one names. Empty on a Unix socket.</summary>
    public string BelievedAddress(RequestHead request)
        => IsTrusted ? ForwardedClient.Find(request, _address!, Rules) : Address;

    /// <summary>Whether it came by the listener of this wiring. Any thread.</summary>
    public bool BelongsTo(ListenerWiring wiring) => ReferenceEquals(_shared, wiring);

    /// <summary>
    /// The next response is the last one and says so; an idle connection that has been quiet for a while ends now. Any
    /// thread.
    /// </summary>
    public void Drain()
    {
        _isDraining = true;
        Connection.Wake();
    }

    /// <summary>Ends the connection at once, whatever it does. Any thread.</summary>
    public void Abort(CloseReason reason) => Connection.Abort(reason);

    /// <summary>
    /// Notes which backend connection works for this client now. False when the client has left already.
    /// </summary>
    public bool TryUse(BackendConnection lease) => Interlocked.CompareExchange(ref _lease, lease, null) is null;

    /// <summary>
    /// Ends <see cref="TryUse"/>. False when the client left meanwhile, and the backend's connection was aborted.
    /// </summary>
    public bool TryRelease(BackendConnection lease)
        => ReferenceEquals(Interlocked.CompareExchange(ref _lease, null, lease), lease);

    /// <inheritdoc/>
    public bool TryWait(IWaiting waiting)
    {
        if (Interlocked.CompareExchange(ref _lease, waiting, null) is not null)
            return false;

        // While a part of the request is unread, the end of the input is not the news.
        if (_exchange is { State.IsRequestRead: true })
            Connection.Watch(this);
        return true;
    }

    /// <inheritdoc/>
    public bool TryEndWait(IWaiting waiting)
        => ReferenceEquals(Interlocked.CompareExchange(ref _lease, null, waiting), waiting);

    /// <inheritdoc/>
    void IConnectionWatcher.OnInput(bool ended)
    {
        // Bytes are the next request, which waits its turn.
        var lease = ended ? Interlocked.Exchange(ref _lease, Gone) : null;
        if (lease is BackendConnection connection)
            connection.Connection.Abort(CloseReason.Aborted);
        else if (lease is IWaiting waiting)
            waiting.Leave();
    }

    // One exchange. False when the connection should end.
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<bool> NextAsync()
    {
        // :: 3 read
        _scanned = 0;
        _isInHead = false;
        var failure = FailureKind.None;
        HeadSearchStatus status;
        do
        {
            if (!Connection.Input.TryRead(out var read))
            {
                if (!_isInHead)
                    Connection.ReadDeadline = _isDraining ? LastRequestDeadline : Heartbeat.Now + Rules.IdleTimeout;
                read = await Connection.Input.ReadAsync();
            }

            status = LookForHead(read, out failure);
            if (status == HeadSearchStatus.NeedMore && HasEnded(read, ref failure))
                status = HeadSearchStatus.Refused;
        }
        while (status == HeadSearchStatus.NeedMore);

        if (_exchange is not { } exchange)
            return false;       // left, idle for too long, or drained, between two exchanges

        Connection.ReadDeadline = Heartbeat.Unbounded;
        if (TryPrepare(exchange, ref failure))
            failure = await _shared.Handler.HandleAsync(exchange);
        else if (failure != FailureKind.ClientClosed)
            failure = await LocalResponse.RefuseAsync(exchange, failure);
        return Conclude(exchange, failure);
    }

    private bool Conclude(Exchange exchange, FailureKind failure)
    {
        // :: 15 record
        var duration = Heartbeat.ExactNow - exchange.Started;
        var (metrics, sink, trace) = (_shared.Metrics, _shared.Sink, exchange.Trace);
        if (metrics is not null)
            exchange.CountIn(metrics, failure, duration);
        var isFlight = metrics is not null
            && FlightRecorder.Wants(failure, exchange.Attempts, exchange.TimeToFirstByte);
        if (isFlight || sink is not null || trace is { IsRecorded: true })
        {
            var record = exchange.ToRecord(failure, BelievedAddress(exchange.Request), duration);
            if (isFlight)
                metrics!.Flights.Add(record);
            sink?.Record(record);
            trace?.End(exchange, record);
        }

        // :: 16 keep-alive. What the response has said counts, not what has come since: where it said nothing of an
        // end, the next request may be on its way already, and is answered although the gateway drains. RFC 9112 §9.6.
        Connection.Unwatch();
        var goesOn = exchange.State.CanReuseClient;
        _canCloseNow = exchange.State.IsRequestRead;
        _quietSince = Heartbeat.Now;
        _exchange = null;
        _shared.Exchanges.Return(exchange);
        return goesOn;
    }

    private HeadSearchStatus LookForHead(in ReadResult read, out FailureKind failure)
    {
        var bytes = read.Buffer;
        failure = FailureKind.None;
        if (bytes.IsEmpty)
            return HeadSearchStatus.NeedMore;

        // A lone CRLF, which old clients send after a body, begins no request: the client is still idle. RFC 9112 §2.2.
        if (bytes.Length <= 2 && _exchange is null && bytes.FirstSpan[0] == (byte)'\r' && !_isInHead)
        {
            Connection.Input.AdvanceTo(bytes.Start, bytes.End);
            return HeadSearchStatus.NeedMore;
        }

        var exchange = _exchange ??= Begin();
        var status = HeadParser.FindRequestEnd(bytes, ref _scanned, Rules.Head, out var length, out failure);
        if (status == HeadSearchStatus.Found)
        {
            // :: 4 parse
            if (_isInHead)
                exchange.NoteWait(WaitKind.Client, Heartbeat.Now - exchange.Started);
            _isInHead = false;
            exchange.Request.Take(bytes.Slice(0, length));
            Connection.Input.AdvanceTo(bytes.GetPosition(length));
            return HeadParser.TryParseRequest(exchange.Request, Rules.Head, out failure)
                ? HeadSearchStatus.Found
                : HeadSearchStatus.Refused;
        }

        Connection.Input.AdvanceTo(bytes.Start, bytes.End);
        if (!_isInHead)
        {
            _isInHead = true;
            Connection.ReadDeadline = exchange.Started + Rules.HeadTimeout;
        }

        return status;
    }

    private Exchange Begin()
    {
        var exchange = _shared.Exchanges.Get();
        exchange.Begin(this);
        exchange.Started = Heartbeat.Now;
        return exchange;
    }

    // Nothing complete is there, and nothing more will come, or not in time. True ends the search.
    private bool HasEnded(in ReadResult read, ref FailureKind failure)
    {
        if (read.IsCompleted)
            failure = FailureKind.ClientClosed;
        else if (read.IsCanceled && Connection.IsReadOverdue)
            failure = FailureKind.ClientHeadTimedOut;
        else if (_isDraining && !_isInHead && !MayStillAsk)
            failure = FailureKind.ShuttingDown;
        return failure != FailureKind.None;
    }

    // Until when a client that has just come, or was just answered, may send one request, although the connection is
    // to end.
    private long LastRequestDeadline => _quietSince + Rules.LastRequestTimeout;

    // A request may be under way, or there already: such a client would not know whether it may send it again. That is
    // the race of RFC 9112 §9.5; who has been quiet for a while loses it seldom, and §9.3.1 tells him what to do.
    private bool MayStillAsk
        => Heartbeat.Now < LastRequestDeadline || Connection.HasUnreportedInput();

    // False when the request cannot be handled, and `failure` says why.
    private bool TryPrepare(Exchange exchange, ref FailureKind failure)
    {
        var fields = exchange.Request.Fields;
        var isKept = IsTrusted && !fields.IsRepeated(KnownField.XRequestId)
            && exchange.Id.TryTake(fields.First(KnownField.XRequestId));
        if (!isKept)
            exchange.Id.Make(_number, _exchanges);
        _exchanges++;
        if (Rules.Trace is { } rules)
            exchange.BeginTrace(rules);

        // :: 5 frame
        if (failure != FailureKind.None || !BodyFraming.TryDecide(exchange.Request, out var framing, out failure))
            return false;

        exchange.RequestFraming = framing;
        exchange.State.RequestHeadReceived(exchange.Request.KeepAlive);
        if (framing is { Kind: BodyKind.None } or { Kind: BodyKind.Length, Length: 0 })
            exchange.State.RequestReceived();
        else
            Connection.IsIdle = false;
        return true;
    }

    // RFC 9112 §9.6: a close with unread input would reset the connection and might destroy our last response on its
    // way.
    private async ValueTask CloseAsync()
    {
        if (Connection.CloseReason != CloseReason.None)
        {
            Connection.Close();
            return;
        }

        if (!_canCloseNow || Connection.Input.TryRead(out _))
        {
            Connection.ShutdownOutput();
            await LingerAsync();
        }

        Connection.Close();
    }

    private async ValueTask LingerAsync()
    {
        var deadline = Heartbeat.Now + Rules.LingerTimeout;
        var left = (long)Limits.LingerBytesMax;
        Connection.IsIdle = true;
        while (left > 0 && Heartbeat.Now < deadline)
        {
            Connection.ReadDeadline = deadline;
            var read = await Connection.Input.ReadAsync();
            left -= read.Buffer.Length;
            Connection.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return;
        }
    }
}
