using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>
/// Lets only so many connects to one backend be under way at once; the others wait in the order in which they came.
/// </summary>
/// <remarks>
/// A backend that comes back must not meet a storm of connects. Any thread. While there is room and nobody waits,
/// entering is one atomic operation and so is leaving; the lock is for those who wait.
/// No wake-up is lost: who leaves counts down and then looks for waiters; who waits joins the queue and then looks for
/// room. Each of the two sees the other if it comes second.
/// Those who are gone (their client left, their time is over) stay in the queue until somebody comes past them: at the
/// latest when the next connect ends, within one connect timeout.
/// </remarks>
internal sealed class ConnectGate
{
    private readonly Lock _gate = new();        // guards the queues and _numbers
    private readonly Queue<ConnectTurn>[] _queues;
    private readonly int[] _lengths;            // of the queues, for those who look without the lock
    private volatile int _limit = Limits.ConnectsAtOnce;
    private long _numbers;
    private int _count;
    private int _waiting;

    /// <summary>Makes a gate.</summary>
    /// <param name="lanes">How many groups connections fall into; one more queue is for those who want none of
    /// them.</param>
    public ConnectGate(int lanes)
    {
        _lengths = new int[lanes + 1];
        _queues = new Queue<ConnectTurn>[lanes + 1];
        for (var index = 0; index < _queues.Length; index++)
            _queues[index] = new();
    }

    /// <summary>The queue of those to whom no connection can be handed.</summary>
    public int NoLane => _queues.Length - 1;

    /// <summary>Connects under way.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Those who wait, the ones who are gone included.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>The queue that a lane of a transport belongs to.</summary>
    public int LaneOf(ITransport transport, int lane) => !transport.KeepsLanesApart ? 0 : lane < 0 ? NoLane : lane;

    /// <summary>Whether somebody may wait in a queue.</summary>
    public bool HasWaiting(int lane) => lane != NoLane && Volatile.Read(ref _lengths[lane]) > 0;

    /// <summary>Changes how many connects may be under way.</summary>
    public void SetLimit(int limit)
    {
        var before = _limit;
        _limit = limit;
        if (limit > before)
            Admit();
    }

    /// <summary>Begins a connect at once, unless others wait or enough are under way. <see cref="Leave"/>
    /// follows.</summary>
    public bool TryEnter() => Volatile.Read(ref _waiting) == 0 && TryCount();

    /// <summary>A connect is over: the next one may begin.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _count);
        if (Volatile.Read(ref _waiting) > 0)
            Admit();
    }

    /// <summary>Joins a queue. The turn may end before this returns.</summary>
    public void Wait(ConnectTurn turn, int lane)
    {
        lock (_gate)
        {
            turn.Number = _numbers++;
            _queues[lane].Enqueue(turn);
            _lengths[lane]++;
            Interlocked.Increment(ref _waiting);
        }

        Admit();
    }

    /// <summary>Hands a connection to whoever waits longest in a queue. False when nobody does.</summary>
    public bool TryHand(int lane, BackendConnection connection)
    {
        lock (_gate)
        {
            while (_queues[lane].Count > 0)
            {
                if (Take(lane).TryEnd(TurnEndKind.Handed, connection))
                    return true;
            }
        }

        return false;
    }

    private void Admit()
    {
        lock (_gate)
        {
            while (_waiting > 0 && TryCount())
            {
                // A turn that is over already leaves the place to the next one.
                if (!Take(LongestWaiting()).TryEnd(TurnEndKind.Connect))
                    Interlocked.Decrement(ref _count);
            }
        }
    }

    private ConnectTurn Take(int lane)
    {
        var turn = _queues[lane].Dequeue();
        Volatile.Write(ref _lengths[lane], _queues[lane].Count);
        Interlocked.Decrement(ref _waiting);
        return turn;
    }

    private int LongestWaiting()
    {
        var longest = -1;
        for (var lane = 0; lane < _queues.Length; lane++)
        {
            if (_queues[lane].TryPeek(out var first)
                && (longest < 0 || first.Number < _queues[longest].Peek().Number))
            {
                longest = lane;
            }
        }

        return longest;
    }

    private bool TryCount()
    {
        while (true)
        {
            var count = Volatile.Read(ref _count);
            if (count >= _limit)
                return false;
            if (Interlocked.CompareExchange(ref _count, count + 1, count) == count)
                return true;
        }
    }
}
