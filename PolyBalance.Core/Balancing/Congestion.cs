namespace PolyBalance.Balancing;

/// <summary>
/// Whether a queue is in a burst or under lasting overload, and how long it is worth waiting then. Pure: told the time
/// and what happens.
/// </summary>
/// <remarks>
/// The queue's lock guards it. Two steps, because two mistakes are to be avoided. The order may change soon: nobody is
/// refused for that. To refuse somebody who could still be served takes more: a whole second in which more came in than
/// went out.
/// </remarks>
internal struct Congestion
{
    private readonly long _late;
    private readonly long _burstMax;
    private readonly long _period;
    private long _lateSince = long.MaxValue;
    private long _periodEnd = long.MaxValue;
    private long _joined;
    private long _placed;

    /// <summary>Begins without any.</summary>
    /// <param name="second">In heartbeat ticks.</param>
    public Congestion(long second)
    {
        _late = second / 40;
        _burstMax = second / 20;
        _period = second;
    }

    /// <summary>
    /// Whether the newest goes first: somebody was late, and the queue has not been empty for a while since.
    /// </summary>
    public bool IsNewestFirst { get; private set; }

    /// <summary>
    /// Who has waited for longer is refused now: more comes in than goes out, and who was passed over for as long as an
    /// exchange takes would be served too late, if at all. <see cref="long.MaxValue"/>: nobody. In heartbeat ticks.
    /// </summary>
    public long WaitMax { get; private set; } = long.MaxValue;

    /// <summary>A request has begun to wait.</summary>
    public void NoteJoined() => _joined++;

    /// <summary>One has got its place.</summary>
    public void NotePlaced() => _placed++;

    /// <summary>Nobody waits: whatever it was, it is over.</summary>
    public void Clear()
    {
        IsNewestFirst = false;
        WaitMax = _lateSince = _periodEnd = long.MaxValue;
    }

    /// <summary>Looks at the one who waits longest.</summary>
    /// <param name="oldest">Since when he waits.</param>
    /// <param name="now">In heartbeat time.</param>
    /// <returns>Whether a period is over: <see cref="EndPeriod"/> has to follow.</returns>
    public bool Observe(long oldest, long now)
    {
        if (_lateSince == long.MaxValue)
        {
            if (now - oldest <= _late)
                return false;

            _lateSince = now;
            BeginPeriod(now);
        }

        IsNewestFirst = now - _lateSince >= _burstMax;
        return now >= _periodEnd;
    }

    /// <summary>Judges the period that is over, and begins the next.</summary>
    /// <param name="inFlight">Exchanges that the backends have now.</param>
    /// <param name="now">In heartbeat time.</param>
    public void EndPeriod(long inFlight, long now)
    {
        // Little's law: what is under way, over what ends in a time, is how long one takes.
        var length = now - _periodEnd + _period;
        WaitMax = _joined > _placed ? Math.Max(_late, length * inFlight / Math.Max(1, _placed)) : long.MaxValue;
        BeginPeriod(now);
    }

    private void BeginPeriod(long now)
    {
        _periodEnd = now + _period;
        _joined = _placed = 0;
    }
}
