using System.Threading.Tasks.Sources;

namespace PolyBalance.Transport.Linux;

/// <summary>Clients of one loop that are connected and not yet accepted, and the one flow that accepts them.</summary>
/// <remarks>The flow goes on, inline, on the loop that offers a client. Any thread may begin and close.</remarks>
internal sealed class AcceptLane : IValueTaskSource<Connection?>
{
    private readonly Lock _gate = new();        // guards every field below; nothing else is locked inside it
    private readonly Queue<Connection> _waiting = new();
    private ManualResetValueTaskSourceCore<Connection?> _core;
    private bool _isAccepting;
    private bool _hasAcceptor;                  // a flow accepts here, and comes back until it gets null
    private bool _isClosed;

    /// <summary>The next client; null when the lane is closed and nobody waits. One caller at a time.</summary>
    public ValueTask<Connection?> AcceptAsync()
    {
        lock (_gate)
        {
            _hasAcceptor = true;
            if (_waiting.TryDequeue(out var connection))
                return new(connection);
            if (_isClosed)
                return new(default(Connection));

            _core.Reset();
            _isAccepting = true;
            return new(this, _core.Version);
        }
    }

    /// <summary>A client has come. Thread of the loop that it will live on.</summary>
    public void Offer(Connection connection)
    {
        bool isAccepting;
        lock (_gate)
        {
            isAccepting = _isAccepting;
            _isAccepting = false;
            if (!isAccepting && !_isClosed)
            {
                _waiting.Enqueue(connection);
                return;
            }
        }

        if (isAccepting)
            _core.SetResult(connection);
        else
            connection.Abort(CloseReason.Aborted);
    }

    /// <summary>
    /// Nobody is offered any more. Who waits is still accepted, or turned away when nobody has ever accepted.
    /// </summary>
    public void Close()
    {
        bool isAccepting;
        bool hasAcceptor;
        lock (_gate)
        {
            (isAccepting, hasAcceptor) = (_isAccepting, _hasAcceptor);
            _isAccepting = false;
            _isClosed = true;
        }

        // Nobody else touches the queue then.
        while (!hasAcceptor && _waiting.TryDequeue(out var unheard))
            unheard.Abort(CloseReason.Aborted);
        if (isAccepting)
            _core.SetResult(null);
    }

    /// <inheritdoc/>
    Connection? IValueTaskSource<Connection?>.GetResult(short token) => _core.GetResult(token);

    /// <inheritdoc/>
    ValueTaskSourceStatus IValueTaskSource<Connection?>.GetStatus(short token) => _core.GetStatus(token);

    /// <inheritdoc/>
    void IValueTaskSource<Connection?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _core.OnCompleted(continuation, state, token, Inline.Of(flags));
}
