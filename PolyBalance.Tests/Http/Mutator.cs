using System.Globalization;
using System.Text;

namespace PolyBalance.Tests.Http;

/// <summary>Makes new byte streams out of known ones: the small changes that parsers get wrong.</summary>
/// <param name="random">Decides everything, so that a seed tells the whole story.</param>
/// <param name="known">What parts are taken from.</param>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> known)
{
    private const int BytesMax = 4_096;

    /// <summary>Bytes that mean something to a parser, or nearly so.</summary>
    private static readonly byte[] TellingBytes =
        [.. "\r\n \t\0:;,=\"\\/?#%*_-+.0123456789aAfFgGxX"u8, 0x0B, 0x0C, 0x1B, 0x7F, 0x80, 0x85, 0xA0, 0xFF];

    private static readonly byte[][] TellingParts = [.. new[]
    {
        "\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\r\n ", "\r\n\t", " :", ": ", "HTTP/1.1", "HTTP/1.0",
        "GET / HTTP/1.1\r\n", "Host: x\r\n", "Host: y\r\n", "Content-Length: 5\r\n", "Content-Length: 0\r\n",
        "content-length:5\r\n", "Transfer-Encoding: chunked\r\n", "transfer-encoding:chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Content_Length: 5\r\n", "Connection: close\r\n",
        "Connection: keep-alive, A, X-B\r\n", "Connection: TE\r\nTE: trailers\r\n",
        "Connection: upgrade\r\nUpgrade: websocket\r\n", "Expect: 100-continue\r\n", "Trailer: A\r\n", "A: b\r\n",
        "X-B: c\r\n", "Keep-Alive: timeout=5\r\n", "X-Forwarded-For: 1.2.3.4\r\n", "x_forwarded_for: 1.2.3.4\r\n",
        "Max-Forwards: 3\r\n", "5\r\nhello\r\n", "0\r\n\r\n", "0\r\n", "0\r\nA: b\r\n\r\n", "5;a=\"b\"\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 204 x\r\n",
    }.Select(Encoding.ASCII.GetBytes)];

    /// <summary>One to four changes to a copy of one of the known streams.</summary>
    public byte[] Next()
    {
        var bytes = new List<byte>(Any(known));
        for (var left = random.Next(1, 5); left > 0; left--)
            Change(bytes);
        return bytes.Count <= BytesMax ? [.. bytes] : [.. bytes[..BytesMax]];
    }

    private void Change(List<byte> bytes)
    {
        switch (random.Next(12))
        {
            case 0 when bytes.Count > 0:
                bytes[random.Next(bytes.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when bytes.Count > 0:
                bytes[random.Next(bytes.Count)] = Any(TellingBytes);
                break;
            case 2:
                bytes.Insert(random.Next(bytes.Count + 1), Any(TellingBytes));
                break;
            case 3:
                bytes.InsertRange(random.Next(bytes.Count + 1), Any(TellingParts));
                break;
            case 4 when bytes.Count > 0:
                var (start, count) = Range(bytes, 8);
                bytes.RemoveRange(start, count);
                break;
            case 5 when bytes.Count > 0:
                (start, count) = Range(bytes, 40);
                bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(start, count));
                break;
            case 6:
                Splice(bytes);
                break;
            case 7:
                ShuffleLines(bytes);
                break;
            case 8:
                ChangeNumber(bytes);
                break;
            case 9:
                ChangeLineEnd(bytes);
                break;
            case 10:
                InsertFieldLine(bytes);
                break;
            default:
                ChangeCase(bytes);
                break;
        }
    }

    private T Any<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    private (int Start, int Count) Range(List<byte> bytes, int countMax)
    {
        var start = random.Next(bytes.Count);
        return (start, random.Next(1, Math.Min(countMax, bytes.Count - start) + 1));
    }

    /// <summary>The front of this one and the back of another one.</summary>
    private void Splice(List<byte> bytes)
    {
        var other = Any(known);
        var cut = random.Next(bytes.Count + 1);
        bytes.RemoveRange(cut, bytes.Count - cut);
        bytes.AddRange(other[random.Next(other.Length)..]);
    }

    private void ShuffleLines(List<byte> bytes)
    {
        var lines = Encoding.Latin1.GetString([.. bytes]).Split("\r\n");
        var (one, two) = (random.Next(lines.Length), random.Next(lines.Length));
        (lines[one], lines[two]) = (lines[two], lines[one]);
        bytes.Clear();
        bytes.AddRange(Encoding.Latin1.GetBytes(string.Join("\r\n", lines)));
    }

    private void ChangeNumber(List<byte> bytes)
    {
        var start = FindFrom(bytes, random.Next(bytes.Count + 1), value => char.IsAsciiHexDigit((char)value));
        if (start < 0)
            return;

        var end = start;
        while (end < bytes.Count && char.IsAsciiHexDigit((char)bytes[end]))
            end++;

        var text = Encoding.ASCII.GetString([.. bytes[start..end]]);
        _ = ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number);
        string[] choices =
        [
            unchecked(number + 1).ToString("x", CultureInfo.InvariantCulture),
            unchecked(number - 1).ToString("x", CultureInfo.InvariantCulture),
            "0" + text, text + "0", "-" + text, "+" + text, "0x" + text, text + ".0", text + "_0", "0",
            "7fffffffffffffff", "8000000000000000", "ffffffffffffffff",
            "9223372036854775807", "9223372036854775808", "18446744073709551616",
        ];
        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, Encoding.ASCII.GetBytes(Any(choices)));
    }

    private void ChangeLineEnd(List<byte> bytes)
    {
        var at = FindFrom(bytes, random.Next(bytes.Count + 1), value => value == '\r');
        if (at < 0 || at + 1 >= bytes.Count)
            return;

        string[] choices =
            ["\n", "\r", "\r\r\n", "\n\r", "\r\n\r\n", "\r\n ", "\r\n\t", "", " \r\n", "\t\r\n", "\0\r\n", "\r \n"];
        bytes.RemoveRange(at, 2);
        bytes.InsertRange(at, Encoding.ASCII.GetBytes(Any(choices)));
    }

    private void InsertFieldLine(List<byte> bytes)
    {
        var at = FindFrom(bytes, random.Next(bytes.Count + 1), value => value == '\n');
        bytes.InsertRange(at + 1, Any(TellingParts));
    }

    private void ChangeCase(List<byte> bytes)
    {
        var at = FindFrom(bytes, random.Next(bytes.Count + 1), value => char.IsAsciiLetter((char)value));
        if (at >= 0)
            bytes[at] ^= 0x20;
    }

    private static int FindFrom(List<byte> bytes, int start, Predicate<byte> isWanted)
        => start < bytes.Count ? bytes.FindIndex(start, isWanted) : -1;
}
