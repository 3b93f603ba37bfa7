using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using PolyBalance.Configuration;
using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>The connections to one backend: no more than allowed, none stale, the newest reused first.</summary>
/// <remarks>
/// Any thread, lock-free on the way of a request. <c>pool.size</c> idle connections are kept in quiet times; what a
/// burst leaves beyond them decays by half every five seconds instead of being closed on return, so that bursts do not
/// burn ports.
/// </remarks>
internal sealed class ConnectionPool
{
    // Swept once a second: 1 - 2^(-1/5) of the surplus each time halves it in five seconds.
    private const double DecayPerSweep = 0.1295;

    private const int ReuseCount = 0;

    private readonly IdleStack _idle;
    private readonly IdleLimit _idleLimit;
    private readonly LaneCounters _counts = new();
    private readonly ConnectGate _gate;
    private readonly BackendAddress _address;
    private readonly ITransport _transport;
    private readonly PoolOptions _options;
    private readonly BackendMetrics _metrics;
    private readonly long _connectTimeout;
    private readonly long _idleTimeout;
    private readonly long _lifetimeMax;
    private int _open;
    private int _generation;
    private BackendConnection? _witness;    // idle for too long to be reused: left for the backend to close
    private long _opened;

    /// <summary>Makes an empty pool; connects nothing yet.</summary>
    public ConnectionPool(
        BackendAddress address, ITransport transport, PoolOptions options, TimeSpan connectTimeout,
        BackendMetrics? metrics = null)
    {
        _idle = new(transport.Lanes);
        _gate = new(transport.KeepsLanesApart ? transport.Lanes : 1);
        _idleLimit = new(transport.Heartbeat);
        _address = address;
        (_transport, _options, _metrics) = (transport, options, metrics ?? new(new()));
        _connectTimeout = transport.Heartbeat.Ticks(connectTimeout);
        _idleTimeout = transport.Heartbeat.Ticks(options.IdleTimeout);
        _lifetimeMax = transport.Heartbeat.Ticks(options.LifetimeMax);
    }

    /// <summary>Connections open now, idle and in use together.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Connections idle now. A glance: exact only while nothing moves.</summary>
    public int Idle => _idle.CountIdle();

    /// <summary>Connections established since the start.</summary>
    public long Opened => Interlocked.Read(ref _opened);

    /// <summary>Times a connection was reused.</summary>
    public long Reused => _counts.Sum(ReuseCount);

    /// <summary>Idle connections that the backend closed; each would have failed a request that reused it.</summary>
    public long Lost => _metrics.IdleLost;

    /// <summary>How long a connection may be idle and still be reused.</summary>
    public IdleLimit IdleLimit => _idleLimit;

    /// <summary>Connects under way.</summary>
    public int Connecting => _gate.Count;

    /// <summary>
    /// A connection for one exchange: the newest idle one that is alive, else a fresh one. When enough others connect
    /// already: the first that comes back, or the turn to connect, whatever is sooner, within the connect timeout.
    /// </summary>
    /// <param name="mustBeFresh">Never an idle one: the exchange has just lost a stale connection.</param>
    /// <param name="mustBeSure">
    /// The request cannot be sent twice: ask the medium once more whether an idle connection is alive. A system call.
    /// </param>
    /// <param name="client">Whom it is for, so that it can leave while it waits; null: it stays.</param>
    public ValueTask<AcquireResult> AcquireAsync(bool mustBeFresh, bool mustBeSure, IWaitingClient? client = null)
    {
        var now = _transport.Heartbeat.Now;
        while (!mustBeFresh && TryPop(_transport.Lane, out var idle))
        {
            if (!_idleLimit.Trusts(now - idle.IdleSince, mustBeSure))
            {
                // The newest is too old, so all are; but a request that may be sent twice could still use it.
                if (mustBeSure && _idleLimit.Trusts(now - idle.IdleSince, mustBeSure: false))
                {
                    _idle.Push(idle);
                    break;
                }

                SetAside(idle);
                continue;
            }

            if (!idle.TryUse(now))
                _idle.Forget(idle);
            else if (IsOfUse(idle, mustBeSure))
                return new(new AcquireResult(idle, FailureKind.None));
        }

        return _gate.TryEnter()
            ? ConnectAsync(now + _connectTimeout)
            : WaitAsync(mustBeFresh, mustBeSure, client);
    }

