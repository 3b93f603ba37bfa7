using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>One connection to a backend, with the facts that decide its reuse.</summary>
/// <remarks>
/// Busy: one exchange owns it. Idle: the pool owns it and watches it; whoever changes the state from idle, by one
/// atomic exchange, owns it from then on: a request that reuses it, the sweep that closes it, or the peer's own close.
/// </remarks>
internal sealed class BackendConnection(Connection connection, ConnectionPool pool, long born, int generation)
    : IConnectionWatcher
{
    private const int Busy = 0;
    private const int Idle = 1;
    private const int Gone = 2;

    private int _state = Busy;

    /// <summary>The bytes.</summary>
    public Connection Connection { get; } = connection;

    /// <summary>When it was established, in heartbeat time.</summary>
    public long Born { get; } = born;

    /// <summary>
    /// The pool's generation at its birth: a connection of an older generation is closed when it is returned.
    /// </summary>
    public int Generation { get; } = generation;

    /// <summary>When it became idle last, in heartbeat time.</summary>
    public long IdleSince { get; private set; }

    /// <summary>How long it had been idle when it was reused last, in heartbeat ticks.</summary>
    public long IdleFor { get; private set; }

    /// <summary>
    /// Whether it has carried an exchange before: then an end without a response may be a stale connection.
    /// </summary>
    public bool IsReused { get; private set; }

    /// <summary>Its place in the pool's table.</summary>
    public int Slot { get; set; }

    /// <summary>Whether nobody uses it.</summary>
    public bool IsIdle => Volatile.Read(ref _state) == Idle;

    /// <summary>Takes it from the pool for an exchange. False when somebody else was faster.</summary>
    public bool TryUse(long now)
    {
        if (Interlocked.CompareExchange(ref _state, Busy, Idle) != Idle)
            return false;

        Connection.Unwatch();
        IdleFor = now - IdleSince;
        IsReused = true;
        return true;
    }

    /// <summary>Makes it idle and watched. The caller was its owner.</summary>
    /// <returns>False when it turned out to be of no use; it is closed then.</returns>
    public bool TryRest(long now)
    {
        IdleSince = now;
        Connection.ReadDeadline = Heartbeat.Never;
        Volatile.Write(ref _state, Idle);
        Connection.Watch(this);
        return IsIdle;
    }

    /// <summary>Takes it out of the pool to close it. False when it is in use, or already gone.</summary>
    public bool TryRetire()
    {
        if (Interlocked.CompareExchange(ref _state, Gone, Idle) != Idle)
            return false;

        Connection.Close();
        ReturnMemory();
        return true;
    }

    /// <summary>The exchange that owns it gives it up.</summary>
    public void Discard(CloseReason reason)
    {
        Volatile.Write(ref _state, Gone);
        if (reason == CloseReason.Closed)
            Connection.Close();
        else
            Connection.Abort(reason);
        ReturnMemory();
    }

    /// <summary>Bytes that nobody asked for, or the end: either way the connection is of no use any more.</summary>
    void IConnectionWatcher.OnInput(bool ended)
    {
        if (TryRetire())
            pool.OnIdleLost(this);
    }

    private void ReturnMemory()
    {
        Connection.Input.Complete();
        Connection.Output.Complete();
    }
}
