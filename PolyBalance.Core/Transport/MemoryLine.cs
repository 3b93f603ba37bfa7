using System.Buffers;

namespace PolyBalance.Transport;

/// <summary>
/// One direction of a connection in memory: bytes in flight, no more than a window of them, and the faults that a test
/// wants.
/// </summary>
/// <remarks>
/// Behaves like TCP over the loopback of Linux: what is in flight when the sender ends or resets the line still
/// arrives, and the end after it. Any thread; one lock, and nobody is told anything while it is held.
/// </remarks>
internal sealed class MemoryLine
{
    private readonly Lock _gate = new();        // guards every field below; nothing else is locked inside it
    private readonly int _window;
    private readonly BlockPool _pool;
    private readonly CompletionQueue _completions;
    private readonly Arrival _arrival = new();
    private readonly Departure _departure = new();

    private byte[]? _ring;              // rented while bytes are in flight
    private int _start;
    private int _inFlight;
    private long _sent;
    private long _delivered;
    private long _faultAt = long.MaxValue;
    private bool _faultIsReset;
    private long _stallAt = long.MaxValue;
    private bool _isCut;                // what is sent now vanishes
    private CloseReason _end;           // what the receiver finds behind the last byte
    private bool _isBroken;             // the sender cannot send any more
    private bool _isDeaf;               // the receiver has let go

    private bool _isReceiving;
    private bool _expectsMuch;
    private Block? _block;              // of the pending receive; null while it only waits
    private List<ArraySegment<byte>>? _pieces;      // of the pending send
    private int _piece;
    private int _offset;
    private long _taken;

    /// <summary>Makes a line without ends; they are set once, by the connection that owns each.</summary>
    public MemoryLine(int window, BlockPool pool, CompletionQueue completions)
    {
        _window = window;
        _pool = pool;
        _completions = completions;
    }

    /// <summary>The line in the other direction.</summary>
    public MemoryLine Back { get; set; } = null!;

    /// <summary>Whom to tell that a receive has ended.</summary>
    public ConnectionInput Receiver { set => _arrival.Receiver = value; }

    /// <summary>Whom to tell that a send has ended.</summary>
    public ConnectionOutput Sender { set => _departure.Sender = value; }

    /// <summary>Bytes that the line has taken from its sender since the start.</summary>
    public long BytesSent => Read(ref _sent);

    /// <summary>Bytes that the line has handed to its receiver since the start.</summary>
    public long BytesDelivered => Read(ref _delivered);

    /// <summary>Whether a receive would end at once, well or not.</summary>
    public bool HasSomething
    {
        get
        {
            lock (_gate)
                return Readable > 0 || EndNow != CloseReason.None || _isDeaf;
        }
    }

    private int Readable => (int)Math.Min(_inFlight, Math.Max(0, _stallAt - _delivered));

    private CloseReason EndNow => _inFlight == 0 && _delivered < _stallAt ? _end : CloseReason.None;

    /// <summary>Fault: the receiver finds an orderly end behind byte n; what is sent beyond it vanishes.</summary>
    public void CutAt(long n) => SetFault(n, isReset: false);

    /// <summary>
    /// Fault: the receiver finds a reset behind byte n, and so does the sender once it has sent n bytes.
    /// </summary>
    public void ResetAt(long n) => SetFault(n, isReset: true);

    /// <summary>Fault: nothing behind byte n arrives, not even an end, until <see cref="Resume"/>.</summary>
    public void StallAt(long n)
    {
        lock (_gate)
            _stallAt = n;
    }

    /// <summary>Ends <see cref="StallAt"/>: what was held back arrives.</summary>
    public void Resume()
    {
        lock (_gate)
            _stallAt = long.MaxValue;
        Settle();
    }

    /// <summary>See <see cref="IReceiver.TryReceive"/>.</summary>
    public bool TryReceive(bool large, bool idle, out Received received)
    {
        bool isDone;
        lock (_gate)
        {
            _isReceiving = true;
            _expectsMuch = large;
            _block = idle ? null : Rent();
            isDone = TryEndReceive(out received);
        }

        if (isDone)
            Settle();       // there is room again: a pending send goes on
        return isDone;
    }

    /// <summary>See <see cref="ISender.TrySend"/>.</summary>
    public bool TrySend(List<ArraySegment<byte>> pieces, out Sent sent)
    {
        bool isDone;
        lock (_gate)
        {
            _pieces = pieces;
            _piece = _offset = 0;
            _taken = 0;
            isDone = TryEndSend(out sent);
        }

        Settle();
        return isDone;
    }

    /// <summary>The sender will send nothing more. Bytes in flight arrive; a pending send fails.</summary>
    /// <param name="reason"><see cref="CloseReason.PeerClosed"/> or <see cref="CloseReason.PeerReset"/>.</param>
    public void End(CloseReason reason)
    {
        lock (_gate)
        {
            _isBroken = true;
            if (_end == CloseReason.None)
                _end = reason;
        }

        Settle();
    }

