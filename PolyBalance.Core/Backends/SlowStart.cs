namespace PolyBalance.Backends;

/// <summary>Notices that a backend is back in service, and how far its <see cref="Ramp"/> has come.</summary>
/// <remarks>
/// Owned by the store's loop. A backend that is there when the process starts gets its full share at once: there is
/// nobody to be spared for. One that was added later, was unhealthy or was ejected starts slowly.
/// </remarks>
internal sealed class SlowStart
{
    private Ramp _ramp = Ramp.None;
    private bool _isServing;
    private bool _startsSlowly;

    /// <summary>How long it takes to the full share, in heartbeat ticks; 0: no time.</summary>
    public long Duration { get; set; }

    /// <summary>The bound on its exchanges that this ramp has come to; 0 for none yet.</summary>
    public int ExchangesMax { get; set; }

    /// <summary>It was added while others were running.</summary>
    public void NoteAddedLater() => _startsSlowly = true;

    /// <summary>Takes note of whether it may be picked at full trust now.</summary>
    /// <param name="isServing">It is eligible and in service.</param>
    /// <param name="isDown">It is known to have failed: unhealthy, ejected or on trial.</param>
    /// <param name="now">In heartbeat time.</param>
    public void Observe(bool isServing, bool isDown, long now)
    {
        if (isServing && !_isServing)
        {
            _ramp = _startsSlowly ? new(now, Duration) : Ramp.None;
            ExchangesMax = 0;
        }

        _isServing = isServing;
        _startsSlowly |= isServing || isDown;
    }

    /// <summary>For how long it has lasted, in heartbeat ticks; null: it is over, or there was none.</summary>
    public long? LastedAt(long now) => _isServing && TenthsAt(now) < Ramp.Full ? now - _ramp.Started : null;

    /// <summary>Goes on where the one of another process was. Before the first <see cref="Observe"/>.</summary>
    /// <param name="started">When it began, in heartbeat time.</param>
    public void Inherit(long started)
    {
        _ramp = new(started, Duration);
        _isServing = true;
    }

    /// <summary>Its share at a moment, in tenths.</summary>
    public int TenthsAt(long now) => Duration == 0 ? Ramp.Full : _ramp.TenthsAt(now);
}
