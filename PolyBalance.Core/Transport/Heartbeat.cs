namespace PolyBalance.Transport;

/// <summary>Which of a connection's two deadlines passed.</summary>
internal enum DeadlineKind : byte
{
    /// <summary>Nothing was received in time.</summary>
    Read,

    /// <summary>Nothing could be sent in time.</summary>
    Write,
}

/// <summary>Is told when one of its deadlines has passed.</summary>
internal interface IDeadlineOwner
{
    /// <summary>A deadline passed. On the heartbeat's thread; must not block.</summary>
    void OnDeadline(DeadlineKind kind);
}

/// <summary>
/// One tick for every deadline: setting one is a store, and a tick in which none is due is a comparison.
/// </summary>
/// <remarks>
/// A timer per read would cost more than the read. Deadlines fire at most two ticks late and never early. Registering
/// and releasing take a lock, once per connection; setting takes none.
/// </remarks>
internal sealed class Heartbeat : IDisposable
{
    /// <summary>No deadline: none was set, or the one that was has fired.</summary>
    public const long Never = long.MaxValue;

    /// <summary>A deadline that is set and never passes; so it can be told from one that has fired.</summary>
    public const long Unbounded = long.MaxValue - 1;

    /// <summary>Time between two ticks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private readonly TimeProvider _clock;
    private readonly TimeProvider _coarseClock;
    private readonly double _spanTicks;         // TimeSpan ticks in one of ours
    private readonly ITimer _timer;
    private readonly Lock _gate = new();        // guards _free, _slots and _beats; nothing else is locked inside it
    private readonly Stack<int> _free = new();
    private DeadlineSlot?[] _slots = [];
    private Beat[] _beats = [];
    private TaskCompletionSource? _nextTick;
    private long _utcAtZero;            // wall clock at heartbeat time 0; unit: TimeSpan ticks
    private long _nextDue = Never;      // no deadline is earlier; it may be earlier than all of them
    private int _passes;                // passes over all slots that are still to be made
    private int _ticking;

    /// <summary>Starts ticking.</summary>
    /// <param name="clock">The clock that it ticks by.</param>
    /// <param name="coarseClock">One that is cheaper to look at and hardly ever behind; null: there is none.</param>
    public Heartbeat(TimeProvider clock, TimeProvider? coarseClock = null)
    {
        _clock = clock;
        _coarseClock = coarseClock ?? clock;
        _spanTicks = (double)TimeSpan.TicksPerSecond / clock.TimestampFrequency;
        SetWallClock();
        _timer = _coarseClock.CreateTimer(static state => ((Heartbeat)state!).Tick(), this, Period, Period);
    }

    /// <summary>
    /// The clock that deadlines are measured with. Unit: ticks of <see cref="TimeProvider.TimestampFrequency"/>.
    /// </summary>
    public long Now => _coarseClock.GetTimestamp();

    /// <summary>The same to the microsecond, for what is measured and shown.</summary>
    public long ExactNow => _clock.GetTimestamp();

    /// <summary>The wall clock, for access records and Date.</summary>
    public DateTimeOffset UtcNow => _clock.GetUtcNow();

    /// <summary>
    /// The wall clock at a moment in heartbeat time. Off by what the wall clock was set since the last tick, and spares
    /// a second clock read per exchange.
    /// </summary>
    public DateTimeOffset UtcAt(long moment) => new(Volatile.Read(ref _utcAtZero) + Span(moment).Ticks, TimeSpan.Zero);

