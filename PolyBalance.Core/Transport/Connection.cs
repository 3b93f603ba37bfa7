using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace PolyBalance.Transport;

/// <summary>Moves bytes to and from one peer, and remembers the first reason why it ended.</summary>
/// <remarks>
/// Two owners at most: one reads <see cref="Input"/>, one writes <see cref="Output"/>. Any thread may call
/// <see cref="Abort"/> and <see cref="Wake"/>. Trouble with the peer never throws: reads and flushes complete, and
/// <see cref="CloseReason"/> says why. Continuations run on the thread that moves the bytes and must never block.
/// </remarks>
internal abstract class Connection : IDeadlineOwner
{
    private int _closeReason;

    /// <summary>What the peer sends. A result that is completed means that nothing more will come.</summary>
    public abstract PipeReader Input { get; }

    /// <summary>
    /// What is sent to the peer. A flush result that is completed means that the peer takes nothing more.
    /// </summary>
    public abstract PipeWriter Output { get; }

    /// <summary>The peer's address; null when the medium has none.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>Which lane of its transport it belongs to; see <see cref="ITransport.Lanes"/>.</summary>
    public virtual int Lane => ThreadLane.Own;

    /// <summary>The first reason why this connection ended.</summary>
    public CloseReason CloseReason => (CloseReason)Volatile.Read(ref _closeReason);

    /// <summary>
    /// Set while no message is in progress: waiting for input then holds no block. Written by the owner of
    /// <see cref="Input"/>.
    /// </summary>
    public bool IsIdle { get; set; }

    /// <summary>
    /// How long one flush may wait for the peer to take bytes, in <see cref="Heartbeat"/> ticks. 0: for ever.
    /// </summary>
    public long WriteTimeout { get; set; }

    /// <summary>
    /// When a pending read is woken with <see cref="ReadResult.IsCanceled"/>, in <see cref="Heartbeat"/> time;
    /// <see cref="Heartbeat.Never"/>: not at all. A late wake-up may hit a later read: whoever is woken looks at the
    /// clock.
    /// </summary>
    public abstract long ReadDeadline { get; set; }

    /// <summary>
    /// Whether the read deadline that was set has fired. Only for who always sets one,
    /// <see cref="Heartbeat.Unbounded"/> at least.
    /// </summary>
    public bool IsReadOverdue => ReadDeadline == Heartbeat.Never;

    /// <summary>
    /// Bytes that the medium has taken from <see cref="Output"/>, those of a send that failed half-way included.
    /// </summary>
    public abstract long BytesSent { get; }

    /// <summary>
    /// Queues content behind what is already in <see cref="Output"/>, by reference. The memory must stay as it is until
    /// the flush that follows has completed.
    /// </summary>
    public abstract void Attach(in ReadOnlySequence<byte> content);

    /// <summary>Queues one piece of content by reference; see the other overload.</summary>
    public abstract void Attach(ReadOnlyMemory<byte> content);

    /// <summary>What was read and not consumed is offered again by the next read.</summary>
    public abstract void Reread();

    /// <summary>Sends content by reference, together with what is already in <see cref="Output"/>.</summary>
    public ValueTask<FlushResult> SendAsync(in ReadOnlySequence<byte> content)
    {
        Attach(content);
        return Output.FlushAsync();
    }

    /// <summary>
    /// Opens a way for content from here to another connection that does not lead through our memory. Null: there is
    /// none. Called by the owner of <see cref="Input"/>, with no read pending and nothing unread.
    /// </summary>
    public virtual Relay? TryOpenRelay(Connection sink) => null;

    /// <summary>Sends what a relay holds. Nothing may be left in <see cref="Output"/>.</summary>
    public virtual ValueTask<FlushResult> SendAsync(Relay relay)
        => throw new NotSupportedException("Only a connection that a relay leads to can send what it holds.");

    /// <summary>
    /// Looks for input while nobody reads, and reports its arrival once. Called by the owner of <see cref="Input"/>,
    /// with no read pending. Reads work as ever while a connection is watched.
    /// </summary>
    public abstract void Watch(IConnectionWatcher watcher);

    /// <summary>Ends <see cref="Watch"/>. One late report is still possible.</summary>
    public abstract void Unwatch();

    /// <summary>
    /// Asks the medium, now, whether something arrived that was not reported yet. For a connection nobody reads from.
    /// </summary>
    public abstract bool HasUnreportedInput();

    /// <summary>Wakes a pending read, or the next one, with <see cref="ReadResult.IsCanceled"/>.</summary>
    public void Wake() => Input.CancelPendingRead();

    /// <summary>
    /// Tells the peer that nothing more will come; reading goes on. Everything flushed before still arrives.
    /// </summary>
    public abstract void ShutdownOutput();

    /// <summary>
    /// Ends the connection at once and visibly (a reset where the medium has one). Pending operations complete.
    /// </summary>
    public void Abort(CloseReason reason)
    {
        RecordClose(reason);
        Release(abortive: true);
    }

    /// <summary>Ends the connection in an orderly way: what was flushed still arrives.</summary>
    public void Close()
    {
        RecordClose(CloseReason.Closed);
        Release(abortive: false);
    }

    /// <inheritdoc/>
    void IDeadlineOwner.OnDeadline(DeadlineKind kind)
    {
        if (kind == DeadlineKind.Read)
            OnReadDeadline();
        else
            Abort(CloseReason.WriteTimedOut);
    }

    /// <summary>The read deadline passed. Heartbeat thread.</summary>
    protected virtual void OnReadDeadline() => Wake();

    /// <summary>Keeps the first reason. Called by whoever learns of the end.</summary>
    public void RecordClose(CloseReason reason)
        => Interlocked.CompareExchange(ref _closeReason, (int)reason, (int)CloseReason.None);

    /// <summary>Lets go of the medium. Called any number of times from any thread.</summary>
    protected abstract void Release(bool abortive);
}