    /// <summary>The receiver lets go: its pending receive ends, and what is in flight is lost.</summary>
    /// <param name="isReset">The sender learns of it at once; else by its next send, which still seems to
    /// succeed.</param>
    /// <returns>Whether unread bytes were lost.</returns>
    public bool LetGo(bool isReset)
    {
        bool wasUnread;
        lock (_gate)
        {
            wasUnread = _inFlight > 0;
            _isDeaf = true;
            _isBroken |= isReset || wasUnread || _pieces is not null;
            Drop();
        }

        Settle();
        return wasUnread;
    }

    private void SetFault(long n, bool isReset)
    {
        lock (_gate)
        {
            _faultAt = n;
            _faultIsReset = isReset;
            if (_sent >= n)
                Fail();
        }

        Settle();
    }

    // Ends what can end now, after any change, and tells the owners once the lock is free.
    private void Settle()
    {
        bool hasArrived, hasDeparted, mustResetBack;
        lock (_gate)
        {
            hasDeparted = _pieces is not null && TryEndSend(out _departure.Outcome);
            hasArrived = _isReceiving && TryEndReceive(out _arrival.Outcome);
            // What was received made room, which may be all that the send was waiting for.
            hasDeparted |= _pieces is not null && TryEndSend(out _departure.Outcome);
            mustResetBack = _faultIsReset && _isCut;
            _faultIsReset &= !mustResetBack;
        }

        if (mustResetBack)
            Back.End(CloseReason.PeerReset);
        if (hasArrived)
            _completions.Run(_arrival);
        if (hasDeparted)
            _completions.Run(_departure);
    }

    // Copies what fits into the window. True when nothing is left to send, or nothing can be sent.
    private bool TryEndSend(out Sent sent)
    {
        while (_piece < _pieces!.Count && !_isBroken)
        {
            var rest = _pieces[_piece].AsSpan(_offset);
            var count = Math.Min(rest.Length, _isCut || _isDeaf ? int.MaxValue : _window - _inFlight);
            if (count == 0 && rest.Length > 0)
            {
                sent = default;
                return false;
            }

            Put(rest[..count]);
            _taken += count;
            _offset += count;
            if (_offset == _pieces[_piece].Count)
                (_piece, _offset) = (_piece + 1, 0);
        }

        sent = new(_piece == _pieces.Count, _taken);
        _pieces = null;
        _isBroken |= _isDeaf;       // the answer to bytes that nobody wants is a reset
        return true;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        var count = _isCut || _isDeaf ? 0 : (int)Math.Min(bytes.Length, _faultAt - _sent);
        _sent += bytes.Length;
        if (count > 0)
        {
            _ring ??= ArrayPool<byte>.Shared.Rent(_window);
            var end = (_start + _inFlight) % _ring.Length;
            var first = Math.Min(count, _ring.Length - end);
            bytes[..first].CopyTo(_ring.AsSpan(end));
            bytes[first..count].CopyTo(_ring);
            _inFlight += count;
        }

        if (_sent >= _faultAt && !_isCut)
            Fail();
    }

    // The fault's byte has been sent. Bytes beyond it that are in flight already vanish with the rest.
    private void Fail()
    {
        _inFlight = (int)Math.Clamp(_faultAt - _delivered, 0, _inFlight);
        _isCut = true;
        _isBroken |= _faultIsReset;
        _end = _faultIsReset ? CloseReason.PeerReset : CloseReason.PeerClosed;
    }

    private bool TryEndReceive(out Received received)
    {
        received = default;
        var readable = Readable;
        var end = _isDeaf ? CloseReason.Aborted : EndNow;
        if (readable == 0 && end == CloseReason.None)
            return false;

        _isReceiving = false;
        if (readable == 0)
        {
            if (_block is not null)
                _pool.Return(_block);
            received = new(null, end);
        }
        else
        {
            _block ??= Rent();
            Get(_block, Math.Min(readable, _block.Room));
            received = new(_block, CloseReason.None);
        }

        _block = null;
        return true;
    }

    private void Get(Block block, int count)
    {
        var first = Math.Min(count, _ring!.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(block.Array);
        _ring.AsSpan(0, count - first).CopyTo(block.Array.AsSpan(first));
        block.Fill(count);
        _start = (_start + count) % _ring.Length;
        _inFlight -= count;
        _delivered += count;
        if (_inFlight == 0)
            Drop();
    }

    private void Drop()
    {
        if (_ring is not null)
            ArrayPool<byte>.Shared.Return(_ring);
        _ring = null;
        _start = _inFlight = 0;
    }

    private Block Rent() => _expectsMuch ? _pool.RentLarge() : _pool.RentSmall();

    private long Read(ref long count)
    {
        lock (_gate)
            return count;
    }

    /// <summary>The end of a receive that was pending.</summary>
    private sealed class Arrival : ICompletion
    {
        public ConnectionInput? Receiver;
        public Received Outcome;

        public void Run() => Receiver!.OnReceived(Outcome);
    }

    /// <summary>The end of a send that was pending.</summary>
    private sealed class Departure : ICompletion
    {
        public ConnectionOutput? Sender;
        public Sent Outcome;

        public void Run() => Sender!.OnSent(Outcome);
    }
}
