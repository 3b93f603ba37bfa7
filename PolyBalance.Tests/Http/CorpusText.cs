using System.Buffers;
using System.Globalization;
using System.Text;

namespace PolyBalance.Tests.Http;

/// <summary>Bytes as corpus files write them: visible ASCII as it is, everything else escaped.</summary>
/// <remarks>
/// <c>\r \n \t \0 \\ \xHH</c> stand for one byte each, <c>{text*count}</c> for a repetition of the text. A brace that
/// is meant is written <c>\x7B</c>.
/// </remarks>
internal static class CorpusText
{
    private const int LongRun = 32;

    /// <summary>Reads escaped text.</summary>
    /// <exception cref="FormatException">An escape that does not exist, or a character beyond ASCII.</exception>
    public static byte[] Unescape(string text)
    {
        var bytes = new ArrayBufferWriter<byte>();
        for (var at = 0; at < text.Length;)
        {
            if (text[at] == '{')
                AppendRepetition(text, ref at, bytes);
            else
                bytes.Write([ReadByte(text, ref at)]);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Writes bytes so that <see cref="Unescape"/> reads them back. Equal bytes give equal text.</summary>
    public static string Escape(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        for (var at = 0; at < bytes.Length;)
        {
            var run = bytes[at..].IndexOfAnyExcept(bytes[at]);
            run = run < 0 ? bytes.Length - at : run;
            if (run > LongRun)
            {
                text.Append('{').Append(EscapeByte(bytes[at])).Append('*').Append(run).Append('}');
                at += run;
                continue;
            }

            var isLastBlank = bytes[at] == ' ' && at == bytes.Length - 1;
            text.Append(isLastBlank ? @"\x20" : EscapeByte(bytes[at]));
            at++;
        }

        return text.ToString();
    }

    private static void AppendRepetition(string text, ref int at, ArrayBufferWriter<byte> bytes)
    {
        var end = text.IndexOf('}', at);
        var star = end < 0 ? -1 : text.LastIndexOf('*', end);
        if (star <= at
            || !int.TryParse(text[(star + 1)..end], CultureInfo.InvariantCulture, out var count)
            || count < 1)
        {
            throw new FormatException($"No {{text*count}} at {at}: {text}");
        }

        var repeated = Unescape(text[(at + 1)..star]);
        for (var i = 0; i < count; i++)
            bytes.Write(repeated);
        at = end + 1;
    }

    private static byte ReadByte(string text, ref int at)
    {
        var next = text[at++];
        if (next is < ' ' or > '~')
            throw new FormatException($"Character {(int)next:X2} has to be escaped: {text}");
        if (next != '\\')
            return (byte)next;

        var kind = at < text.Length ? text[at++] : ' ';
        if (kind != 'x')
        {
            return kind switch
            {
                'r' => (byte)'\r',
                'n' => (byte)'\n',
                't' => (byte)'\t',
                '0' => 0,
                '\\' => (byte)'\\',
                _ => throw new FormatException($"Unknown escape \\{kind}: {text}"),
            };
        }

        if (at + 2 > text.Length || !byte.TryParse(
            text.AsSpan(at, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            throw new FormatException($"Two hex digits follow \\x: {text}");
        }

        at += 2;
        return value;
    }

    private static string EscapeByte(byte value) => value switch
    {
        (byte)'\r' => @"\r",
        (byte)'\n' => @"\n",
        (byte)'\t' => @"\t",
        0 => @"\0",
        (byte)'\\' => @"\\",
        (byte)'{' or < (byte)' ' or > (byte)'~' => $@"\x{value:X2}",
        _ => ((char)value).ToString(),
    };
}
