using Microsoft.Extensions.ObjectPool;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Http;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>One request and its response: what both heads said, how far things have come, who was tried.</summary>
/// <remarks>
/// Pooled and reused; <see cref="TryReset"/> is the only reset. Owned by the flow of its
/// <see cref="ClientConnection"/>; the pump of the request body gets what it needs and returns a result, it never
/// writes here.
/// </remarks>
internal sealed class Exchange : IResettable
{
    private readonly Backend[] _tried = new Backend[Limits.AttemptsMax];
    private readonly AttemptRecord[] _attempts = new AttemptRecord[2 * Limits.AttemptsMax];
    private int _triedCount;
    private int _attemptCount;
    private long _connectNoted;         // of all attempts that are over, in heartbeat ticks
    private ExchangeTrace? _trace;      // kept for exchanges to come
    private bool _isReused;             // the connection of the current attempt
    private Waits _waits;

    /// <summary>How far both sides have come. A field, because it is a struct that changes.</summary>
    public ExchangeState State;

    /// <summary>Whose exchange it is.</summary>
    public ClientConnection Client { get; private set; } = null!;

    /// <summary>The client's bytes.</summary>
    public Connection Connection => Client.Connection;

    /// <summary>What was asked.</summary>
    public RequestHead Request { get; } = new();

    /// <summary>What the backend answered last.</summary>
    public ResponseHead Response { get; } = new();

    /// <summary>How the request body ends.</summary>
    public BodyFraming RequestFraming { get; set; }

    /// <summary>The request's content on its way to a backend.</summary>
    public BodyPump Upload { get; } = new();

    /// <summary>The response's content on its way to the client.</summary>
    public BodyPump Download { get; } = new();

    /// <summary>Paces the upload.</summary>
    public RequestPace RequestPace { get; } = new();

    /// <summary>Paces the download.</summary>
    public ResponsePace ResponsePace { get; } = new();

    /// <summary>The id that is forwarded, echoed and logged.</summary>
    public RequestId Id { get; } = new();

    /// <summary>Its place in a trace; null: nobody traces.</summary>
    public ExchangeTrace? Trace { get; private set; }

    /// <summary>What tells the backend of it; empty: nothing.</summary>
    public ReadOnlySpan<byte> TraceLine => Trace is { } trace ? trace.Line : default;

    /// <summary>When the first byte of the head was there, in heartbeat time.</summary>
    public long Started { get; set; }

    /// <summary>
    /// When the whole exchange must be over; <see cref="Heartbeat.Unbounded"/> when it may take its time.
    /// </summary>
    public long Deadline { get; set; } = Heartbeat.Unbounded;

    /// <summary>When the final response head was there, in heartbeat time; 0 before.</summary>
    public long FirstByte { get; set; }

    /// <summary>The route it took.</summary>
    public Route? Route { get; set; }

    /// <summary>The backend of the current or last attempt.</summary>
    public Backend? Backend { get; private set; }

    /// <summary>Hash of what it has in common with others that go to the same backend; 0 when there is none.</summary>
    public ulong AffinityKey { get; set; }

    /// <summary>The sticky session that the request belongs to.</summary>
    public StickySession Session { get; set; }

    /// <summary>What has become of it; <see cref="SessionResult.None"/> until a response begins.</summary>
    public SessionResult SessionResult { get; set; }

    /// <summary>Status code that the client got, 0 before.</summary>
    public int Status { get; set; }

    /// <summary>Content that a local response sent. Unit: bytes.</summary>
    public long LocalBytesOut { get; set; }

    /// <summary>Backends that were tried, for selectors.</summary>
    public ReadOnlySpan<Backend> Tried => _tried.AsSpan(0, _triedCount);

    /// <summary>The same, for whoever keeps them while the exchange waits.</summary>
    public ReadOnlyMemory<Backend> TriedMemory => _tried.AsMemory(0, _triedCount);

    /// <summary>Attempts made, resends on a fresh connection included.</summary>
    public int Attempts => _attemptCount;

    /// <summary>Whether no byte of the current attempt has left this process.</summary>
    public bool NothingSent { get; set; }

    /// <summary>What the exchange is at.</summary>
    public ExchangePhase Phase { get; set; }

    /// <summary>
    /// A place at another backend, taken while an answer was in hand that is not wanted; by default nobody.
    /// </summary>
    public Choice Next { get; set; }

    /// <summary>Attempts that failed because the backend did not answer in time.</summary>
    public int TimedOutAttempts { get; private set; }

    /// <summary>
    /// Whether the request may reach a backend twice. RFC 9110 §9.2.2; an Idempotency-Key promises the same.
    /// </summary>
    public bool IsRepeatable => Request.Method.IsIdempotent || Request.Fields.Has(KnownField.IdempotencyKey);

    /// <summary>Starts the exchange of a client.</summary>
    public void Begin(ClientConnection client) => Client = client;

