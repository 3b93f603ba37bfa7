using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace PolyBalance.Transport.Linux;

/// <summary>One TCP or Unix socket that lives on an <see cref="EventLoop"/>.</summary>
/// <remarks>
/// The ring reports, through one operation for the whole life of the connection, whenever something has arrived. Then
/// it is received by a direct call, into the block that was used last and is still in the core's cache; a receive that
/// left room has emptied the socket, and no other is made before the next report. Sends are direct calls that do not
/// wait; only when the socket is full the ring waits for room. Whatever receives, begins an operation in the ring or
/// closes the socket runs on the loop's thread: other threads post it. A send, a shutdown and a look by another thread
/// happen there at once, and <see cref="_use"/> keeps the file descriptor open meanwhile.
/// </remarks>
internal sealed class RingConnection : Connection, IReceiver, ISender, ILoopMember
{
    private const byte ArrivalKind = 0;
    private const byte RoomKind = 1;
    private const byte CancelKind = 2;

    private readonly EventLoop _loop;
    private readonly int _file;
    private readonly bool _isUnix;
    private readonly Heartbeat _heartbeat;
    private readonly BlockPool _pool;
    private readonly DeadlineSlot _deadlines;
    private readonly ConnectionInput _input;
    private readonly ConnectionOutput _output;
    private SendProgress _sending;
    private FileUse _use;               // by other threads
    private RingRelay? _relay;          // where receives go instead of into blocks
    private int _number;
    private int _pending;               // operations in the ring
    private int _released;
    private TurnShare _share;
    private bool _wantsLarge;
    private bool _isWanted;             // a receive was asked for and nothing was there yet
    private bool _isReporting;          // arrivals are reported
    private bool _hasArrivals;          // something may be there
    private bool _hasEnd;               // everything that will ever come is there
    private bool _isAwaitingRoom;
    private bool _isClosing;            // nothing begins any more
    private bool _mustReset;

    /// <summary>Takes over a connected socket. Loop thread.</summary>
    public RingConnection(
        EventLoop loop, int file, EndPoint? remote, bool isUnix, Heartbeat heartbeat, BlockPool pool)
    {
        _loop = loop;
        _file = file;
        _isUnix = isUnix;
        _heartbeat = heartbeat;
        _pool = pool;
        RemoteEndPoint = remote;
        _deadlines = heartbeat.Register(this);
        _input = new(this, this, pool);
        _output = new(this, this, pool, heartbeat) { Deadlines = _deadlines };
        _number = loop.Enrol(this);
        loop.CountConnection(1);
    }

    /// <inheritdoc/>
    public override PipeReader Input => _input;

