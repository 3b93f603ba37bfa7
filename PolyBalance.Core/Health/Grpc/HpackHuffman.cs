namespace PolyBalance.Health.Grpc;

/// <summary>Decodes the Huffman code of RFC 7541 §5.2 and appendix B.</summary>
/// <remarks>
/// The code is canonical: codes of one length are consecutive numbers in the order of their symbols. So the lengths say
/// everything, and a code is found by comparing it with the first one of each length.
/// </remarks>
internal static class HpackHuffman
{
    private const int LengthMin = 5;
    private const int LengthMax = 30;
    private const int EndOfString = 256;

    // How many bits each symbol has, 16 symbols a row; the last one is the end of the string.
    private static readonly byte[] Lengths =
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    private static readonly short[] Symbols = SymbolsByCode();
    private static readonly Range[] Ranges = RangesByLength();

    /// <summary>Decodes a string.</summary>
    /// <param name="code">The encoded bytes.</param>
    /// <param name="into">Where the string goes; long enough when it has 8/5 of the code's length.</param>
    /// <param name="length">How long the string is.</param>
    /// <returns>False for what no encoder may write.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> code, Span<byte> into, out int length)
    {
        length = 0;
        var bits = 0u;
        var count = 0;
        foreach (var next in code)
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                bits = (bits << 1) | (uint)((next >> bit) & 1);
                if (++count < LengthMin || !TryFind(bits, count, out var symbol))
                {
                    if (count == LengthMax)
                        return false;
                    continue;
                }

                // The end of the string must not be written: RFC 7541 §5.2.
                if (symbol == EndOfString || length == into.Length)
                    return false;
                into[length++] = (byte)symbol;
                (bits, count) = (0, 0);
            }
        }

        // What is left over pads to a whole byte with the first bits of the end of the string, which are all ones.
        return count < 8 && bits == (1u << count) - 1;
    }

    private static bool TryFind(uint code, int length, out int symbol)
    {
        ref readonly var range = ref Ranges[length];
        var found = code - range.FirstCode;
        if (code < range.FirstCode || found >= range.Count)
        {
            symbol = 0;
            return false;
        }

        symbol = Symbols[range.FirstSymbol + (int)found];
        return true;
    }

    private static short[] SymbolsByCode()
    {
        var symbols = new List<short>(Lengths.Length);
        for (var length = LengthMin; length <= LengthMax; length++)
        {
            for (var symbol = 0; symbol < Lengths.Length; symbol++)
            {
                if (Lengths[symbol] == length)
                    symbols.Add((short)symbol);
            }
        }

        return [.. symbols];
    }

    private static Range[] RangesByLength()
    {
        var ranges = new Range[LengthMax + 1];
        var code = 0u;
        var symbol = 0;
        for (var length = LengthMin; length <= LengthMax; length++)
        {
            var count = (uint)Lengths.AsSpan().Count((byte)length);
            ranges[length] = new(code, count, symbol);
            code = (code + count) << 1;
            symbol += (int)count;
        }

        return ranges;
    }

    private readonly record struct Range(uint FirstCode, uint Count, int FirstSymbol);
}
