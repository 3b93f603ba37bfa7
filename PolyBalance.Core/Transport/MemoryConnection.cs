using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace PolyBalance.Transport;

/// <summary>One end of a connection in memory. What its peer sees of it is what it would see over a socket.</summary>
internal sealed class MemoryConnection : Connection, IReceiver, ISender
{
    private readonly MemoryTransport _transport;
    private readonly DeadlineSlot _deadlines;
    private readonly ConnectionInput _input;
    private readonly ConnectionOutput _output;
    private TaskCompletionSource<FailureKind>? _connecting;
    private int _released;

    /// <summary>Makes one end over two lines; only <see cref="MemoryTransport"/> does.</summary>
    public MemoryConnection(MemoryTransport transport, EndPoint? remote, MemoryLine incoming, MemoryLine outgoing)
    {
        _transport = transport;
        RemoteEndPoint = remote;
        Incoming = incoming;
        Outgoing = outgoing;
        _deadlines = transport.Heartbeat.Register(this);
        _input = new(this, this, transport.Blocks);
        _output = new(this, this, transport.Blocks, transport.Heartbeat) { Deadlines = _deadlines };
        incoming.Receiver = _input;
        outgoing.Sender = _output;
    }

    /// <summary>What the peer sends: tests put faults on it.</summary>
    public MemoryLine Incoming { get; }

    /// <summary>What is sent to the peer: tests put faults on it.</summary>
    public MemoryLine Outgoing { get; }

    /// <inheritdoc/>
    public override PipeReader Input => _input;

    /// <inheritdoc/>
    public override PipeWriter Output => _output;

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; }

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
    public override bool HasUnreportedInput() => _input.HasOutcome || Incoming.HasSomething;

    /// <inheritdoc/>
    public override void ShutdownOutput() => Outgoing.End(CloseReason.PeerClosed);

    /// <summary>Waits until the listener has room for this connection. It must be released when this fails.</summary>
    public async ValueTask<FailureKind> ConnectAsync(MemoryListener listener, MemoryConnection accepted, long timeout)
    {
        // Before the listener sees it: a deadline that has passed already then ends the wait at once.
        var connecting = new TaskCompletionSource<FailureKind>();
        Volatile.Write(ref _connecting, connecting);
        _deadlines.Write = _transport.Heartbeat.Now + timeout;
        listener.Offer(accepted, connecting);
        var failure = await connecting.Task;
        _deadlines.Write = Heartbeat.Never;
        return failure == FailureKind.None && CloseReason != CloseReason.None ? FailureKind.ConnectTimedOut : failure;
    }

    /// <inheritdoc/>
    bool IReceiver.TryReceive(bool large, bool idle, out Received received)
    {
        _transport.CountReceive();
        return Incoming.TryReceive(large, idle, out received);
    }

    /// <inheritdoc/>
    bool ISender.TrySend(List<ArraySegment<byte>> pieces, out Sent sent)
    {
        _transport.CountSend();
        return Outgoing.TrySend(pieces, out sent);
    }

    /// <inheritdoc/>
    protected override void Release(bool abortive)
    {
        if (Interlocked.Exchange(ref _released, 1) == 1)
            return;

        _transport.Heartbeat.Release(_deadlines);
        Volatile.Read(ref _connecting)?.TrySetResult(FailureKind.ConnectTimedOut);

        // As in TCP: to close with unread input is to reset.
        var wasUnread = Incoming.LetGo(abortive);
        Outgoing.End(abortive || wasUnread ? CloseReason.PeerReset : CloseReason.PeerClosed);
    }
}