    /// <summary>Takes a connection back whose exchange ended cleanly on both sides.</summary>
    public void Return(BackendConnection connection)
    {
        if (connection.Generation != Volatile.Read(ref _generation))
        {
            Discard(connection, CloseReason.Closed);
            return;
        }

        if (!connection.TryRest(_transport.Heartbeat.Now))
        {
            _idle.Forget(connection);
            return;
        }

        _idle.Push(connection);

        // Retired just now, before it was idle: whoever retired the pool did not see it.
        if (connection.Generation != Volatile.Read(ref _generation) && connection.TryRetire())
            Interlocked.Decrement(ref _open);

        // Somebody may wait for it. The push before this look, and the look for idle connections behind a waiter's
        // joining the queue: one of the two sees the other.
        var lane = _gate.LaneOf(_transport, connection.Connection.Lane);
        if (_gate.HasWaiting(lane))
            ServeWaiting(lane);
    }

    /// <summary>Closes a connection that cannot carry another exchange.</summary>
    public void Discard(BackendConnection connection, CloseReason reason)
    {
        connection.Discard(reason);
        _idle.Forget(connection);
        Interlocked.Decrement(ref _open);
    }

    /// <summary>
    /// Closes idle connections that are too old, and part of a surplus. Called by the heartbeat about once a second.
    /// </summary>
    public void Sweep()
    {
        var now = _transport.Heartbeat.Now;
        if (Volatile.Read(ref _witness) is { IsIdle: true } witness)
            _idleLimit.ObserveOpen(now - witness.IdleSince);

        var surplus = _idle.CountIdle() - _options.IdleConnections;
        var decay = surplus > 0 ? (int)Math.Ceiling(surplus * DecayPerSweep) : 0;
        foreach (var connection in _idle.OldestFirst())
        {
            var isExpired = now - connection.IdleSince > _idleTimeout || IsTooOld(connection);
            if (!isExpired && decay <= 0)
                continue;

            if (connection.TryRetire())
            {
                decay--;
                Interlocked.Decrement(ref _open);
            }
        }
    }

