using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace PolyBalance.Transport;

/// <summary>A <see cref="PipeReader"/> straight over a medium: no second pipe, no copy, no thread in between.</summary>
/// <remarks>
/// The block list belongs to the reading flow alone. A receive in progress owns a block of its own, and the flow adopts
/// it when it looks at the outcome; so a read may be woken (<see cref="CancelPendingRead"/>) or a connection be watched
/// while a receive is pending, and the receive just goes on. <c>_phase</c> decides who wakes whom, by atomic exchange.
/// </remarks>
internal sealed class ConnectionInput(Connection connection, IReceiver receiver, BlockPool pool)
    : PipeReader, IValueTaskSource<ReadResult>
{
    // A receive that filled its block asks for a large one next time: bodies in bulk, found out by themselves.
    private bool _expectsMuch;

    private Block? _first;
    private Block? _last;
    private int _consumed;              // bytes of _first that are done with
    private bool _examinedAll = true;   // nothing unseen is in the list
    private CloseReason _end;

    private int _phase;
    private Received _outcome;
    private ManualResetValueTaskSourceCore<bool> _core;
    private int _woken;
    private IConnectionWatcher? _watcher;
    private int _released;

    private enum Phase
    {
        Idle,       // no receive
        Pending,    // a receive is pending, nobody waits
        Awaited,    // a receive is pending and the flow waits for it
        Complete,   // a receive has ended; the flow has not looked yet
    }

    /// <summary>Whether the peer will send nothing more, as far as the flow has looked.</summary>
    public CloseReason End => _end;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        Adopt();
        if (TakeWake())
            return new(Result(woken: true));
        if (!_examinedAll || _end != CloseReason.None)
            return new(Result(woken: false));

        _core.Reset();
        if (Volatile.Read(ref _phase) == (int)Phase.Idle)
        {
            if (TryBeginReceive(Phase.Awaited) && TakeOutcome() == Phase.Awaited)
                return new(Result(woken: false));
        }
        else if (Interlocked.CompareExchange(ref _phase, (int)Phase.Awaited, (int)Phase.Pending) != (int)Phase.Pending)
        {
            Adopt();
            return new(Result(woken: false));
        }

        // A wake-up that came before we were waiting found nobody to wake.
        if (Volatile.Read(ref _woken) == 1 && TryLeave())
            return new(Result(woken: TakeWake()));

        return new(this, _core.Version);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        Adopt();
        if (!_examinedAll || _end != CloseReason.None)
        {
            result = Result(woken: TakeWake());
            return true;
        }

        result = default;
        return false;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (_first is null)
            return;

        var upTo = (Block?)consumed.GetObject();
        if (upTo is not null)
            Consume(upTo, consumed.GetInteger());

        var seen = (Block?)examined.GetObject();
        _examinedAll = _last is null || (ReferenceEquals(seen, _last) && examined.GetInteger() == _last.Filled);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        Interlocked.Exchange(ref _woken, 1);
        if (TryLeave())
            receiver.Resume(this);
    }

    /// <summary>
    /// Lets the read go on that was just woken. Called by the medium, see <see cref="IReceiver.Resume"/>.
    /// </summary>
    public void Continue() => _core.SetResult(true);

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => Release();

    /// <summary>
    /// The receive that <see cref="IReceiver.TryReceive"/> began has ended. Called by the medium, on any thread.
    /// </summary>
    public void OnReceived(Received received)
    {
        _outcome = received;
        var before = (Phase)Interlocked.Exchange(ref _phase, (int)Phase.Complete);
        if (before == Phase.Awaited)
            _core.SetResult(true);
        else
            Volatile.Read(ref _watcher)?.OnInput(received.Reason != CloseReason.None);

        if (Volatile.Read(ref _released) == 1)
            DropOutcome();
    }

    /// <summary>See <see cref="Connection.Watch"/>.</summary>
    public void Watch(IConnectionWatcher watcher)
    {
        Interlocked.Exchange(ref _watcher, watcher);
        if (_end != CloseReason.None)
        {
            watcher.OnInput(ended: true);
            return;
        }

        var phase = (Phase)Volatile.Read(ref _phase);
        if (phase == Phase.Idle)
        {
            if (!TryBeginReceive(Phase.Pending))
                return;     // it reports by itself

            // The flow finds it when it looks.
            Volatile.Write(ref _phase, (int)Phase.Complete);
        }

        if (phase != Phase.Pending && (Phase)Volatile.Read(ref _phase) == Phase.Complete)
            watcher.OnInput(_outcome.Reason != CloseReason.None);

        // Whoever closes an idle connection releases it, and may do so while its last user still begins to watch it.
        if (Volatile.Read(ref _released) == 1)
            DropOutcome();
    }

    /// <summary>See <see cref="Connection.Unwatch"/>.</summary>
    public void Unwatch() => Volatile.Write(ref _watcher, null);

    /// <summary>See <see cref="Connection.Reread"/>.</summary>
    public void Reread() => _examinedAll = _first is null;

    /// <summary>Whether a receive has ended that the flow has not looked at.</summary>
    public bool HasOutcome => (Phase)Volatile.Read(ref _phase) == Phase.Complete;

    /// <summary>
    /// Returns all blocks. The flow has finished with the connection; a receive still pending cleans up after itself.
    /// </summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _released, 1) == 1)
            return;

        for (var block = _first; block is not null;)
        {
            var next = block.NextBlock;
            pool.Return(block);
            block = next;
        }

        _first = _last = null;
        _examinedAll = true;
        if (_end == CloseReason.None)
            _end = CloseReason.Closed;
        DropOutcome();
    }

    /// <inheritdoc/>
    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        _core.GetResult(token);
        Adopt();
        return Result(woken: TakeWake());
    }

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, Inline.Of(flags));

    // True when the outcome was there at once.
    private bool TryBeginReceive(Phase phase)
    {
        Volatile.Write(ref _phase, (int)phase);
        var idle = connection.IsIdle && _first is null;
        if (!receiver.TryReceive(_expectsMuch, idle, out var received))
            return false;

        _outcome = received;
        return true;
    }

    // Adopts an outcome that was there at once. Somebody may have woken the read meanwhile, and lets it go on later.
    private Phase TakeOutcome()
    {
        var before = (Phase)Interlocked.Exchange(ref _phase, (int)Phase.Complete);
        if (before == Phase.Awaited)
            Adopt();
        return before;
    }

    private bool TryLeave()
        => Interlocked.CompareExchange(ref _phase, (int)Phase.Pending, (int)Phase.Awaited) == (int)Phase.Awaited;

    private bool TakeWake() => Volatile.Read(ref _woken) == 1 && Interlocked.Exchange(ref _woken, 0) == 1;

    // Makes the outcome of a finished receive part of what the flow sees.
    private void Adopt()
    {
        if ((Phase)Volatile.Read(ref _phase) != Phase.Complete)
            return;

        var (block, reason) = _outcome;
        _outcome = default;
        Volatile.Write(ref _phase, (int)Phase.Idle);
        if (block is null)
        {
            _end = reason;
            if (reason != CloseReason.None)
                connection.RecordClose(reason);
            return;
        }

        _examinedAll = false;
        _expectsMuch = block.Room == 0 || (_expectsMuch && block.Filled > Limits.SmallBlockBytes);
        Append(block);
    }

    private void Append(Block block)
    {
        // A trickle must not cost a block per byte: what fits behind unconsumed bytes is moved there.
        if (_last is not null && _last.Room >= block.Filled)
        {
            block.Array.AsSpan(0, block.Filled).CopyTo(_last.Array.AsSpan(_last.Filled));
            _last.Fill(block.Filled);
            pool.Return(block);
            return;
        }

        block.Follow(_last);
        _last = block;
        _first ??= block;
    }

    private void Consume(Block upTo, int index)
    {
        while (!ReferenceEquals(_first, upTo))
            DropFirst();

        _consumed = index;
        if (index == _first!.Filled)
            DropFirst();
    }

    private void DropFirst()
    {
        var block = _first!;
        _first = block.NextBlock;
        _consumed = 0;
        if (_first is null)
            _last = null;
        pool.Return(block);
    }

    private ReadResult Result(bool woken)
    {
        var bytes = _first is null
            ? ReadOnlySequence<byte>.Empty
            : new ReadOnlySequence<byte>(_first, _consumed, _last!, _last!.Filled);
        return new(bytes, woken, isCompleted: _end != CloseReason.None);
    }

    private void DropOutcome()
    {
        if (Interlocked.CompareExchange(ref _phase, (int)Phase.Idle, (int)Phase.Complete) != (int)Phase.Complete)
            return;

        var block = _outcome.Block;
        _outcome = default;
        if (block is not null)
            pool.Return(block);
    }
}
