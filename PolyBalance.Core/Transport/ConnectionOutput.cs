using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace PolyBalance.Transport;

/// <summary>A <see cref="PipeWriter"/> straight over a medium, which also takes content by reference.</summary>
/// <remarks>
/// What was written and what was attached goes out in one gathering send, in order. Belongs to one writing flow; only
/// <see cref="OnSent"/> comes from elsewhere. After a failed send everything is thrown away and every flush completes
/// at once, while reading from the connection goes on: the peer may have answered before it stopped listening.
/// </remarks>
internal sealed class ConnectionOutput(Connection connection, ISender sender, BlockPool pool, Heartbeat heartbeat)
    : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly List<ArraySegment<byte>> _pieces = new(4);
    private Block? _block;              // written into now
    private Block? _full;               // earlier blocks of this flush, linked
    private int _pieceStart;            // bytes of _block that are already in _pieces
    private ManualResetValueTaskSourceCore<Sent> _core;
    private bool _sending;
    private bool _failed;

    /// <summary>Where the write deadline is kept.</summary>
    public DeadlineSlot? Deadlines { get; set; }

    /// <summary>Whether the peer takes nothing more.</summary>
    public bool HasFailed => _failed;

    /// <summary>See <see cref="Connection.BytesSent"/>.</summary>
    public long BytesSent { get; private set; }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => true;

    /// <inheritdoc/>
    public override long UnflushedBytes
    {
        get
        {
            var sum = _block is null ? 0L : _block.Filled - _pieceStart;
            foreach (var piece in _pieces)
                sum += piece.Count;
            return sum;
        }
    }

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        var block = Room(sizeHint);
        return block.Array.AsMemory(block.Filled);
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        var block = Room(sizeHint);
        return block.Array.AsSpan(block.Filled);
    }

    /// <inheritdoc/>
    public override void Advance(int bytes) => _block!.Fill(bytes);

    /// <summary>See <see cref="Connection.Attach(in ReadOnlySequence{byte})"/>.</summary>
    public void Attach(in ReadOnlySequence<byte> content)
    {
        foreach (var memory in content)
            Attach(memory);
    }

    /// <summary>See <see cref="Connection.Attach(in ReadOnlySequence{byte})"/>.</summary>
    public void Attach(ReadOnlyMemory<byte> content)
    {
        ClosePiece();
        if (content.Length == 0)
            return;
        if (!MemoryMarshal.TryGetArray(content, out var piece))
            throw new ArgumentException("Only memory of an array can be sent by reference.", nameof(content));

        _pieces.Add(piece);
    }

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        ClosePiece();
        if (_failed || _pieces.Count == 0)
        {
            Forget();
            return new(new FlushResult(isCanceled: false, isCompleted: _failed));
        }

        _core.Reset();
        _sending = true;
        var hasEnded = sender.TrySend(_pieces, out var sent);
        return Await(hasEnded, sent);
    }

    /// <summary>See <see cref="Connection.SendAsync(Relay)"/>.</summary>
    public ValueTask<FlushResult> SendAsync(Relay relay)
    {
        if (_failed)
            return new(new FlushResult(isCanceled: false, isCompleted: true));

        _core.Reset();
        _sending = true;
        var hasEnded = sender.TryPass(relay, out var sent);
        return Await(hasEnded, sent);
    }

    /// <summary>
    /// The send that <see cref="ISender.TrySend"/> began has ended. Called by the medium, on any thread.
    /// </summary>
    public void OnSent(Sent sent) => _core.SetResult(sent);

    /// <inheritdoc/>
    public override void CancelPendingFlush()
    {
        // A send cannot be taken back; whoever wants to stop it aborts the connection.
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => Release();

    /// <summary>Returns all blocks. The flow has finished with the connection.</summary>
    public void Release()
    {
        _failed = true;
        if (!_sending)
            Forget();
    }

    /// <inheritdoc/>
    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        var sent = _core.GetResult(token);
        if (Deadlines is { } deadlines)
            deadlines.Write = Heartbeat.Never;
        Finish(sent);
        return new(isCanceled: false, isCompleted: _failed);
    }

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, Inline.Of(flags));

    private ValueTask<FlushResult> Await(bool hasEnded, Sent sent)
    {
        if (hasEnded)
        {
            Finish(sent);
            return new(new FlushResult(isCanceled: false, isCompleted: _failed));
        }

        // Set after the send has begun: most sends end at once and need neither clock nor deadline. A send that ends
        // between the two leaves a deadline behind that GetResult takes away.
        if (Deadlines is { } deadlines && connection.WriteTimeout > 0)
            deadlines.Write = heartbeat.Now + connection.WriteTimeout;
        return new(this, _core.Version);
    }

    private Block Room(int sizeHint)
    {
        if (_block is not null && _block.Room >= Math.Max(sizeHint, 1))
            return _block;

        ClosePiece();
        if (_block is not null)
        {
            _full?.Follow(_block);
            _full = _block;
        }

        _pieceStart = 0;
        var small = pool.RentSmall();
        if (small.Room >= sizeHint)
            return _block = small;

        pool.Return(small);
        return _block = pool.RentLarge();
    }

    private void ClosePiece()
    {
        if (_block is null || _block.Filled == _pieceStart)
            return;

        _pieces.Add(new(_block.Array, _pieceStart, _block.Filled - _pieceStart));
        _pieceStart = _block.Filled;
    }

    private void Finish(Sent sent)
    {
        _sending = false;
        BytesSent += sent.Bytes;
        _failed |= !sent.Succeeded;
        Forget();
    }

    private void Forget()
    {
        _pieces.Clear();
        _pieceStart = 0;
        if (_block is not null)
            pool.Return(_block);
        _block = null;
        while (_full is not null)
        {
            var next = _full.NextBlock;
            pool.Return(_full);
            _full = next;
        }
    }
}