    /// <summary>The head is there: finds its place in a trace.</summary>
    public void BeginTrace(TraceRules rules)
    {
        Trace = _trace ??= new();
        Trace.Begin(this, rules);
    }

    /// <summary>From here on somebody else has to do something first: <see cref="Waits.Begin"/>.</summary>
    public void BeginWait(WaitKind kind) => _waits.Begin(kind, Client.Heartbeat);

    /// <summary>Ends <see cref="BeginWait"/>, if it was called.</summary>
    public void EndWait() => _waits.End(Client.Heartbeat);

    /// <summary>
    /// Who is waited for now: the client, too, while its content is what the backend lacks. Null: nobody. Any thread;
    /// it may be over already.
    /// </summary>
    public WaitKind? WaitsFor
        => _waits.Current == WaitKind.FirstByte && RequestPace.IsWaiting ? WaitKind.Client : _waits.Current;

    /// <summary>So long nothing could be done, in heartbeat ticks.</summary>
    public void NoteWait(WaitKind kind, long ticks) => _waits.Add(kind, ticks);

    /// <summary>A backend is about to be tried, perhaps once more: nothing was sent or received yet.</summary>
    public void PrepareAttempt()
    {
        State.AttemptStarted();
        Response.Clear();
        NothingSent = true;
        _isReused = false;
        Phase = ExchangePhase.Connect;
    }

    /// <summary>The current attempt has a connection.</summary>
    public void NoteConnection(BackendConnection lease)
    {
        _isReused = lease.IsReused;
        Phase = ExchangePhase.Response;
        Trace?.NoteConnection(lease.Connection);
    }

    /// <summary>The final response of a backend begins: now, in heartbeat time.</summary>
    public void NoteFirstByte(ExchangePhase phase)
    {
        FirstByte = Client.Heartbeat.Now;
        Phase = phase;
        if (Upload.IsRead)
            NoteClientWait();
    }

    // So long as the client took for its content, it was not the backend that was waited for. The upload is over.
    private void NoteClientWait()
    {
        var waited = RequestPace.TakeClientWait();

        // But who waits for 100 (Continue) waits for the backend (RFC 9110 §10.1.1).
        if (!Request.ExpectsContinue)
            _waits.Move(WaitKind.FirstByte, WaitKind.Client, waited);
    }

    /// <summary>The earlier of a deadline and that of the whole exchange.</summary>
    public long Bound(long deadline) => Math.Min(deadline, Deadline);

    /// <summary>What selectors go by; <see cref="Tried"/> is left out.</summary>
    /// <remarks>A draw for every algorithm, although some need it rarely: so every pick can be done again.</remarks>
    public SelectionContext DrawContext()
        => new(AffinityKey, Client.Heartbeat.Now, (ulong)Random.Shared.NextInt64(), Tried);

    /// <summary>Hands <see cref="Next"/> over.</summary>
    public Choice TakeNext()
    {
        var next = Next;
        Next = default;
        return next;
    }

    /// <summary>A backend is about to be tried.</summary>
    public void BeginAttempt(Backend backend)
    {
        Backend = backend;
        if (_triedCount < _tried.Length)
            _tried[_triedCount++] = backend;
    }

    /// <summary>An attempt that began at <paramref name="started"/> (heartbeat time) is over.</summary>
    /// <returns>What its backend is to hear of it.</returns>
    public AttemptOutcome EndAttempt(Backend backend, FailureKind failure, long started)
    {
        var now = Client.Heartbeat.Now;
        var duration = Client.Heartbeat.Span(now - started);
        if (FirstByte == 0)
            NoteClientWait();
        else
            RequestPace.TakeClientWait();   // after an early answer: others were waited for at the same time
        if (failure == FailureKind.ResponseTimedOut)
            TimedOutAttempts++;
        var ended = Status == 101 ? FirstByte : now;
        var responseTime = FirstByte == 0 ? 0 : FirstByte - started;
        var attempt = new AttemptRecord(backend.Address, failure, Response.Status, duration)
        {
            Connect = Client.Heartbeat.Span(_waits[WaitKind.Connect] - _connectNoted),
            FirstByte = Client.Heartbeat.Span(responseTime),
            IsReused = _isReused,
        };
        Trace?.EndAttempt(attempt);
        if (_attemptCount < _attempts.Length)
            _attempts[_attemptCount++] = attempt;
        _connectNoted = _waits[WaitKind.Connect];
        if (failure == FailureKind.UnwantedStatus)
            FirstByte = 0;      // the client's is still to come
        else
            TakeNext().Withdraw();
        return new(failure, Response.Status, responseTime, now, ended - started);
    }

