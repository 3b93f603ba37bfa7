using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>One TCP or Unix socket behind <see cref="Connection"/>.</summary>
/// <remarks>
/// Completions arrive on the socket engine's thread, inline, where the process switched that on before its first
/// socket. Results are values: no exception is thrown for anything that a peer or a network does.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Release disposes of them, on Close and on Abort.")]
internal sealed class SocketConnection : Connection, IReceiver, ISender
{
    // Nothing on the data path uses AsyncLocal: capturing the execution context would only cost time.
    private const bool NoExecutionContext = true;

    private readonly Socket _socket;
    private readonly Heartbeat _heartbeat;
    private readonly BlockPool _pool;
    private readonly FileAllowance _files;
    private readonly DeadlineSlot _deadlines;
    private readonly ConnectionInput _input;
    private readonly ConnectionOutput _output;
    private readonly SocketReceive _receive;
    private readonly SocketSend _send;
    private int _released;

    /// <summary>Takes over an established or a fresh socket, which is counted already.</summary>
    public SocketConnection(
        Socket socket, EndPoint? remote, Heartbeat heartbeat, BlockPool pool, FileAllowance files)
    {
        _socket = socket;
        _heartbeat = heartbeat;
        _pool = pool;
        _files = files;
        RemoteEndPoint = remote;
        _deadlines = heartbeat.Register(this);
        _input = new(this, this, pool);
        _output = new(this, this, pool, heartbeat) { Deadlines = _deadlines };
        _receive = new(this);
        _send = new(this);
    }

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
    public override bool HasUnreportedInput()
    {
        try
        {
            return _input.HasOutcome || _socket.Poll(0, SelectMode.SelectRead);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    /// <inheritdoc/>
    public override void ShutdownOutput()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The peer was faster: there is nobody left to tell.
        }
    }

    /// <summary>Connects the fresh socket. The connection must be released by the caller when this fails.</summary>
    public async ValueTask<FailureKind> ConnectAsync(EndPoint address, long timeout)
    {
        _deadlines.Write = _heartbeat.Now + timeout;
        using var connect = new SocketConnect(address);
        var error = await connect.RunAsync(_socket);
        _deadlines.Write = Heartbeat.Never;
        return error switch
        {
            SocketError.Success => CloseReason == CloseReason.None ? FailureKind.None : FailureKind.ConnectTimedOut,
            SocketError.ConnectionRefused => FailureKind.ConnectRefused,
            SocketError.TimedOut => FailureKind.ConnectTimedOut,
            _ when CloseReason == CloseReason.WriteTimedOut => FailureKind.ConnectTimedOut,
            // A Unix socket without a listener, or whose file is gone.
            SocketError.AddressNotAvailable when address is UnixDomainSocketEndPoint => FailureKind.ConnectRefused,
            _ => FailureKind.ConnectFailed,
        };
    }

    /// <inheritdoc/>
    bool IReceiver.TryReceive(bool large, bool idle, out Received received)
        => _receive.TryStart(large, idle, out received);

    /// <inheritdoc/>
    bool ISender.TrySend(List<ArraySegment<byte>> pieces, out Sent sent) => _send.TryStart(pieces, out sent);

