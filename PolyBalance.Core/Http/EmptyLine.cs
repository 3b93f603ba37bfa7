using System.Buffers;

namespace PolyBalance.Http;

/// <summary>What a search for an empty line came to.</summary>
internal enum EmptyLineSearch : byte
{
    /// <summary>It is there.</summary>
    Found,

    /// <summary>It may still come.</summary>
    NeedMore,

    /// <summary>A line before it ends in LF without CR. RFC 9112 §2.2.</summary>
    BareLineFeed,

    /// <summary>It did not come within the bound.</summary>
    TooLong,
}

/// <summary>Finds the empty line that ends a section, across segments and in linear time. RFC 9112 §2.1.</summary>
internal static class EmptyLine
{
    /// <summary>For a section whose first line is not empty: the line feed before it is out of reach.</summary>
    public const int NotAtStart = -8;

    /// <summary>For a section that may be empty: as if the line before it had just ended.</summary>
    public const int MaybeAtStart = -1;

    /// <summary>Looks for the first empty line.</summary>
    /// <param name="bytes">What is there.</param>
    /// <param name="start">Where the section starts.</param>
    /// <param name="bytesMax">How long it may be from there. Unit: bytes.</param>
    /// <param name="lastLineFeed"><see cref="NotAtStart"/> or <see cref="MaybeAtStart"/>.</param>
    /// <param name="scanned">As in <see cref="HeadParser.FindRequestEnd"/>.</param>
    /// <param name="length">When found: where it ends.</param>
    public static EmptyLineSearch Find(
        in ReadOnlySequence<byte> bytes, int start, int bytesMax, int lastLineFeed, ref long scanned, out int length)
    {
        // The usual case is a head that came whole: one vectorised search, and what is in it is left to the parser.
        var first = bytes.FirstSpan;
        if (scanned == 0 && lastLineFeed == NotAtStart && first.Length > start)
        {
            var end = first[start..Math.Min(first.Length, start + bytesMax)].IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                length = start + end + 4;
                return EmptyLineSearch.Found;
            }
        }

        return FindByLines(bytes, start, bytesMax, start + lastLineFeed, ref scanned, out length);
    }

    /// <summary>Goes from line feed to line feed, across segments, and stops at one without a CR before it.</summary>
    private static EmptyLineSearch FindByLines(
        in ReadOnlySequence<byte> bytes, int start, int bytesMax, long lastLineFeed, ref long scanned, out int length)
    {
        length = 0;
        var alreadyScanned = scanned;
        var end = Math.Min(bytes.Length, start + bytesMax);

        // Two bytes again: the LF of the last line and the CR of an empty one may have been the last that was there.
        var offset = Math.Max(start, alreadyScanned - 2);
        if (offset >= end)
            return end == start + bytesMax ? EmptyLineSearch.TooLong : EmptyLineSearch.NeedMore;

        byte previous = 0;
        foreach (var segment in bytes.Slice(offset, end - offset))
        {
            var span = segment.Span;
            for (var next = 0; ; next++)
            {
                var lineLength = span[next..].IndexOf((byte)'\n');
                if (lineLength < 0)
                    break;

                next += lineLength;
                var position = offset + next;
                var before = next > 0 ? span[next - 1] : previous;
                if (before != '\r' && position >= alreadyScanned)
                {
                    scanned = position;
                    return EmptyLineSearch.BareLineFeed;
                }

                if (before == '\r' && position - lastLineFeed == 2)
                {
                    scanned = 0;
                    length = (int)position + 1;
                    return EmptyLineSearch.Found;
                }

                lastLineFeed = position;
            }

            if (!span.IsEmpty)
                previous = span[^1];
            offset += span.Length;
        }

        scanned = end;
        return end == start + bytesMax ? EmptyLineSearch.TooLong : EmptyLineSearch.NeedMore;
    }
}
