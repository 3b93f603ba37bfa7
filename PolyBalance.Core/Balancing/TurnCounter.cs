namespace PolyBalance.Balancing;

/// <summary>
/// Counts the turns of a cluster. Its selectors share it, those before and after included: whoever picks with an old
/// one moves the sequence on all the same.
/// </summary>
/// <remarks>Any thread. One shared cache line, written once per turn: that is what exact shares cost.</remarks>
internal sealed class TurnCounter
{
    private ulong _turn;
    private ulong _retry;

    // Starts anywhere: proxies restarted together must not all favour the first backend. Halves of the bits, so that
    // no counter wraps.
    private TurnCounter(ulong draw)
    {
        _turn = (uint)draw;
        _retry = draw >> 32;
    }

    /// <summary>The counter of a selector that is being replaced, or a new one.</summary>
    /// <param name="previous">Null: there was none.</param>
    /// <param name="draw">Random bits: where a new one starts.</param>
    public static TurnCounter After(Selector? previous, ulong draw)
        => (previous as ITakesTurns)?.Counter ?? new(draw);

    /// <summary>
    /// The next turn. 2^64 turns take longer than the sun has: the counter never wraps in the middle of a cycle.
    /// </summary>
    /// <param name="context">Whose; a glance leaves the turn to others.</param>
    public ulong Next(in SelectionContext context)
        => context.Glance is { } glance
            ? Volatile.Read(ref _turn) + ++glance.Turns
            : Interlocked.Increment(ref _turn);

    /// <summary>
    /// The next turn among retries. They have a sequence of their own: with one backend of two out of order, first
    /// attempts and retries would otherwise take turns in step, and all first attempts meet the same backend.
    /// </summary>
    /// <param name="context">Whose; a glance leaves the turn to others.</param>
    public ulong NextOfRetries(in SelectionContext context)
        => context.Glance is { } glance
            ? Volatile.Read(ref _retry) + ++glance.Retries
            : Interlocked.Increment(ref _retry);
}

/// <summary>A selector that takes turns, so that the one that follows it can go on where it was.</summary>
internal interface ITakesTurns
{
    /// <summary>Whose turn it is.</summary>
    TurnCounter Counter { get; }
}
