using System.Buffers.Binary;

namespace PolyBalance.Http;

/// <summary>A place in a trace: what the field <c>traceparent</c> says. W3C Trace Context §3.2.</summary>
/// <param name="TraceId">Names the trace; never 0.</param>
/// <param name="SpanId">Names the span that the request comes from; never 0.</param>
/// <param name="IsSampled">Whether who sent it records the trace.</param>
internal readonly record struct TraceParent(UInt128 TraceId, ulong SpanId, bool IsSampled)
{
    /// <summary>What a value of version 00 takes. Unit: bytes.</summary>
    public const int Bytes = 55;

    /// <summary>Where in a value the trace id is, 32 digits.</summary>
    public const int TraceIdStart = 3;

    /// <summary>How long it is there. Unit: bytes.</summary>
    public const int TraceIdBytes = 32;

    private const int SpanIdStart = 36;
    private const int SpanIdBytes = 16;
    private const int FlagsStart = 53;
    private const int Sampled = 1;

    /// <summary>Reads a value; false when it is none, and must then be as if it were not there (§4.3).</summary>
    /// <remarks>
    /// Digits are lower case (§3.2). A version that we do not know is read like 00, as far as that goes, and what
    /// follows after a dash is left alone (§4.3); ff is no version. Flags that we do not know mean nothing to us.
    /// </remarks>
    public static bool TryParse(ReadOnlySpan<byte> value, out TraceParent parent)
    {
        parent = default;
        var isWhole = value.Length >= Bytes && value[2] == '-' && value[SpanIdStart - 1] == '-'
            && value[FlagsStart - 1] == '-';
        if (!isWhole
            || !TryParseDigits(value[..2], out var version)
            || !TryParseDigits(value.Slice(TraceIdStart, 16), out var upper)
            || !TryParseDigits(value.Slice(TraceIdStart + 16, 16), out var lower)
            || !TryParseDigits(value.Slice(SpanIdStart, SpanIdBytes), out var spanId)
            || !TryParseDigits(value.Slice(FlagsStart, 2), out var flags))
        {
            return false;
        }

        var hasMore = value.Length > Bytes;
        if (version == 0xFF || (hasMore && (version == 0 || value[Bytes] != '-')))
            return false;

        parent = new(new(upper, lower), spanId, (flags & Sampled) != 0);
        return parent.TraceId != 0 && spanId != 0;
    }

    /// <summary>Writes the value in version 00.</summary>
    /// <param name="value">Where it goes: <see cref="Bytes"/>.</param>
    public void Write(Span<byte> value)
    {
        value[0] = value[1] = value[FlagsStart] = (byte)'0';
        value[2] = value[SpanIdStart - 1] = value[FlagsStart - 1] = (byte)'-';
        WriteDigits((ulong)(TraceId >> 64), value.Slice(TraceIdStart, 16));
        WriteDigits((ulong)TraceId, value.Slice(TraceIdStart + 16, 16));
        WriteDigits(SpanId, value.Slice(SpanIdStart, SpanIdBytes));
        value[FlagsStart + 1] = IsSampled ? (byte)'1' : (byte)'0';
    }

    /// <summary>A trace id as 16 bytes, the first digits first.</summary>
    public static void WriteId(UInt128 traceId, Span<byte> bytes)
        => BinaryPrimitives.WriteUInt128BigEndian(bytes, traceId);

    /// <summary>A span id as 8 bytes.</summary>
    public static void WriteId(ulong spanId, Span<byte> bytes) => BinaryPrimitives.WriteUInt64BigEndian(bytes, spanId);

    /// <summary>A trace id from 16 bytes.</summary>
    public static UInt128 ReadTraceId(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt128BigEndian(bytes);

    /// <summary>A span id from 8 bytes.</summary>
    public static ulong ReadSpanId(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64BigEndian(bytes);

    private static bool TryParseDigits(ReadOnlySpan<byte> digits, out ulong number)
    {
        number = 0;
        foreach (var digit in digits)
        {
            if (digit is >= (byte)'0' and <= (byte)'9')
                number = (number << 4) | (uint)(digit - '0');
            else if (digit is >= (byte)'a' and <= (byte)'f')
                number = (number << 4) | (uint)(digit - 'a' + 10);
            else
                return false;
        }

        return true;
    }

    private static void WriteDigits(ulong number, Span<byte> digits)
    {
        for (var index = digits.Length - 1; index >= 0; index--)
        {
            digits[index] = "0123456789abcdef"u8[(int)(number & 0xF)];
            number >>= 4;
        }
    }
}
