namespace PolyBalance.Backends;

/// <summary>Who wants a backend to get no new work. Several may at once.</summary>
[Flags]
internal enum DrainCauses
{
    /// <summary>Nobody does.</summary>
    None = 0,

    /// <summary>The operator: the configuration, or an order.</summary>
    Operator = 1,

    /// <summary>The backend itself, in its answer to a probe.</summary>
    Probe = 2,

    /// <summary>The backend itself, in a response to a client.</summary>
    Response = 4,
}

/// <summary>Whether a backend drains: it finishes what it has and keeps its sessions, and gets nothing new.</summary>
/// <remarks>
/// Any thread. What follows from it comes with the next snapshot. See decisions/0032-who-may-drain-a-backend.md.
/// </remarks>
internal sealed class DrainState
{
    private int _causes;
    private long _responseUntil;

    /// <summary>Who wants it.</summary>
    public DrainCauses Causes => (DrainCauses)Volatile.Read(ref _causes);

    /// <summary>Whether anybody does.</summary>
    public bool IsDraining => Causes != DrainCauses.None;

    /// <summary>Whether the operator does. Then it gets nothing new even if nobody else is left.</summary>
    public bool IsOrdered => (Causes & DrainCauses.Operator) != DrainCauses.None;

    /// <summary>Somebody wants it.</summary>
    /// <returns>False: he did already.</returns>
    public bool TryBegin(DrainCauses cause)
        => ((DrainCauses)Interlocked.Or(ref _causes, (int)cause) & cause) == DrainCauses.None;

    /// <summary>Somebody wants it no more.</summary>
    /// <returns>Whether it has ended by that: nobody else wants it.</returns>
    public bool TryEnd(DrainCauses cause)
        => ((DrainCauses)Interlocked.And(ref _causes, ~(int)cause) & ~cause) == DrainCauses.None;

    /// <summary>A response wanted it; it holds for a while, and each such response makes that longer.</summary>
    /// <param name="until">In heartbeat time.</param>
    /// <returns>False: one did already.</returns>
    public bool TryBeginByResponse(long until)
    {
        // First until when: whoever sees the wish sees for how long.
        Volatile.Write(ref _responseUntil, until);
        return (Causes & DrainCauses.Response) == DrainCauses.None && TryBegin(DrainCauses.Response);
    }

    /// <summary>For how long the wish of a response still holds; 0 or less: there is none.</summary>
    /// <param name="now">In heartbeat time.</param>
    public long LeftOfResponse(long now)
        => (Causes & DrainCauses.Response) == DrainCauses.None ? 0 : Volatile.Read(ref _responseUntil) - now;

    /// <summary>Whether the wish of a response has not been repeated for long enough.</summary>
    /// <param name="now">In heartbeat time.</param>
    public bool IsResponseOver(long now)
        => (Causes & DrainCauses.Response) != DrainCauses.None && now >= Volatile.Read(ref _responseUntil);
}
