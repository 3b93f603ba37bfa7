using PolyBalance.Transport;

namespace PolyBalance.Backends;

/// <summary>How much of its share a backend gets that has just come back: a tenth first, and a tenth more each tenth of
/// the time. Pure.</summary>
/// <param name="Started">When, in heartbeat time; <see cref="Heartbeat.Never"/>: it has its full share.</param>
/// <param name="Duration">How long it takes to the full share, in heartbeat ticks.</param>
internal readonly record struct Ramp(long Started, long Duration)
{
    /// <summary>The full share.</summary>
    public const int Full = 10;

    /// <summary>A backend that needs no ramp.</summary>
    public static readonly Ramp None = new(Heartbeat.Never, 0);

    /// <summary>Its share at a moment, in tenths: 1 to <see cref="Full"/>.</summary>
    public int TenthsAt(long now)
        => Started == Heartbeat.Never || Duration <= 0 || now - Started >= Duration
            ? Full
            : (int)Math.Clamp(1 + ((now - Started) * Full / Duration), 1, Full);
}
