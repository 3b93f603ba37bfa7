namespace PolyBalance.Tests.Support;

/// <summary>
/// A clock that only a test moves. Timers fire on the thread that moves it, in the order of their times.
/// </summary>
/// <remarks>
/// Any thread may read it and make timers; one at a time may move it. A timer that moves the clock itself gets its wish
/// when it has returned: the call that is moving the clock goes on to the later time.
/// </remarks>
internal sealed class ManualClock : TimeProvider
{
    private static readonly DateTimeOffset Beginning = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();        // guards _timers and the fields of the timers
    private readonly List<ManualTimer> _timers = [];
    private long _now;
    private long _goal;
    private bool _isMoving;
    private long _made;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How far it was moved since it was made.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(GetTimestamp());

    /// <inheritdoc/>
    public override long GetTimestamp() => Interlocked.Read(ref _now);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => Beginning + Elapsed;

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock, and stops on the way at each timer that is due to fire it.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        _goal += by.Ticks;
        if (_isMoving)
            return;

        _isMoving = true;
        try
        {
            while (NextDue() is { } timer)
                timer.Fire();
            Interlocked.Exchange(ref _now, _goal);
        }
        finally
        {
            _isMoving = false;
        }
    }

    // The timer that fires next on the way to the goal; the clock stands at its time then.
    private ManualTimer? NextDue()
    {
        lock (_gate)
        {
            var next = default(ManualTimer);
            foreach (var timer in _timers)
            {
                if (timer.Due <= _goal && (next is null || timer.IsBefore(next)))
                    next = timer;
            }

            if (next is not null)
                Interlocked.Exchange(ref _now, Math.Max(_now, next.Due));
            return next;
        }
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        private long _period = Timeout.Infinite;

        private long _order;

        public long Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;

                Due = clock.GetTimestamp() + dueTime.Ticks;
                _order = ++clock._made;
                _period = period > TimeSpan.Zero ? period.Ticks : Timeout.Infinite;
                clock._timers.Add(this);
                return true;
            }
        }

        public bool IsBefore(ManualTimer other) => (Due, _order).CompareTo((other.Due, other._order)) < 0;

        public void Fire()
        {
            lock (clock._gate)
            {
                if (_period > 0)
                    Due += _period;
                else
                    clock._timers.Remove(this);
            }

            callback(state);
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
