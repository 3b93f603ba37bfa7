namespace PolyBalance.Backends;

/// <summary>Which share of the latest attempts failed: a sliding window over sums that only grow. Pure.</summary>
/// <remarks>
/// Fed about once a second, by one thread. Keeps one sample per tenth of the window, so the window is exact to a tenth:
/// never longer than it says, and up to a tenth shorter.
/// </remarks>
internal sealed class FailureShare
{
    private const int Parts = 10;

    private readonly Sample[] _samples = new Sample[Parts + 1];
    private int _count;
    private int _newest = -1;

    /// <summary>Attempts within the window.</summary>
    public long Attempts { get; private set; }

    /// <summary>Those of them that failed.</summary>
    public long Failures { get; private set; }

    /// <summary>Forgets everything: what was before says nothing of what comes.</summary>
    public void Clear()
    {
        _count = 0;
        _newest = -1;
        Attempts = Failures = 0;
    }

    /// <summary>Takes the sums of this moment.</summary>
    /// <param name="now">In heartbeat time.</param>
    /// <param name="window">How far back the share looks, in heartbeat ticks.</param>
    /// <param name="attempts">Attempts that have ended, ever.</param>
    /// <param name="failures">Those of them that failed, ever.</param>
    public void Observe(long now, long window, long attempts, long failures)
    {
        // The newest sample is the beginning of what is still counted when the window has moved on.
        if (_count == 0 || now - _samples[_newest].Time >= window / Parts)
        {
            _newest = (_newest + 1) % _samples.Length;
            _samples[_newest] = new(now, attempts, failures);
            _count = Math.Min(_count + 1, _samples.Length);
        }

        var oldest = Oldest;
        while (_count > 1 && now - _samples[oldest].Time > window)
        {
            _count--;
            oldest = Oldest;
        }

        // Sums over several threads are no snapshot: a glance may find fewer ended than before.
        Attempts = Math.Max(attempts - _samples[oldest].Attempts, 0);
        Failures = Math.Clamp(failures - _samples[oldest].Failures, 0, Attempts);
    }

    /// <summary>Whether so large a share of so many attempts failed.</summary>
    /// <param name="percent">At least this share; 0 is never reached.</param>
    /// <param name="attemptsMin">Of at least so many attempts.</param>
    public bool Exceeds(int percent, int attemptsMin)
        => percent > 0 && Attempts >= attemptsMin && Failures * 100 >= Attempts * percent;

    private int Oldest => (_newest - _count + 1 + _samples.Length) % _samples.Length;

    private readonly record struct Sample(long Time, long Attempts, long Failures);
}
