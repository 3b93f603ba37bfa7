namespace PolyBalance.Backends;

/// <summary>
/// Bounds how many retries a cluster makes, so that backends in trouble do not get several times their load from us.
/// </summary>
/// <remarks>
/// Over any ten seconds: no more retries than a share of the requests, plus ten per second. Requests write nothing
/// here: they are taken from what backends count anyway, about once a second and when a retry is asked for. Where it
/// cannot be exact it allows less. Lives as long as the name of its cluster is configured.
/// <see cref="Observe"/> and <see cref="TryTell"/> come from one thread; everything else may come from any.
/// </remarks>
internal sealed class RetryBudget
{
    private const int WindowSeconds = 10;
    private const int FreePerSecond = 10;

    // One more than the window has: the oldest second is counted until all of it is over.
    private const int Slots = WindowSeconds + 1;

    private readonly long _second;
    private readonly Lock _gate = new();        // guards _retries and _samples
    private readonly Slot[] _retries = new Slot[Slots];
    private readonly Sample[] _samples = new Sample[Slots];
    private int _newest;
    private long _attempts;
    private long _repeats;
    private long _made;
    private long _resends;
    private long _refusals;
    private long _told;
    private long _toldAt = long.MinValue;
    private volatile int _percent;

    /// <summary>Makes the budget of a cluster that has had no request.</summary>
    /// <param name="percent">The share of the requests that may be retried. Unit: percent.</param>
    /// <param name="second">A second in heartbeat ticks.</param>
    /// <param name="now">In heartbeat time.</param>
    public RetryBudget(int percent, long second, long now)
    {
        _percent = percent;
        _second = second;
        Array.Fill(_samples, new(now, 0));
        Array.Fill(_retries, new(long.MinValue, 0));
    }

    /// <summary>The share of the requests that may be retried. Unit: percent. Set by the store's loop.</summary>
    public int Percent { get => _percent; set => _percent = value; }

    /// <summary>Retries that were allowed, ever.</summary>
    public long Retries => Interlocked.Read(ref _made);

    /// <summary>Retries that were refused, ever.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    /// <summary>Allows a retry and counts it, or counts the refusal.</summary>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="attempts">What the backends of the cluster have counted by now.</param>
    public bool TryTake(long now, long attempts)
    {
        lock (_gate)
        {
            var second = now / _second;
            var requests = RequestsSince(now) + Unseen(attempts);
            var retries = RetriesSince(second - WindowSeconds) + 1;
            if (retries * 100 <= (requests * _percent) + FreePerWindow)
            {
                ref var slot = ref _retries[(int)(second % Slots)];
                slot = new(second, slot.Second == second ? slot.Count + 1 : 1);
                Interlocked.Increment(ref _made);
                return true;
            }
        }

        Interlocked.Increment(ref _refusals);
        return false;
    }

    /// <summary>
    /// A request is sent once more on a fresh connection. No retry, but no request either, although its backend counts
    /// an attempt.
    /// </summary>
    public void NoteResend() => Interlocked.Increment(ref _resends);

    /// <summary>Takes note of the requests since the last call. About once a second.</summary>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="attempts">What the backends of the cluster have counted; less when some of them are gone.</param>
    public void Observe(long now, long attempts)
    {
        lock (_gate)
        {
            var repeats = Repeats;
            var sum = _samples[_newest].Requests + Unseen(attempts);
            _newest = (_newest + 1) % Slots;
            _samples[_newest] = new(now, sum);
            _attempts = attempts;
            _repeats = repeats;
        }
    }

    /// <summary>Whether the log should say that retries were refused: at most once per window.</summary>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="refusals">How many since it was said last.</param>
    public bool TryTell(long now, out long refusals)
    {
        refusals = Refusals - _told;
        if (refusals == 0 || (_toldAt != long.MinValue && now - _toldAt < WindowSeconds * _second))
            return false;

        _told += refusals;
        _toldAt = now;
        return true;
    }

    private static long FreePerWindow => FreePerSecond * WindowSeconds * 100L;

    // Attempts that were no requests.
    private long Repeats => Retries + Interlocked.Read(ref _resends);

    // Requests since the latest sample. Who is gone took his count along: what others counted meanwhile is lost, and
    // that allows less.
    private long Unseen(long attempts) => Math.Max(attempts - _attempts - (Repeats - _repeats), 0);

    private long RetriesSince(long first)
    {
        var sum = 0L;
        foreach (var slot in _retries)
        {
            if (slot.Second >= first)
                sum += slot.Count;
        }

        return sum;
    }

    // From the oldest sample within the window on: nobody knows when exactly the requests before it came.
    private long RequestsSince(long now)
    {
        var newest = _samples[_newest].Requests;
        for (var step = 1; step <= Slots; step++)
        {
            var sample = _samples[(_newest + step) % Slots];
            if (now - sample.Time <= WindowSeconds * _second)
                return Math.Max(newest - sample.Requests, 0);
        }

        return 0;
    }

    private readonly record struct Slot(long Second, long Count);

    private readonly record struct Sample(long Time, long Requests);
}
