using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.InteropServices;

namespace PolyBalance.Transport.Linux;

/// <summary>One TCP or Unix socket that lives on an <see cref="EventLoop"/>.</summary>
/// <remarks>
/// Receives go through the ring, into a block that the kernel takes when bytes arrive. Sends are direct calls that do
/// not wait; only when the socket is full the ring waits for room. Whatever begins an operation in the ring or closes
/// the socket runs on the loop's thread: other threads post it. A send, a shutdown and a look by another thread happen
/// there at once, and <see cref="_users"/> keeps the file descriptor open meanwhile.
/// </remarks>
internal sealed class RingConnection : Connection, IReceiver, ISender, ILoopMember
{
    private const byte ReceiveKind = 0;
    private const byte RoomKind = 1;
    private const byte CancelKind = 2;
    private const int Closing = int.MinValue;

    private readonly EventLoop _loop;
    private readonly int _file;
    private readonly bool _isUnix;
    private readonly Heartbeat _heartbeat;
    private readonly DeadlineSlot _deadlines;
    private readonly ConnectionInput _input;
    private readonly ConnectionOutput _output;
    private List<ArraySegment<byte>> _pieces = null!;   // what the send that is pending has to send
    private int _piece;                                 // the first of them that is not sent whole
    private int _offset;                                // bytes of that one that are sent
    private long _taken;
    private int _number;
    private int _pending;               // operations in the ring
    private int _users;                 // other threads that use the file descriptor; negative: it is to be closed
    private int _released;
    private bool _wantsLarge;
    private bool _isReceiving;
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
        if (!_loop.IsCurrent && _loop.Post(static state => ((RingConnection)state!).ReceiveHere(), this))
            return false;
        if (TryBeginReceive())
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
        _pieces = pieces;
        _piece = _offset = 0;
        _taken = 0;
        if (TrySendNow(out sent))
            return true;
        if (_loop.IsCurrent)
            AwaitRoom();
        else if (!_loop.Post(static state => ((RingConnection)state!).AwaitRoom(), this))
            return true;        // the loop has ended, and everything with it
        return false;
    }

    /// <inheritdoc/>
    void ILoopMember.OnCompleted(byte kind, in Ring.Completion completion)
    {
        _pending--;
        switch (kind)
        {
            case ReceiveKind:
                OnReceived(completion);
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
        if (!TryBeginReceive())
            _input.OnReceived(new(null, CloseReason.Aborted));
    }

    private bool TryBeginReceive()
    {
        if (_isClosing)
            return false;

        ref var receive = ref _loop.Begin(Operation.Receive, _file, _number, ReceiveKind);
        receive.Flags = SubmissionFlags.BufferSelect;
        receive.Options = 1;        // IORING_RECVSEND_POLL_FIRST: nothing is there yet, so do not try in vain
        receive.BufferGroup = (_wantsLarge ? _loop.Large : _loop.Small).Group;
        _isReceiving = true;
        _pending++;
        return true;
    }

    private void OnReceived(in Ring.Completion completion)
    {
        _isReceiving = false;
        var stock = _wantsLarge ? _loop.Large : _loop.Small;
        if (completion.Result > 0)
        {
            _input.OnReceived(new(stock.Take(completion.Buffer, completion.Result), CloseReason.None));
            return;
        }

        if (completion.HasBuffer)
            stock.PutBack(completion.Buffer);

        // More arrived in one turn than lay ready; meanwhile the stock is full again.
        if (completion.Result == -Libc.NoBuffers && TryBeginReceive())
            return;

        var reason = _isClosing ? CloseReason.Aborted
            : completion.Result == 0 ? CloseReason.PeerClosed
            : CloseReason.PeerReset;
        _input.OnReceived(new(null, reason));
    }

    private void AwaitRoom()
    {
        if (_isClosing)
        {
            _output.OnSent(new(false, _taken));
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

    // Sends until everything is sent, or nothing more can be; false when the socket is full.
    private bool TrySendNow(out Sent sent)
    {
        sent = new(false, _taken);
        if (!TryUse())
            return true;

        try
        {
            while (_piece < _pieces.Count)
            {
                var count = SendBatch.Send(_file, CollectionsMarshal.AsSpan(_pieces)[_piece..], _offset);
                if (count >= 0)
                    Advance(count);
                else if (Libc.LastError is var error && error == Libc.WouldBlock)
                    return false;
                else if (error != Libc.Interrupted)
                {
                    sent = new(false, _taken);
                    return true;
                }
            }
        }
        finally
        {
            EndUse();
        }

        sent = new(true, _taken);
        return true;
    }

    private void Advance(long count)
    {
        _taken += count;
        while (_piece < _pieces.Count)
        {
            var rest = _pieces[_piece].Count - _offset;
            if (count < rest)
            {
                _offset += (int)count;
                return;
            }

            count -= rest;
            _offset = 0;
            _piece++;
        }
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
        if (_isReceiving)
            Cancel(ReceiveKind);
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
        if (Interlocked.Add(ref _users, Closing) == Closing)
            CloseFile();
    }

    // The loop's own thread closes, so what it uses cannot be closed under its hands.
    private bool TryUse()
    {
        if (Volatile.Read(ref _released) == 1)
            return false;
        if (_loop.IsCurrent)
            return true;

        var users = Volatile.Read(ref _users);
        while (users >= 0)
        {
            var before = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (before == users)
                return true;
            users = before;
        }

        return false;
    }

    private void EndUse()
    {
        if (!_loop.IsCurrent && Interlocked.Decrement(ref _users) == Closing)
            CloseFile();
    }

    private void CloseFile()
    {
        if (_mustReset && !_isUnix)
            Libc.ResetOnClose(_file);
        Libc.Close(_file);
    }
}
