namespace PolyBalance.Transport.Linux;

/// <summary>
/// A clock that stands still during a turn of a loop: all that happens in one turn happens at one moment, and costs one
/// look at the real clock. For every other thread it is the real clock.
/// </summary>
/// <remarks>
/// A turn takes well below a millisecond, so deadlines that are reckoned from its start lose no more.
/// </remarks>
internal sealed class LoopClock(TimeProvider real) : TimeProvider
{
    /// <inheritdoc/>
    public override long TimestampFrequency => real.TimestampFrequency;

    /// <summary>What the real clock says, on every thread.</summary>
    public long RealTimestamp => real.GetTimestamp();

    /// <summary>The loop that timers run on. Set before the first one is made.</summary>
    public EventLoop? TimerLoop { get; set; }

    /// <inheritdoc/>
    public override long GetTimestamp() => EventLoop.Current?.Now ?? real.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        => TimerLoop is { } loop && real == System
            ? new LoopTimer(loop, callback, state, period)
            : real.CreateTimer(callback, state, dueTime, period);
}
