using System.Net;

namespace PolyBalance.Transport;

/// <summary>Accepts what connects to one address of a <see cref="MemoryTransport"/>.</summary>
/// <param name="transport">Whose address.</param>
/// <param name="address">Where.</param>
/// <param name="backlog">Clients that may be connected and not yet accepted; one more has to wait.</param>
internal sealed class MemoryListener(MemoryTransport transport, EndPoint address, int backlog) : IConnectionListener
{
    private readonly Lock _gate = new();        // guards every field below; nothing else is locked inside it
    private readonly Queue<MemoryConnection> _waiting = new();
    private readonly Queue<Knock> _knocking = new();
    private TaskCompletionSource<Connection?>? _accepting;
    private bool _hasAcceptor;                  // a flow accepts here, and comes back until it gets null
    private bool _isDisposed;

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; } = address;

    /// <inheritdoc/>
    public ValueTask<Connection?> AcceptAsync(int acceptor = 0)
    {
        MemoryConnection? accepted;
        Knock? knock;
        lock (_gate)
        {
            _hasAcceptor = true;
            if (_isDisposed)
                return new(_waiting.TryDequeue(out var late) ? late : null);

            knock = NextKnock();
            if (!_waiting.TryDequeue(out accepted))
                accepted = knock?.Accepted;
            else if (knock is not null)
                _waiting.Enqueue(knock.Accepted);

            if (accepted is null)
            {
                _accepting = new();
                return new(_accepting.Task);
            }
        }

        knock?.Answer(transport, FailureKind.None);
        return new(accepted);
    }

    /// <summary>Somebody connects.</summary>
    /// <param name="accepted">The end that the listener will hand out.</param>
    /// <param name="connecting">Hears what became of it; without room that takes until the next accept.</param>
    public void Offer(MemoryConnection accepted, TaskCompletionSource<FailureKind> connecting)
    {
        TaskCompletionSource<Connection?>? accepting;
        lock (_gate)
        {
            if (_isDisposed)
            {
                connecting.TrySetResult(FailureKind.ConnectRefused);
                return;
            }

            accepting = _accepting;
            _accepting = null;
            if (accepting is null && _waiting.Count >= backlog)
            {
                _knocking.Enqueue(new(accepted, connecting));
                return;
            }

            if (accepting is null)
                _waiting.Enqueue(accepted);
        }

        connecting.TrySetResult(FailureKind.None);
        if (accepting is not null)
            transport.Completions.Run(new Entry(accepting, accepted));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        TaskCompletionSource<Connection?>? accepting;
        var unheard = new List<MemoryConnection>();
        lock (_gate)
        {
            if (_isDisposed)
                return ValueTask.CompletedTask;

            _isDisposed = true;
            accepting = _accepting;
            while (!_hasAcceptor && _waiting.TryDequeue(out var connection))
                unheard.Add(connection);
        }

        // Whoever comes from now on finds the listener disposed; who has come is accepted still, where somebody does.
        transport.Forget(this);
        while (NextKnock() is { } knock)
            knock.Answer(transport, FailureKind.ConnectRefused);
        foreach (var connection in unheard)
            connection.Abort(CloseReason.Aborted);
        if (accepting is not null)
            transport.Completions.Run(new Entry(accepting, null));
        return ValueTask.CompletedTask;
    }

    // The first that has not given up.
    private Knock? NextKnock()
    {
        while (_knocking.TryDequeue(out var knock))
        {
            if (!knock.HasGivenUp)
                return knock;
        }

        return null;
    }

    /// <summary>A client that waits for room in the backlog.</summary>
    private sealed class Knock(MemoryConnection accepted, TaskCompletionSource<FailureKind> connecting) : ICompletion
    {
        private FailureKind _answer;

        public MemoryConnection Accepted => accepted;

        public bool HasGivenUp => connecting.Task.IsCompleted;

        public void Answer(MemoryTransport transport, FailureKind answer)
        {
            _answer = answer;
            transport.Completions.Run(this);
        }

        public void Run() => connecting.TrySetResult(_answer);
    }

    /// <summary>A client for an accept that was waiting, or the end of the listener.</summary>
    private sealed class Entry(TaskCompletionSource<Connection?> accepting, MemoryConnection? accepted) : ICompletion
    {
        public void Run() => accepting.SetResult(accepted);
    }
}
