using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace PolyBalance.Discovery;

/// <summary>
/// A domain name as messages hold it: labels with their lengths before them, and an empty one at the end. Immutable.
/// </summary>
/// <remarks>
/// RFC 1035 §3.1. Letters are lower case, so that names compare as §2.3.3 wants it: without regard to case. Labels may
/// hold any byte.
/// </remarks>
internal sealed class DnsName : IEquatable<DnsName>
{
    /// <summary>What a name takes at most, with all lengths. RFC 1035 §2.3.4. Unit: bytes.</summary>
    public const int BytesMax = 255;

    /// <summary>What a label takes at most. RFC 1035 §2.3.4. Unit: bytes.</summary>
    public const int LabelBytesMax = 63;

    private const byte KindMask = 0xC0;
    private const byte PointerKind = 0xC0;

    private readonly byte[] _bytes;

    private DnsName(byte[] bytes) => _bytes = bytes;

    /// <summary>The name above all others, which has no labels.</summary>
    public static DnsName Root { get; } = new([0]);

    /// <summary>As a message holds it, without compression.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Whether it has no labels.</summary>
    public bool IsRoot => _bytes.Length == 1;

    /// <summary>How many dots are between its labels.</summary>
    public int Dots
    {
        get
        {
            var labels = 0;
            for (var at = 0; _bytes[at] > 0; at += 1 + _bytes[at])
                labels++;
            return Math.Max(labels - 1, 0);
        }
    }

    /// <summary>Reads a name with dots, such as <c>backend.default.svc</c>; a dot at its end changes nothing.</summary>
    /// <param name="text">The name; ASCII.</param>
    /// <param name="name">What it means.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        if (text is "." or "")
        {
            name = Root;
            return text.Length > 0;
        }

        var bytes = new List<byte>(text.Length + 2);
        foreach (var label in (text[^1] == '.' ? text[..^1] : text).Split('.'))
        {
            if (label.Length is 0 or > LabelBytesMax || !Ascii.IsValid(label))
                return false;

            bytes.Add((byte)label.Length);
            foreach (var letter in label)
                bytes.Add((byte)char.ToLowerInvariant(letter));
        }

        bytes.Add(0);
        if (bytes.Count > BytesMax)
            return false;

        name = new([.. bytes]);
        return true;
    }

    /// <summary>Reads a name out of a message, compressed or not. RFC 1035 §4.1.4.</summary>
    /// <remarks>
    /// A pointer leads to an earlier place than everything of the name that was read so far, so no sequence of them
    /// comes to the same place twice; and there are not many of them in one name, so a long message costs little.
    /// </remarks>
    /// <param name="message">All of it: pointers count from its beginning.</param>
    /// <param name="offset">Where the name begins; where what follows it begins, when it could be read.</param>
    /// <param name="name">The name.</param>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int offset, [NotNullWhen(true)] out DnsName? name)
    {
        name = null;
        Span<byte> bytes = stackalloc byte[BytesMax];
        var (length, at, end, earliest, pointers) = (0, offset, -1, offset, 0);
        while (true)
        {
            if (at >= message.Length)
                return false;

            var first = message[at];
            if (first == 0)
            {
                bytes[length++] = 0;
                offset = end < 0 ? at + 1 : end;
                name = length == 1 ? Root : new(bytes[..length].ToArray());
                return true;
            }

            if ((first & KindMask) == 0)
            {
                // One byte is left for the empty label at the end.
                if (at + 1 + first > message.Length || length + 1 + first >= BytesMax)
                    return false;

                bytes[length++] = first;
                foreach (var letter in message.Slice(at + 1, first))
                    bytes[length++] = letter is >= (byte)'A' and <= (byte)'Z' ? (byte)(letter | 0x20) : letter;
                at += 1 + first;
                continue;
            }

            // The two other kinds of labels are none that anybody uses.
            if ((first & KindMask) != PointerKind || at + 1 >= message.Length || ++pointers > Limits.NamePointersMax)
                return false;

            var target = ((first & ~KindMask) << 8) | message[at + 1];
            if (target >= earliest || target < DnsQuery.HeadBytes)
                return false;

            if (end < 0)
                end = at + 2;
            (at, earliest) = (target, target);
        }
    }

    /// <summary>The name with another one behind it; null when both together are too long.</summary>
    public DnsName? Below(DnsName above)
        => _bytes.Length - 1 + above._bytes.Length <= BytesMax ? new([.. _bytes[..^1], .. above._bytes]) : null;

    /// <inheritdoc/>
    public bool Equals(DnsName? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DnsName);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <summary>
    /// For people: labels with dots between them. What is no visible ASCII character is written as a number, so that a
    /// name from a message can be logged.
    /// </summary>
    public override string ToString()
    {
        if (IsRoot)
            return ".";

        var text = new StringBuilder();
        for (var at = 0; _bytes[at] > 0; at += 1 + _bytes[at])
        {
            if (at > 0)
                text.Append('.');
            foreach (var letter in _bytes.AsSpan(at + 1, _bytes[at]))
            {
                if (letter is > (byte)' ' and < 0x7F and not ((byte)'.' or (byte)'\\'))
                    text.Append((char)letter);
                else
                    text.Append('\\').Append($"{letter:D3}");
            }
        }

        return text.ToString();
    }
}