    /// <summary>
    /// Closes half of the idle connections, the longest idle first: somebody else needs their file descriptors.
    /// Called by the heartbeat.
    /// </summary>
    public void Shed()
    {
        var idle = _idle.OldestFirst();
        foreach (var connection in idle[..((idle.Count + 1) / 2)])
        {
            if (connection.TryRetire())
                Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>
    /// The backend has left the configuration: idle connections close now, busy ones when they are returned.
    /// </summary>
    public void Retire()
    {
        Interlocked.Increment(ref _generation);
        foreach (var connection in _idle.OldestFirst())
        {
            if (connection.TryRetire())
                Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>A connection that had just been reused turned out to be closed: nothing came back on it.</summary>
    public void ReportStale(BackendConnection connection)
        => _idleLimit.ObserveClose(connection.IdleFor, _transport.Heartbeat.Now);

    /// <summary>
    /// An idle connection was closed by the backend. Called by the connection, on the thread that saw it.
    /// </summary>
    public void OnIdleLost(BackendConnection connection)
    {
        var now = _transport.Heartbeat.Now;
        _idleLimit.ObserveClose(now - connection.IdleSince, now);
        _metrics.ObserveIdleLost();
        Interlocked.Decrement(ref _open);
    }

    /// <summary>How many connects may be under way at once from now on.</summary>
    public void SetConnectsAtOnce(int limit) => _gate.SetLimit(limit);

    private bool IsTooOld(BackendConnection connection)
        => _transport.Heartbeat.Now - connection.Born > _lifetimeMax;

    // Closes it when it is of no use.
    private bool IsOfUse(BackendConnection idle, bool mustBeSure)
    {
        var isTooOld = IsTooOld(idle);
        var isStale = mustBeSure && idle.Connection.HasUnreportedInput();
        if (isStale)
            _metrics.ObserveIdleLost();
        if (isStale || isTooOld)
        {
            Discard(idle, CloseReason.Closed);
            return false;
        }

        _counts.Add(ReuseCount, 1);
        return true;
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<AcquireResult> WaitAsync(bool mustBeFresh, bool mustBeSure, IWaitingClient? client)
    {
        var deadline = _transport.Heartbeat.Now + _connectTimeout;
        while (true)
        {
            var turn = new ConnectTurn(_transport.Heartbeat, deadline);
            if (client is not null && !client.TryWait(turn))
            {
                turn.Release();
                return new(null, FailureKind.ClientClosed);
            }

            // A fresh one comes from nobody's hand: who must have it waits where nothing is handed out.
            var lane = mustBeFresh ? _gate.NoLane : _gate.LaneOf(_transport, _transport.Lane);
            _gate.Wait(turn, lane);
            ServeWaiting(lane);
            var end = await turn.EndAsync();
            turn.Release();
            if (client is not null && !client.TryEndWait(turn))
                return GiveUp(end);

            switch (end.Kind)
            {
                case TurnEndKind.Connect:
                    return await ConnectAsync(deadline);
                case TurnEndKind.Handed when IsOfUse(end.Handed!, mustBeSure):
                    return new(end.Handed, FailureKind.None);
                case TurnEndKind.TimedOut or TurnEndKind.Left:
                    return GiveUp(end);
            }
        }
    }

    // Nothing came in time, or the client has left, perhaps just when its turn came.
    private AcquireResult GiveUp(TurnEnd end)
    {
        if (end.Kind == TurnEndKind.Connect)
            _gate.Leave();
        else if (end.Handed is { } handed)
            Return(handed);
        return new(null, end.Kind == TurnEndKind.TimedOut ? FailureKind.ConnectTimedOut : FailureKind.ClientClosed);
    }

    // Hands what has just come back to those who wait for it.
    private void ServeWaiting(int lane)
    {
        var ownLane = _transport.KeepsLanesApart ? lane : _transport.Lane;
        while (_gate.HasWaiting(lane) && TryPop(ownLane, out var idle))
        {
            var now = _transport.Heartbeat.Now;
            if (!_idleLimit.Trusts(now - idle.IdleSince, mustBeSure: true))
            {
                // Whoever can use one that old has had his look at it.
                _idle.Push(idle);
                return;
            }

            if (!idle.TryUse(now))
                _idle.Forget(idle);
            else if (!_gate.TryHand(lane, idle))
                Return(idle);
        }
    }

    // The caller holds a place in the gate, which is given back here.
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<AcquireResult> ConnectAsync(long deadline)
    {
        var generation = Volatile.Read(ref _generation);
        while (!TryCount())
        {
            // A connection that is idle in another lane, or for too long, is of no use here, but its place is.
            if (TryDismissWitness() || TryEvict())
                continue;

            _gate.Leave();
            return new(null, FailureKind.PoolExhausted);
        }

        var started = _transport.Heartbeat.ExactNow;
        var result = await _address.ConnectAsync(_transport, deadline);
        _gate.Leave();
        if (result.Connection is null)
        {
            Interlocked.Decrement(ref _open);
            return new(null, result.Failure);
        }

        Interlocked.Increment(ref _opened);
        _metrics.Connect.Record(_transport.Heartbeat.Span(_transport.Heartbeat.ExactNow - started));
        var connection = new BackendConnection(result.Connection, this, _transport.Heartbeat.Now, generation);
        _idle.Enrol(connection);
        return new(connection, FailureKind.None);
    }

    // Of the caller's own lane, so that an exchange stays on its thread; else of any, where any is of use.
    private bool TryPop(int lane, [NotNullWhen(true)] out BackendConnection? idle)
    {
        if (lane >= 0 && _idle.TryPop(lane, out idle))
            return true;

        idle = null;
        return !_transport.KeepsLanesApart && _idle.TryPopAny(out idle);
    }

    // One stays, until the backend closes it and so tells how long it keeps idle connections.
    private void SetAside(BackendConnection idle)
    {
        var before = Volatile.Read(ref _witness);
        if (before is not { IsIdle: true } && Interlocked.CompareExchange(ref _witness, idle, before) == before)
        {
            if (before is not null)
                _idle.Forget(before);
            return;
        }

        if (idle.TryRetire())
            Interlocked.Decrement(ref _open);
        _idle.Forget(idle);
    }

    private bool TryDismissWitness()
    {
        if (Interlocked.Exchange(ref _witness, null) is not { } witness)
            return false;

        var isOurs = witness.TryRetire();
        _idle.Forget(witness);
        if (isOurs)
            Interlocked.Decrement(ref _open);
        return isOurs;
    }

    private bool TryEvict()
    {
        while (_idle.TryPopAny(out var idle))
        {
            var isOurs = idle.TryRetire();
            _idle.Forget(idle);
            if (!isOurs)
                continue;

            Interlocked.Decrement(ref _open);
            return true;
        }

        return false;
    }

    // Never too high, not even for a moment: somebody else might be refused for it.
    private bool TryCount()
    {
        while (true)
        {
            var open = Volatile.Read(ref _open);
            if (open >= _options.ConnectionsMax && _options.ConnectionsMax > 0)
                return false;
            if (Interlocked.CompareExchange(ref _open, open + 1, open) == open)
                return true;
        }
    }
}
