namespace PolyBalance.Balancing;

/// <summary>As many random numbers as a pick needs, all from the bits that its caller drew: SplitMix64.</summary>
/// <remarks>The same bits give the same numbers, so a pick can be done again. Not for secrets.</remarks>
internal struct Draws(ulong seed)
{
    private const ulong Step = 0x9E37_79B9_7F4A_7C15;

    private ulong _state = seed;

    /// <summary>The next 64 random bits.</summary>
    public ulong Next() => StableHash.Mix(_state += Step);

    /// <summary>The next random number from 0 to less than a bound.</summary>
    /// <param name="bound">At least 1.</param>
    public long Below(long bound) => (long)Math.BigMul(Next(), (ulong)bound, out _);
}
