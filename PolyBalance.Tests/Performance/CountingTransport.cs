using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// Another transport, with every byte counted that is given to one of its connections: copied, or lent.
/// </summary>
internal sealed class CountingTransport(ITransport inner) : ITransport
{
    public string Name => inner.Name;

    public Heartbeat Heartbeat => inner.Heartbeat;

    public BlockPool Blocks => inner.Blocks;

    public FileAllowance Files => inner.Files;

    public int Lanes => inner.Lanes;

    public int Lane => inner.Lane;

    public bool KeepsLanesApart => inner.KeepsLanesApart;

    /// <summary>What the clients of its listeners were sent.</summary>
    public SentCount ToClients { get; } = new();

    /// <summary>What those were sent whom it connected to.</summary>
    public SentCount ToBackends { get; } = new();

    public IConnectionListener Listen(EndPoint address, ListeningSockets? given)
        => new CountingListener(inner.Listen(address, given), ToClients);

    public async ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout)
    {
        var result = await inner.ConnectAsync(address, timeout);
        return result.Connection is { } connection
            ? new(new CountingConnection(connection, ToBackends), FailureKind.None)
            : result;
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private sealed class CountingListener(IConnectionListener inner, SentCount count) : IConnectionListener
    {
        public EndPoint LocalEndPoint => inner.LocalEndPoint;

        public int Acceptors => inner.Acceptors;

        public async ValueTask<Connection?> AcceptAsync(int acceptor = 0)
            => await inner.AcceptAsync(acceptor) is { } connection ? new CountingConnection(connection, count) : null;

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class CountingConnection(Connection inner, SentCount count) : Connection
    {
        public override PipeReader Input => inner.Input;

        public override PipeWriter Output { get; } = new CountingOutput(inner.Output, count);

        public override EndPoint? RemoteEndPoint => inner.RemoteEndPoint;

        public override int Lane => inner.Lane;

        public override long ReadDeadline
        {
            get => inner.ReadDeadline;
            set => inner.ReadDeadline = value;
        }

        public override long BytesSent => inner.BytesSent;

        public override void Attach(in ReadOnlySequence<byte> content)
        {
            count.Lend(content.Length);
            inner.Attach(content);
        }

        public override void Attach(ReadOnlyMemory<byte> content)
        {
            count.Lend(content.Length);
            inner.Attach(content);
        }

        public override void Reread() => inner.Reread();

        public override void Watch(IConnectionWatcher watcher) => inner.Watch(watcher);

        public override void Unwatch() => inner.Unwatch();

        public override bool HasUnreportedInput() => inner.HasUnreportedInput();

        public override void ShutdownOutput() => inner.ShutdownOutput();

        protected override void Release(bool abortive)
        {
            if (abortive)
                inner.Abort(CloseReason);
            else
                inner.Close();
        }
    }

    private sealed class CountingOutput(PipeWriter inner, SentCount count) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            count.Copy(bytes);
            inner.Advance(bytes);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
            => inner.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}

/// <summary>Bytes given to connections of one direction. Any thread.</summary>
internal sealed class SentCount
{
    private long _copied;
    private long _lent;

    /// <summary>Written into the memory of a connection.</summary>
    public long Copied => Interlocked.Read(ref _copied);

    /// <summary>Attached by reference.</summary>
    public long Lent => Interlocked.Read(ref _lent);

    public void Copy(long bytes) => Interlocked.Add(ref _copied, bytes);

    public void Lend(long bytes) => Interlocked.Add(ref _lent, bytes);
}
