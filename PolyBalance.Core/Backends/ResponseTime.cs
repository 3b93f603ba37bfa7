namespace PolyBalance.Backends;

/// <summary>
/// How slow a backend is to answer, remembering the worst: rises at once, falls with a time constant of ten seconds,
/// whether or not anybody asks, and faster by answers that were asked for to find out whether it still is.
/// </summary>
/// <remarks>
/// An exponentially weighted moving average with peaks. Any thread; estimate and time of the last observation share one
/// word, so nobody sees half of an update. Times are heartbeat time; estimates are milliseconds. See
/// decisions/0029-peak-ewma-that-heals.md.
/// </remarks>
internal sealed class ResponseTime(long ticksPerSecond)
{
    /// <summary>In this time an estimate falls to 37 %.</summary>
    public static readonly TimeSpan Decay = TimeSpan.FromSeconds(10);

    /// <summary>What an attempt that failed because of the backend adds. Unit: milliseconds.</summary>
    public const float PenaltyMilliseconds = 1_000;

    private const float Least = 0.001f;
    private const float Most = 30_000;
    private static readonly float DecayMilliseconds = (float)Decay.TotalMilliseconds;

    // After so long a silence an estimate is hearsay, like one that is being explored.
    private const float SilenceMilliseconds = 1_000;

    // An answer so much faster contradicts the estimate; less is what answers differ by.
    private const float ContradictionRatio = 2;

    private readonly long _ticksPerMillisecond = Math.Max(1, ticksPerSecond / 1_000);
    private ulong _state;       // low half: the estimate as a float, 0 for none; high half: when, in milliseconds

    /// <summary>When to ask it although it seems slow.</summary>
    public Exploration Exploration { get; } = new();

    /// <summary>Whether there has been an answer yet.</summary>
    public bool IsKnown => Volatile.Read(ref _state) != 0;

    /// <summary>What to expect now. Unit: milliseconds; 0 when there has been no answer yet.</summary>
    /// <param name="now">In heartbeat time.</param>
    public float EstimateAt(long now)
    {
        var state = Volatile.Read(ref _state);
        return state == 0 ? 0 : Math.Max(Least, EstimateOf(state) * Remaining(SilenceSince(state, now)));
    }

    /// <summary>
    /// Learns from an attempt: from its response time, or from its failure. A 5xx counts as a failure: a backend that
    /// fails fast must not look fast. What the client caused says nothing.
    /// </summary>
    public void Observe(in AttemptOutcome outcome)
    {
        var isFault = outcome.Failure != FailureKind.None && Failure.Of(outcome.Failure).Side == Side.Backend;
        if (isFault || outcome.Status >= 500)
            Learn(PenaltyMilliseconds, isPenalty: true, outcome.Now);
        else if (outcome.ResponseTime > 0)
            Learn((float)outcome.ResponseTime / _ticksPerMillisecond, isPenalty: false, outcome.Now);
    }

    /// <summary>Begins with what another process has measured.</summary>
    public void Inherit(TimeSpan estimate, long now)
        => Learn((float)estimate.TotalMilliseconds, isPenalty: false, now);

    private void Learn(float milliseconds, bool isPenalty, long now)
    {
        var isExplored = Exploration.TakeAnswer();
        while (true)
        {
            var before = Volatile.Read(ref _state);
            var silence = before == 0 ? 0 : SilenceSince(before, now);
            var expected = before == 0 ? 0 : EstimateOf(before) * Remaining(silence);
            var next = isPenalty ? expected + milliseconds
                : before == 0 ? milliseconds
                : Blend(expected, milliseconds, silence, isExplored || silence >= SilenceMilliseconds);

            // Another thread's clock may be a little ahead: its time stays.
            var moment = before == 0 || silence > 0 ? Moment(now) : (uint)(before >> 32);
            var after = ((ulong)moment << 32) | BitConverter.SingleToUInt32Bits(Math.Clamp(next, Least, Most));
            if (before == after || Interlocked.CompareExchange(ref _state, after, before) == before)
                return;
        }
    }

    private float Blend(float expected, float observed, float silence, bool isHearsay)
    {
        if (observed >= expected)
            return observed;

        // What was expected has lost already what time takes from it.
        var blend = expected + observed * (1 - Remaining(silence));
        if (observed * ContradictionRatio >= expected)
            return blend;

        Exploration.Hasten();

        // As much as all that was known before: three bring a second down to less than twice the 20 ms that are right.
        return isHearsay ? Math.Min(blend, MathF.Sqrt(expected * observed)) : blend;
    }

    private static float EstimateOf(ulong state) => BitConverter.UInt32BitsToSingle((uint)state);

    private static float Remaining(float silence) => MathF.Exp(-silence / DecayMilliseconds);

    // Wraps after 49 days; a silence that long looks like a shorter one, once.
    private uint Moment(long now) => (uint)(now / _ticksPerMillisecond);

    private float SilenceSince(ulong state, long now) => Math.Max(0, (int)(Moment(now) - (uint)(state >> 32)));
}