    /// <summary>Counts it, now that it is over.</summary>
    /// <param name="metrics">Where.</param>
    /// <param name="failure">How it ended.</param>
    /// <param name="duration">In heartbeat ticks.</param>
    public void CountIn(GatewayMetrics metrics, FailureKind failure, long duration)
    {
        // What a tunnel carries is no answer: only the way to it is measured.
        var measured = Status == 101 ? FirstByte - Started : duration;
        var heartbeat = Client.Heartbeat;
        metrics.Record(
            Route?.Requests, (int)Request.Method.Kind, StatusOf(failure), failure,
            heartbeat.Span(measured), OverheadOf(duration));
        if (SessionResult != SessionResult.None)
            metrics.Sessions.Add((int)SessionResult, 1);
    }

    /// <summary>How long the final response took to begin; zero when there was none.</summary>
    public TimeSpan TimeToFirstByte => FirstByte == 0 ? TimeSpan.Zero : Client.Heartbeat.Span(FirstByte - Started);

    private TimeSpan OverheadOf(long duration) => Client.Heartbeat.Span(Math.Max(duration - _waits.Total, 0));

    /// <summary>Where the time went.</summary>
    /// <param name="duration">From the first byte of the request head until now, in heartbeat ticks.</param>
    public ExchangeTiming TimingAt(long duration) => new(
        SpanOf(WaitKind.Queue), SpanOf(WaitKind.Connect), SpanOf(WaitKind.FirstByte), SpanOf(WaitKind.Client),
        OverheadOf(duration));

    private TimeSpan SpanOf(WaitKind kind) => Client.Heartbeat.Span(_waits[kind]);

    // Whether the request's content is all there, the upload knows first.
    private bool IsUploading
        => RequestFraming is { Kind: BodyKind.Chunked } or { Kind: BodyKind.Length, Length: > 0 } && !Upload.IsRead;

    /// <summary>The client is gone, or takes nothing more.</summary>
    /// <returns>Why: who ended its connection.</returns>
    public FailureKind LoseClient()
    {
        State.ClientClosed();
        return Connection.CloseReason switch
        {
            CloseReason.WriteTimedOut => FailureKind.ClientWriteTimedOut,
            CloseReason.ShutDown => FailureKind.ShuttingDown,
            _ => FailureKind.ClientClosed,
        };
    }

    /// <summary>What is to be recorded of it.</summary>
    /// <param name="failure">How it ended.</param>
    /// <param name="clientAddress">Whose it was.</param>
    /// <param name="duration">In heartbeat ticks.</param>
    public ExchangeRecord ToRecord(FailureKind failure, string clientAddress, long duration)
    {
        var heartbeat = Client.Heartbeat;
        var isPlain = _attemptCount == 0 || (_attemptCount == 1 && failure == FailureKind.None);
        return new()
        {
            Started = heartbeat.UtcAt(Started),
            Duration = heartbeat.Span(duration),
            TimeToFirstByte = TimeToFirstByte,
            Timing = TimingAt(duration),
            Phase = Phase == ExchangePhase.Response && IsUploading ? ExchangePhase.RequestContent : Phase,
            ClientAddress = clientAddress,
            Method = Request.MethodMemory,
            Target = Request.TargetMemory,
            Host = Request.HostMemory,
            Referer = Request.FieldMemory(KnownField.Referer),
            UserAgent = Request.FieldMemory(KnownField.UserAgent),
            IsHttp10 = Request.Version == ProtocolVersion.Http10,
            Cluster = Route?.Cluster.Name ?? "",
            Route = Route?.Index ?? -1,
            Backend = Backend?.Name ?? "",
            BackendAddress = Backend?.Address ?? "",
            Status = StatusOf(failure),
            BytesIn = Upload.ContentBytes,
            BytesOut = Download.ContentBytes + LocalBytesOut,
            RequestId = Id.Memory,
            TraceId = Trace is { } trace ? trace.Id : default,
            Attempts = _attemptCount,
            AttemptDetails = isPlain ? default : _attempts.AsMemory(0, _attemptCount),
            Session = SessionResult,
            Failure = failure,
        };
    }

    // A client that left got nothing of use, whatever it had begun to receive: 499, in the record only.
    private int StatusOf(FailureKind failure)
        => Status == 0 || failure == FailureKind.ClientClosed ? Failure.Of(failure).Status : Status;

    /// <inheritdoc/>
    public bool TryReset()
    {
        State = default;
        Client = null!;
        Request.Clear();
        Response.Clear();
        RequestFraming = default;
        Upload.Reset();
        Download.Reset();
        Id.Clear();
        Trace?.Clear();
        Trace = null;
        Deadline = Heartbeat.Unbounded;
        FirstByte = 0;
        Route = null;
        AffinityKey = 0;
        Session = default;
        SessionResult = SessionResult.None;
        Backend = null;
        Status = 0;
        LocalBytesOut = 0;
        _tried.AsSpan(0, _triedCount).Clear();
        _attempts.AsSpan(0, _attemptCount).Clear();
        _triedCount = _attemptCount = 0;
        NothingSent = false;
        TimedOutAttempts = 0;
        _waits = default;
        _connectNoted = 0;
        _isReused = false;
        Phase = ExchangePhase.Head;
        return true;
    }
}
