using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace PolyBalance.Host.Telemetry;

/// <summary>Puts the pieces of one line side by side, and goes on counting when there is no room for them.</summary>
/// <param name="room">Where the line goes, from its beginning on.</param>
internal ref struct AccessLine(Span<byte> room)
{
    /// <summary>Bytes that stand for themselves in every format: printable ASCII but for quote and backslash.</summary>
    public static readonly SearchValues<byte> Plain = SearchValues.Create(
        " !#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private readonly Span<byte> _room = room;
    private int _length;

    /// <summary>
    /// What all pieces so far need. When that is more than there was room for, the room holds nothing of use. Unit:
    /// bytes.
    /// </summary>
    public readonly int Length => _length;

    private readonly Span<byte> Free => _length < _room.Length ? _room[_length..] : [];

    /// <summary>Appends bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> text)
    {
        text.TryCopyTo(Free);
        _length += text.Length;
    }

    /// <summary>Appends text as UTF-8.</summary>
    public void Write(string text)
        => _length += Encoding.UTF8.TryGetBytes(text, Free, out var length)
            ? length
            : Encoding.UTF8.GetByteCount(text);

    /// <summary>Appends a whole number in decimal.</summary>
    public void Write(long number)
    {
        if (Utf8Formatter.TryFormat(number, Free, out var length))
            _length += length;
        else
            Count(number);
    }

    /// <summary>Appends milliseconds: at most three decimals, and none that is a trailing zero.</summary>
    public void WriteMilliseconds(long microseconds)
    {
        if (microseconds < 0)
            Write("-"u8);
        var (whole, rest) = Math.DivRem(Math.Abs(microseconds), 1000L);
        Write(whole);
        if (rest == 0)
            return;

        ReadOnlySpan<byte> decimals =
            [(byte)'.', (byte)('0' + rest / 100), (byte)('0' + rest / 10 % 10), (byte)('0' + rest % 10)];
        Write(decimals.TrimEnd((byte)'0'));
    }

    /// <summary>Appends the time in UTC with milliseconds, as RFC 3339 §5.6 has it.</summary>
    public void WriteTime(DateTimeOffset time)
    {
        const int WithMilliseconds = 23;

        // The round-trip form has a writer of its own in the runtime: 21 ns, a pattern 160 ns. So it is not worth while
        // to remember the text of the current second. It has seven decimals; we cut them off after three.
        var text = Free;
        if (time.UtcDateTime.TryFormat(text, out _, "O"))
            text[WithMilliseconds] = (byte)'Z';
        _length += WithMilliseconds + 1;
    }

    private void Count(long number)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(number, digits, out var length);
        _length += length;
    }
}