    /// <inheritdoc/>
    protected override void Release(bool abortive)
    {
        if (Interlocked.Exchange(ref _released, 1) == 1)
            return;

        _heartbeat.Release(_deadlines);
        try
        {
            if (abortive)
            {
                _socket.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            else
            {
                // Disposing of a socket with a receive pending resets the connection, and what was sent last may be
                // lost. So the receive is ended first, and disposes of the socket.
                _socket.Shutdown(SocketShutdown.Both);
                if (_receive.TryMakeLast())
                    return;
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The peer was faster: there is nobody left to tell how it ends.
        }

        DisposeSocket();
    }

    private void DisposeSocket()
    {
        _socket.Dispose();
        _files.Return();
        _receive.Dispose();
        _send.Dispose();
    }

    /// <summary>One receive after another.</summary>
    private sealed class SocketReceive(SocketConnection connection)
        : SocketAsyncEventArgs(NoExecutionContext)
    {
        private const int Quiet = 0;
        private const int Pending = 1;
        private const int Last = 2;     // pending, and whoever sees its end disposes of the socket

        private Block? _block;      // null while only waiting for something to arrive
        private bool _large;
        private int _stage = Quiet;

        public bool TryStart(bool large, bool idle, out Received received)
        {
            _large = large;
            return TryRun(idle, out received);
        }

        /// <summary>Leaves the socket to the receive that is pending. False when there is none.</summary>
        public bool TryMakeLast() => Interlocked.CompareExchange(ref _stage, Last, Pending) == Pending;

        protected override void OnCompleted(SocketAsyncEventArgs e)
        {
            var isLast = Interlocked.Exchange(ref _stage, Quiet) == Last;
            var hasOutcome = TryOutcome(out var received);
            if (isLast)
                connection.DisposeSocket();
            if (hasOutcome || TryRun(idle: false, out received))
                connection._input.OnReceived(received);
        }

        // Receives until there is an outcome; false when one is pending. Idle: waits first, without a block.
        private bool TryRun(bool idle, out Received received)
        {
            received = default;
            try
            {
                do
                {
                    if (idle)
                        SetBuffer(Memory<byte>.Empty);
                    else
                        RentBlock();
                    idle = false;
                    Volatile.Write(ref _stage, Pending);
                    if (connection._socket.ReceiveAsync(this))
                        return false;
                    if (Interlocked.Exchange(ref _stage, Quiet) == Last)
                        connection.DisposeSocket();
                }
                while (!TryOutcome(out received));
                return true;
            }
            catch (ObjectDisposedException)
            {
                // Another thread aborted the connection; its CloseReason says why.
                received = End(CloseReason.Aborted);
                return true;
            }
        }

        // False when a wait without a block ended well: now there is something to receive.
        private bool TryOutcome(out Received received)
        {
            if (SocketError != SocketError.Success)
            {
                received = End(CloseReason.PeerReset);
                return true;
            }

            if (_block is null)
            {
                received = default;
                return false;
            }

            if (BytesTransferred == 0)
            {
                received = End(CloseReason.PeerClosed);
                return true;
            }

            _block.Fill(BytesTransferred);
            received = new(_block, CloseReason.None);
            _block = null;
            return true;
        }

        private Received End(CloseReason reason)
        {
            if (_block is not null)
                connection._pool.Return(_block);
            _block = null;
            return new(null, reason);
        }

        private void RentBlock()
        {
            _block = _large ? connection._pool.RentLarge() : connection._pool.RentSmall();
            SetBuffer(_block.Array);
        }
    }

    /// <summary>One send after another; one of many pieces takes several calls.</summary>
    private sealed class SocketSend(SocketConnection connection)
        : SocketAsyncEventArgs(NoExecutionContext)
    {
        // The runtime describes so many pieces to the kernel on its stack, and allocates two arrays per call for more.
        private const int PiecesPerCall = 8;

        private readonly List<ArraySegment<byte>> _batch = new(PiecesPerCall);
        private List<ArraySegment<byte>> _pieces = [];
        private int _next;          // the first piece that no call has been made for
        private long _bytes;        // taken by the calls that have ended

        public bool TryStart(List<ArraySegment<byte>> pieces, out Sent sent)
        {
            _pieces = pieces;
            _next = 0;
            _bytes = 0;
            return TryRun(out sent);
        }

        protected override void OnCompleted(SocketAsyncEventArgs e)
        {
            if (TryOutcome(out var sent) || TryRun(out sent))
                connection._output.OnSent(sent);
        }

        // Calls until there is an outcome; false when one is pending.
        private bool TryRun(out Sent sent)
        {
            try
            {
                do
                {
                    TakeBatch();
                    if (connection._socket.SendAsync(this))
                    {
                        sent = default;
                        return false;
                    }
                }
                while (!TryOutcome(out sent));
                return true;
            }
            catch (ObjectDisposedException)
            {
                sent = new(false, _bytes);
                return true;
            }
        }

        // False when a call ended well and there are pieces left.
        private bool TryOutcome(out Sent sent)
        {
            _bytes += BytesTransferred;
            var succeeded = SocketError == SocketError.Success;
            sent = new(succeeded, _bytes);
            return !succeeded || _next == _pieces.Count;
        }

        private void TakeBatch()
        {
            if (_pieces.Count == 1)
            {
                if (BufferList is not null)
                    BufferList = null;
                SetBuffer(_pieces[0].Array, _pieces[0].Offset, _pieces[0].Count);
                _next = 1;
                return;
            }

            _batch.Clear();
            while (_next < _pieces.Count && _batch.Count < PiecesPerCall)
                _batch.Add(_pieces[_next++]);
            if (MemoryBuffer.Length > 0)
                SetBuffer(null, 0, 0);
            BufferList = _batch;
        }
    }
}
