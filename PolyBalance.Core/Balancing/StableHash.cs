namespace PolyBalance.Balancing;

/// <summary>
/// A hash that is the same in every process, on every machine and in every version: instances that share a
/// configuration must agree. Not for secrets.
/// </summary>
/// <remarks>
/// FNV-1a with 64 bits (G. Fowler, L. C. Noll, K.-P. Vo), and for mixing the finaliser of SplitMix64 (S. Vigna).
/// Changing either moves every key of every user: StableHashTests hold known values.
/// </remarks>
internal static class StableHash
{
    private const ulong OffsetBasis = 0xCBF2_9CE4_8422_2325;
    private const ulong Prime = 0x0000_0100_0000_01B3;

    /// <summary>The hash of some bytes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = OffsetBasis;
        foreach (var next in bytes)
            hash = (hash ^ next) * Prime;
        return hash;
    }

    /// <summary>The hash of ASCII text, as of its bytes.</summary>
    public static ulong Of(ReadOnlySpan<char> ascii)
    {
        var hash = OffsetBasis;
        foreach (var next in ascii)
            hash = (hash ^ (byte)next) * Prime;
        return hash;
    }

    /// <summary>The hash of some bytes with ASCII letters in lower case.</summary>
    public static ulong OfLowerCase(ReadOnlySpan<byte> bytes)
    {
        var hash = OffsetBasis;
        foreach (var next in bytes)
            hash = (hash ^ (next is >= (byte)'A' and <= (byte)'Z' ? (byte)(next | 0x20) : next)) * Prime;
        return hash;
    }

    /// <summary>Spreads a number over all 64 bits; no two numbers become the same.</summary>
    public static ulong Mix(ulong number)
    {
        number = (number ^ (number >> 30)) * 0xBF58_476D_1CE4_E5B9;
        number = (number ^ (number >> 27)) * 0x94D0_49BB_1331_11EB;
        return number ^ (number >> 31);
    }
}