    /// <summary>A time span in the unit of <see cref="Now"/>.</summary>
    public long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _clock.TimestampFrequency);

    /// <summary>A difference of two <see cref="Now"/> as a time span.</summary>
    public TimeSpan Span(long ticks) => new((long)(ticks * _spanTicks));

    /// <summary>Gives an owner its two deadlines. They must be released when the owner ends.</summary>
    public DeadlineSlot Register(IDeadlineOwner owner)
    {
        lock (_gate)
        {
            if (_free.Count == 0)
                Grow();

            var slot = new DeadlineSlot(this, owner, _free.Pop());
            _slots[slot.Index] = slot;
            return slot;
        }
    }

    /// <summary>Forgets an owner. Deadlines it still sets pass unnoticed. Once per slot.</summary>
    public void Release(DeadlineSlot slot)
    {
        lock (_gate)
        {
            _slots[slot.Index] = null;
            _free.Push(slot.Index);
        }
    }

    /// <summary>
    /// Calls <paramref name="action"/> about every <paramref name="period"/>, on the heartbeat thread. It must not
    /// block.
    /// </summary>
    public void Every(TimeSpan period, Action action)
    {
        var beat = new Beat(action, Ticks(period)) { Next = Now + Ticks(period) };
        lock (_gate)
            _beats = [.. _beats, beat];
    }

    /// <summary>Completes at the next tick: for a loop that must not spin.</summary>
    public Task NextTickAsync()
    {
        var tick = Volatile.Read(ref _nextTick);
        if (tick is not null)
            return tick.Task;

        var fresh = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _nextTick, fresh, null) ?? fresh).Task;
    }

    /// <summary>Fires what has passed. The timer calls it; tests with a clock of their own may too.</summary>
    public void Tick()
    {
        // A tick that takes longer than the period must not be overtaken by the next one.
        if (Interlocked.Exchange(ref _ticking, 1) == 1)
            return;

        try
        {
            SetWallClock();
            var now = Now;
            FireDeadlines(now);

            foreach (var beat in Volatile.Read(ref _beats))
                beat.Fire(now);

            Interlocked.Exchange(ref _nextTick, null)?.SetResult();
        }
        finally
        {
            Volatile.Write(ref _ticking, 0);
        }
    }

    /// <summary>A deadline was set. Any thread.</summary>
    public void Expect(long deadline)
    {
        // Usually an earlier one is known already.
        var nextDue = Volatile.Read(ref _nextDue);
        while (deadline < nextDue)
        {
            var before = Interlocked.CompareExchange(ref _nextDue, deadline, nextDue);
            if (before == nextDue)
                return;
            nextDue = before;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    // Setting is two steps without a fence: a deadline may be stored just behind a pass that ought to have seen it, by
    // somebody who still found the old `_nextDue`. The second pass, a tick later, sees it.
    private void FireDeadlines(long now)
    {
        if (now >= Volatile.Read(ref _nextDue))
            _passes = 2;
        if (_passes == 0)
            return;

        _passes--;
        Interlocked.Exchange(ref _nextDue, Never);
        var nextDue = Never;
        foreach (var slot in Volatile.Read(ref _slots))
        {
            if (slot is not null)
                nextDue = Math.Min(nextDue, slot.Fire(now));
        }

        Expect(nextDue);
    }

    private void SetWallClock() => Volatile.Write(ref _utcAtZero, _clock.GetUtcNow().UtcTicks - Span(Now).Ticks);

    private void Grow()
    {
        // A copy, not a resize in place: a tick may be walking the old array.
        var grown = new DeadlineSlot?[Math.Max(64, _slots.Length * 2)];
        _slots.CopyTo(grown, 0);
        for (var index = grown.Length - 1; index >= _slots.Length; index--)
            _free.Push(index);
        Volatile.Write(ref _slots, grown);
    }

    private sealed class Beat(Action action, long period)
    {
        public long Next;

        public void Fire(long now)
        {
            if (now < Next)
                return;

            Next = now + period;
            action();
        }
    }
}

/// <summary>The two deadlines of one owner. Written by the owner, read by the heartbeat.</summary>
/// <param name="heartbeat">Whose tick looks at them.</param>
/// <param name="owner">Whom to tell.</param>
/// <param name="index">Where the heartbeat keeps the slot.</param>
internal sealed class DeadlineSlot(Heartbeat heartbeat, IDeadlineOwner owner, int index)
{
    private long _read = Heartbeat.Never;
    private long _write = Heartbeat.Never;

    /// <summary>Where the heartbeat keeps the slot.</summary>
    public int Index => index;

    /// <summary>When reading has to have made progress.</summary>
    public long Read
    {
        get => Volatile.Read(ref _read);
        set
        {
            Volatile.Write(ref _read, value);
            heartbeat.Expect(value);
        }
    }

    /// <summary>When writing has to have made progress.</summary>
    public long Write
    {
        get => Volatile.Read(ref _write);
        set
        {
            Volatile.Write(ref _write, value);
            heartbeat.Expect(value);
        }
    }

    /// <summary>Tells the owner of deadlines that have passed, once each.</summary>
    /// <returns>The earlier one of those that are left.</returns>
    public long Fire(long now)
    {
        // The exchange makes sure that a deadline that is moved right now is not taken for the old one.
        var read = Read;
        if (read <= now && Interlocked.CompareExchange(ref _read, Heartbeat.Never, read) == read)
            owner.OnDeadline(DeadlineKind.Read);

        var write = Write;
        if (write <= now && Interlocked.CompareExchange(ref _write, Heartbeat.Never, write) == write)
            owner.OnDeadline(DeadlineKind.Write);
        return Math.Min(Read, Write);
    }
}
