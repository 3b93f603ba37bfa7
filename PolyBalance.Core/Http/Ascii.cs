using System.Buffers;

namespace PolyBalance.Http;

/// <summary>
/// The character classes and small conversions of RFC 9110 §5.6, over bytes. Nothing here allocates or throws.
/// </summary>
internal static class Ascii
{
    /// <summary>What a token consists of. RFC 9110 §5.6.2.</summary>
    public static readonly SearchValues<byte> TokenBytes = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>What ends or spoils a field value: every control character except HTAB. RFC 9110 §5.5.</summary>
    public static readonly SearchValues<byte> ControlBytes = SearchValues.Create(
        "\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\n\u000B\u000C\r\u000E\u000F"u8 +
        "\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\u007F"u8);

    /// <summary>
    /// What a request target may hold without a closer look: visible ASCII without <c>%</c>, which needs two hex digits
    /// behind it, <c>#</c>, which never crosses the wire, and the backslash, which some recipients read as a slash.
    /// </summary>
    public static readonly SearchValues<byte> TargetBytes = SearchValues.Create(
        "!\"$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    /// <summary>
    /// What a registered name may hold without a closer look (RFC 3986 §3.2.2): without <c>%</c>, which needs two hex
    /// digits behind it, and without the comma, which a recipient that joins field lines reads as two names.
    /// </summary>
    public static readonly SearchValues<byte> RegisteredNameBytes = SearchValues.Create(
        "!$&'()*+-.0123456789;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~"u8);

    /// <summary>Whether the bytes are a token: at least one byte, token characters only. RFC 9110 §5.6.2.</summary>
    public static bool IsToken(ReadOnlySpan<byte> bytes)
        => !bytes.IsEmpty && !bytes.ContainsAnyExcept(TokenBytes);

    /// <summary>Whether one byte may be part of a token. RFC 9110 §5.6.2.</summary>
    public static bool IsTokenByte(byte value) => TokenBytes.Contains(value);

    /// <summary>Compares as field names, schemes and most tokens are compared. A byte above 0x7F equals none.</summary>
    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
        => System.Text.Ascii.EqualsIgnoreCase(left, right);

    /// <summary>Whether the byte is SP or HTAB, the only optional whitespace. RFC 9110 §5.6.3.</summary>
    public static bool IsBlank(byte value) => value is (byte)' ' or (byte)'\t';

    /// <summary>Takes the optional whitespace off both ends. RFC 9110 §5.6.3.</summary>
    public static ReadOnlySpan<byte> TrimBlanks(ReadOnlySpan<byte> bytes) => bytes.Trim(" \t"u8);

    /// <summary>Reads <c>1*DIGIT</c>, leading zeros included. RFC 9110 §8.6.</summary>
    /// <returns>
    /// <see langword="false"/> when empty, when anything but a digit is in it, or above <see cref="long.MaxValue"/>.
    /// </returns>
    public static bool TryParseDecimal(ReadOnlySpan<byte> digits, out long value)
    {
        value = 0;
        foreach (var next in digits)
        {
            var digit = next - '0';
            if ((uint)digit > 9 || value > (long.MaxValue - digit) / 10)
            {
                value = 0;
                return false;
            }

            value = value * 10 + digit;
        }

        return !digits.IsEmpty;
    }

    /// <summary>The value of one hex digit of either case, or -1.</summary>
    public static int HexValue(byte digit)
        => char.IsAsciiDigit((char)digit) ? digit - '0'
            : char.IsAsciiHexDigit((char)digit) ? (digit | 0x20) - 'a' + 10
            : -1;

    /// <summary>Whether the bytes begin with <c>%</c> and two hex digits. RFC 3986 §2.1.</summary>
    public static bool StartsWithPercentEncoding(ReadOnlySpan<byte> bytes)
        => bytes.Length >= 3 && bytes[0] == '%' && HexValue(bytes[1]) >= 0 && HexValue(bytes[2]) >= 0;

    /// <summary>
    /// Takes the next element off the front of a comma-separated list; empty elements are passed over, blanks trimmed.
    /// RFC 9110 §5.6.1.
    /// </summary>
    /// <remarks>Knows no quoted strings: for lists of tokens only (Connection, Upgrade, TE, Trailer).</remarks>
    /// <returns><see langword="false"/> when the list is at its end.</returns>
    public static bool TryTakeElement(ref ReadOnlySpan<byte> list, out ReadOnlySpan<byte> element)
    {
        while (!list.IsEmpty)
        {
            var comma = list.IndexOf((byte)',');
            element = TrimBlanks(comma < 0 ? list : list[..comma]);
            list = comma < 0 ? default : list[(comma + 1)..];
            if (!element.IsEmpty)
                return true;
        }

        element = default;
        return false;
    }

    /// <summary>Whether a list of tokens has the token among its elements, in any case. RFC 9110 §5.6.1.</summary>
    public static bool ListContains(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
    {
        while (TryTakeElement(ref list, out var element))
        {
            if (EqualsIgnoreCase(element, token))
                return true;
        }

        return false;
    }
}
