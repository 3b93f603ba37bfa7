using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;

namespace PolyBalance.Health.Grpc;

/// <summary>What the backend answers to a health call: head, message and trailer section. RFC 9113 §8.1.</summary>
internal sealed class HealthReply
{
    // A message of this protocol has two bytes; a later version may add some.
    private const int ContentBytesMax = 4_096;
    private const int PrefixBytes = 5;

    private static readonly string[] Servings = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

    private static readonly string[] Codes =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ];

    private readonly ArrayBufferWriter<byte> _content = new();
    private int _status;
    private int _code = -1;
    private int _blocks;

    /// <summary>Whether the final head has come, so that content may.</summary>
    public bool HasHead => _status >= 200;

    /// <summary>Takes in a field block. False when it is not what may come now.</summary>
    /// <param name="fields">What it says.</param>
    /// <param name="endsStream">Whether nothing follows it.</param>
    public bool TryTake(List<HpackField> fields, bool endsStream)
    {
        // §8.1: whatever follows the final head ends the stream; an interim response does not.
        var isTrailer = HasHead;
        if ((isTrailer && !endsStream) || ++_blocks > Limits.InterimResponsesMax)
            return false;

        var (seesStatus, seesFields) = (false, false);
        foreach (var field in fields)
        {
            // §8.2.1, §8.3: names in lower case, and those with a colon come first and once, in a head only.
            if (field.Name.Length == 0 || field.Name.AsSpan().ContainsAnyInRange((byte)'A', (byte)'Z'))
                return false;

            if (field.Name[0] != (byte)':')
            {
                seesFields = true;
                if (field.Name.AsSpan().SequenceEqual("grpc-status"u8)
                    && !TryNumber(field.Value, digitsMax: 2, out _code))
                    return false;
            }
            else if (isTrailer || seesFields || seesStatus || !TryTakeStatus(field))
            {
                return false;
            }
            else
            {
                seesStatus = true;
            }
        }

        return isTrailer || (seesStatus && (HasHead || !endsStream));
    }

    /// <summary>Takes in content. False when it is too much.</summary>
    public bool TryAdd(ReadOnlySpan<byte> content)
    {
        if (_content.WrittenCount + content.Length > ContentBytesMax)
            return false;

        _content.Write(content);
        return true;
    }

    /// <summary>Everything is there: what does it mean?</summary>
    public ProbeAnswer Judge()
    {
        if (_status != 200)
            return ProbeAnswer.Failed($"status {_status}");
        if (_code < 0)
            return ProbeAnswer.Failed("an answer without grpc-status");
        if (_code > 0)
        {
            var name = _code < Codes.Length ? $" ({Codes[_code]})" : "";
            return ProbeAnswer.Failed(string.Create(CultureInfo.InvariantCulture, $"grpc-status {_code}{name}"));
        }

        if (!TryReadMessage(_content.WrittenSpan, out var serving))
            return ProbeAnswer.Failed("malformed response");

        var word = serving < (ulong)Servings.Length ? Servings[(int)serving] : $"serving status {serving}";
        return new(serving == 1, word);
    }

    private bool TryTakeStatus(in HpackField field)
    {
        var isStatus = field.Name.AsSpan().SequenceEqual(":status"u8) && field.Value.Length == 3;
        return isStatus && TryNumber(field.Value, digitsMax: 3, out _status)
            && _status is >= 100 and <= 599 and not 101;
    }

    private static bool TryNumber(ReadOnlySpan<byte> digits, int digitsMax, out int number)
    {
        var isNumber = Http.Ascii.TryParseDecimal(digits, out var value) && digits.Length <= digitsMax;
        number = isNumber ? (int)value : -1;
        return isNumber;
    }

    // One message: not compressed, as long as its prefix says. Of its fields only the first one matters.
    private static bool TryReadMessage(ReadOnlySpan<byte> content, out ulong serving)
    {
        serving = 0;
        if (content.Length < PrefixBytes || content[0] != 0
            || BinaryPrimitives.ReadUInt32BigEndian(content[1..]) != content.Length - PrefixBytes)
            return false;

        for (var rest = content[PrefixBytes..]; !rest.IsEmpty;)
        {
            if (!TryVariable(ref rest, out var tag))
                return false;

            var (field, wireType) = (tag >> 3, tag & 7);
            var number = 0ul;
            var isSound = wireType switch
            {
                0 => TryVariable(ref rest, out number),
                1 => TrySkip(ref rest, 8),
                2 => TryVariable(ref rest, out var length) && TrySkip(ref rest, length),
                5 => TrySkip(ref rest, 4),
                _ => false,
            };
            if (!isSound || field == 0 || (field == 1 && wireType != 0))
                return false;
            if (field == 1)
                serving = number;
        }

        return true;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> rest, ulong length)
    {
        if (length > (ulong)rest.Length)
            return false;

        rest = rest[(int)length..];
        return true;
    }

    private static bool TryVariable(ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !rest.IsEmpty; shift += 7)
        {
            var next = rest[0];
            rest = rest[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if ((next & 0x80) == 0)
                return true;
        }

        return false;
    }
}
