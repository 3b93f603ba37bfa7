using PolyBalance.Configuration;

namespace PolyBalance.Health;

/// <summary>When the next probe is due. No clock: only spans, and the random numbers that it is given.</summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class ProbeSchedule(Random random)
{
    /// <summary>The longest wait while a verdict may change.</summary>
    public static readonly TimeSpan RecheckMax = TimeSpan.FromSeconds(1);

    // Steps of the golden ratio around a circle: each offset is as random as the beginning, and yet all of them
    // together are spread more evenly than chance would do it.
    private const double GoldenRatio = 0.6180339887498949;

    private double _turn = random.NextDouble();

    /// <summary>
    /// From the end of a backend's first probe to the start of its second: anywhere within its interval, so that
    /// backends which came together are not probed together for ever.
    /// </summary>
    public TimeSpan FirstOffset(HealthOptions check)
    {
        _turn = (_turn + GoldenRatio) % 1;
        return check.Interval * _turn;
    }

    /// <summary>From the start of a probe to the start of the next.</summary>
    /// <param name="check">Interval and jitter.</param>
    /// <param name="isInTransition">Whether the next results may overturn the verdict.</param>
    public TimeSpan Next(HealthOptions check, bool isInTransition)
    {
        if (isInTransition)
            return check.Interval < RecheckMax ? check.Interval : RecheckMax;

        var swing = ((2 * random.NextDouble()) - 1) * check.JitterPercent / 100;
        return check.Interval * (1 + swing);
    }
}
