using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>How waiting for a turn to connect ended.</summary>
internal enum TurnEndKind : byte
{
    /// <summary>It may connect, and holds a place in the gate.</summary>
    Connect,

    /// <summary>A connection came back, and is its own now.</summary>
    Handed,

    /// <summary>The connect timeout passed.</summary>
    TimedOut,

    /// <summary>The client left.</summary>
    Left,
}

/// <summary>How waiting for a turn to connect ended.</summary>
/// <param name="Kind">How.</param>
/// <param name="Handed">The connection, when one was handed over.</param>
internal readonly record struct TurnEnd(TurnEndKind Kind, BackendConnection? Handed);

/// <summary>One request in the queue before a <see cref="ConnectGate"/>. Whoever ends it first decides how.</summary>
/// <remarks>The waiting code goes on where it came from: on its own lane.</remarks>
internal sealed class ConnectTurn : IWaiting, IDeadlineOwner
{
    private readonly TaskCompletionSource<TurnEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Heartbeat _heartbeat;
    private readonly DeadlineSlot _deadline;

    /// <summary>Begins to wait until a deadline, in heartbeat time. <see cref="Release"/> must follow.</summary>
    public ConnectTurn(Heartbeat heartbeat, long deadline)
    {
        _heartbeat = heartbeat;
        _deadline = heartbeat.Register(this);
        _deadline.Read = deadline;
    }

    /// <summary>Its place in the order of arrival; set by the gate.</summary>
    public long Number { get; set; }

    /// <summary>Waits for the end.</summary>
    public Task<TurnEnd> EndAsync() => _end.Task;

    /// <summary>Ends the wait. False when it has ended already.</summary>
    public bool TryEnd(TurnEndKind kind, BackendConnection? handed = null) => _end.TrySetResult(new(kind, handed));

    /// <inheritdoc/>
    public void Leave() => TryEnd(TurnEndKind.Left);

    /// <summary>The deadline is needed no more. Once.</summary>
    public void Release() => _heartbeat.Release(_deadline);

    /// <inheritdoc/>
    public void OnDeadline(DeadlineKind kind) => TryEnd(TurnEndKind.TimedOut);
}