    /// <inheritdoc/>
    public override PipeWriter Output => _output;

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; }

    /// <inheritdoc/>
    public override int Lane => _loop.Index;

    /// <inheritdoc/>
    public override long ReadDeadline
    {
        get => _deadlines.Read;
        set => _deadlines.Read = value;
    }

    /// <inheritdoc/>
    public override long BytesSent => _output.BytesSent;

    /// <inheritdoc/>
    public override void Attach(in ReadOnlySequence<byte> content) => _output.Attach(content);

    /// <inheritdoc/>
    public override void Attach(ReadOnlyMemory<byte> content) => _output.Attach(content);

    /// <inheritdoc/>
    public override void Reread() => _input.Reread();

    /// <inheritdoc/>
    public override void Watch(IConnectionWatcher watcher) => _input.Watch(watcher);

    /// <inheritdoc/>
    public override void Unwatch() => _input.Unwatch();

    /// <inheritdoc/>
    public override Relay? TryOpenRelay(Connection sink)
    {
        var isPossible = _loop.IsCurrent && !_isClosing && sink is RingConnection other && other._loop == _loop;
        _relay = isPossible ? _loop.TryOpenRelay() : null;
        if (_relay is not null)
            _relay.Source = this;
        return _relay;
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> SendAsync(Relay relay) => _output.SendAsync(relay);

    /// <summary>Receives go into blocks again. Called by the relay.</summary>
    public void EndRelay() => _relay = null;

    /// <inheritdoc/>
    public override bool HasUnreportedInput()
    {
        if (_input.HasOutcome || !TryUse())
            return true;

        var happened = Libc.PollNow(_file, Libc.Readable);
        EndUse();
        return happened != 0;
    }

    /// <inheritdoc/>
    public override void ShutdownOutput()
    {
        if (!TryUse())
            return;

        Libc.Shutdown(_file, Libc.ShutdownSend);
        EndUse();
    }

    /// <inheritdoc/>
    bool IReceiver.TryReceive(bool large, bool idle, out Received received)
    {
        received = default;
        _wantsLarge = large;
        if (_loop.IsCurrent)
            return TryReceiveHere(out received);
        if (_loop.Post(static state => ((RingConnection)state!).ReceiveHere(), this))
            return false;

        received = new(null, CloseReason.Aborted);
        return true;
    }

    /// <inheritdoc/>
    void IReceiver.Resume(ConnectionInput input)
    {
        if (_loop.IsCurrent || !_loop.Post(static state => ((ConnectionInput)state!).Continue(), input))
            input.Continue();
    }

    /// <inheritdoc/>
    bool ISender.TrySend(List<ArraySegment<byte>> pieces, out Sent sent)
    {
        _sending = new(pieces);
        return TrySend(out sent);
    }

    /// <inheritdoc/>
    bool ISender.TryPass(Relay relay, out Sent sent)
    {
        _sending = new((RingRelay)relay);
        return TrySend(out sent);
    }

    /// <inheritdoc/>
    void ILoopMember.OnCompleted(byte kind, in Ring.Completion completion)
    {
        _pending--;
        switch (kind)
        {
            case ArrivalKind:
                OnArrival(completion);
                break;
            case RoomKind:
                OnRoom();
                break;
        }

        // The owner may have closed meanwhile, and left already.
        if (_isClosing && _pending == 0 && _number >= 0)
            Leave();
    }

    /// <inheritdoc/>
    void ILoopMember.OnLoopEnding() => Abort(CloseReason.ShutDown);

    /// <inheritdoc/>
    protected override void Release(bool abortive)
    {
        if (Interlocked.Exchange(ref _released, 1) == 1)
            return;

        _heartbeat.Release(_deadlines);
        _mustReset = abortive;
        if (_loop.IsCurrent || !_loop.Post(static state => ((RingConnection)state!).CloseHere(), this))
            CloseHere();
    }

    private void ReceiveHere()
    {
        if (TryReceiveHere(out var received))
            _input.OnReceived(received);
    }

    private void ReceiveIfWanted()
    {
        if (!_isWanted)
            return;

        _isWanted = false;
        ReceiveHere();
    }

    // False when nothing is there yet: the next arrival brings the outcome.
    private bool TryReceiveHere(out Received received)
    {
        received = new(null, CloseReason.Aborted);
        if (_isClosing)
            return true;
        if (_hasArrivals && _share.TryTake(_loop.Turn) && TryReceiveNow(out received))
            return true;

        _isWanted = true;
        if (!_isReporting)
            BeginReports();
        else if (_hasArrivals)
            _loop.Post(static state => ((RingConnection)state!).ReceiveIfWanted(), this);
        return false;
    }

    private void BeginReports()
    {
        ref var poll = ref _loop.Begin(Operation.Poll, _file, _number, ArrivalKind);
        poll.OperationFlags = Libc.Readable | Libc.PeerEnded;
        poll.Length = 1;        // IORING_POLL_ADD_MULTI: again and again, whenever more has arrived
        _isReporting = true;
        _pending++;
    }

    private void OnArrival(in Ring.Completion completion)
    {
        if (completion.HasMore)
            _pending++;
        else
            _isReporting = false;

        _hasArrivals = true;
        _hasEnd |= completion.Result < 0 || (completion.Result & Libc.AnyEnd) != 0;
        ReceiveIfWanted();
    }

    private bool TryReceiveNow(out Received received)
        => _relay is null ? TryReceiveIntoBlock(out received) : TryReceiveIntoRelay(_relay, out received);

    private bool TryReceiveIntoRelay(RingRelay relay, out Received received)
    {
        var count = relay.Fill(_file);
        var error = count < 0 ? Libc.LastError : 0;
        _hasArrivals = error != Libc.WouldBlock;
        var end = error == 0 ? CloseReason.PeerClosed : CloseReason.PeerReset;
        received = new(null, count > 0 ? CloseReason.None : end);
        return _hasArrivals;
    }

    private unsafe bool TryReceiveIntoBlock(out Received received)
    {
        var block = _wantsLarge ? _pool.RentLarge() : _pool.RentSmall();
        nint count;
        fixed (byte* start = block.Array)
            count = Libc.Receive(_file, start, block.Array.Length, Libc.DoNotWait);
        if (count > 0)
        {
            block.Fill((int)count);
            _hasArrivals = _hasEnd || block.Room == 0;
            received = new(block, CloseReason.None);
            return true;
        }

        var error = count < 0 ? Libc.LastError : 0;
        _pool.Return(block);
        _hasArrivals = error != Libc.WouldBlock;
        received = new(null, error == 0 ? CloseReason.PeerClosed : CloseReason.PeerReset);
        return _hasArrivals;
    }

    private void AwaitRoom()
    {
        if (_isClosing)
        {
            _output.OnSent(new(false, _sending.Taken));
            return;
        }

        _loop.Begin(Operation.Poll, _file, _number, RoomKind).OperationFlags = (uint)Libc.Writable;
        _isAwaitingRoom = true;
        _pending++;
    }

    private void OnRoom()
    {
        _isAwaitingRoom = false;
        if (TrySendNow(out var sent))
            _output.OnSent(sent);
        else
            AwaitRoom();
    }

    private bool TrySend(out Sent sent)
    {
        if (TrySendNow(out sent))
            return true;
        if (_loop.IsCurrent)
            AwaitRoom();
        else if (!_loop.Post(static state => ((RingConnection)state!).AwaitRoom(), this))
            return true;        // the loop has ended, and everything with it
        return false;
    }

    // False when the socket is full.
    private bool TrySendNow(out Sent sent)
    {
        sent = new(false, _sending.Taken);
        if (!TryUse())
            return true;

        var hasEnded = _sending.TryFinish(_file, out sent);
        EndUse();
        return hasEnded;
    }

    private void CloseHere()
    {
        if (_isClosing)
            return;

        _isClosing = true;
        if (_pending == 0)
        {
            Leave();
            return;
        }

        // A file that operations refer to stays open in the kernel whatever we do, so they end first. An orderly end
        // is told at once.
        if (!_mustReset)
            Libc.Shutdown(_file, Libc.ShutdownBoth);
        if (_isReporting)
            Cancel(ArrivalKind);
        if (_isAwaitingRoom)
            Cancel(RoomKind);
    }

    private void Cancel(byte kind)
    {
        _loop.Cancel(_number, kind, CancelKind);
        _pending++;
    }

    private void Leave()
    {
        _loop.Forget(_number);
        _loop.CountConnection(-1);
        _number = -1;

        // The last one closes: this thread, or another one that still uses the file descriptor.
        if (_use.Close())
            CloseFile();
    }

    // The loop's own thread closes, so what it uses cannot be closed under its hands.
    private bool TryUse()
    {
        if (Volatile.Read(ref _released) == 1)
            return false;
        if (_loop.IsCurrent)
            return true;

        return _use.TryBegin();
    }

    private void EndUse()
    {
        if (!_loop.IsCurrent && _use.End())
            CloseFile();
    }

    private void CloseFile()
    {
        if (_mustReset && !_isUnix)
            Libc.ResetOnClose(_file);
        _loop.CloseFile(_file);
    }
}
