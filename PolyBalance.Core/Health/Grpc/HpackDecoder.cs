namespace PolyBalance.Health.Grpc;

/// <summary>Reads field blocks of one connection: RFC 7541. Strict, and bounded in everything.</summary>
/// <remarks>Owned by one connection; blocks must come in their order, because each may change the table.</remarks>
internal sealed class HpackDecoder
{
    /// <summary>What the fields of one block may count for together. Unit: bytes.</summary>
    public const int ListBytesMax = 16 * 1024;

    private readonly HpackTable _table = new();

    /// <summary>Reads one whole field block. False for what no encoder may write, and for too much of it.</summary>
    /// <param name="block">All fragments together.</param>
    /// <param name="fields">What it says, in order.</param>
    public bool TryDecode(ReadOnlySpan<byte> block, List<HpackField> fields)
    {
        var room = ListBytesMax;
        while (!block.IsEmpty)
        {
            if (!TryDecodeField(ref block, isFirst: fields.Count == 0, out var field))
                return false;
            if (field is not { } found)
                continue;

            room -= found.Cost;
            if (room < 0)
                return false;
            fields.Add(found);
        }

        return true;
    }

    // The first bits say which representation follows: RFC 7541 §6.
    private bool TryDecodeField(ref ReadOnlySpan<byte> block, bool isFirst, out HpackField? field)
    {
        field = null;
        var first = block[0];
        if ((first & 0x80) != 0)
        {
            var isKnown = TryInteger(ref block, prefixBits: 7, out var index) & _table.TryGet(index, out var indexed);
            field = indexed;
            return isKnown;
        }

        // A change of the table's size stands before all fields: §4.2.
        if ((first & 0xE0) == 0x20)
            return isFirst && TryInteger(ref block, prefixBits: 5, out var bytes) && _table.TryResize(bytes);

        var isIndexed = (first & 0x40) != 0;
        if (!TryInteger(ref block, prefixBits: isIndexed ? 6 : 4, out var nameIndex)
            || !TryName(ref block, nameIndex, out var name)
            || !TryString(ref block, out var value))
            return false;

        var literal = new HpackField(name, value);
        if (isIndexed)
            _table.Add(literal);
        field = literal;
        return true;
    }

    private bool TryName(ref ReadOnlySpan<byte> block, int index, out byte[] name)
    {
        if (index == 0)
            return TryString(ref block, out name);

        var isKnown = _table.TryGet(index, out var field);
        name = field.Name ?? [];
        return isKnown;
    }

    // RFC 7541 §5.1. Nothing here needs more than four bytes of continuation.
    private static bool TryInteger(ref ReadOnlySpan<byte> block, int prefixBits, out int value)
    {
        value = 0;
        if (block.IsEmpty)
            return false;

        var prefixMax = (1 << prefixBits) - 1;
        value = block[0] & prefixMax;
        block = block[1..];
        if (value < prefixMax)
            return true;

        for (var shift = 0; shift < 28 && !block.IsEmpty; shift += 7)
        {
            var next = block[0];
            block = block[1..];
            value += (next & 0x7F) << shift;
            if ((next & 0x80) == 0)
                return true;
        }

        return false;
    }

    // RFC 7541 §5.2.
    private static bool TryString(ref ReadOnlySpan<byte> block, out byte[] text)
    {
        text = [];
        var isCoded = !block.IsEmpty && (block[0] & 0x80) != 0;
        if (!TryInteger(ref block, prefixBits: 7, out var length) || length > block.Length || length > ListBytesMax)
            return false;

        var bytes = block[..length];
        block = block[length..];
        if (!isCoded)
        {
            text = bytes.ToArray();
            return true;
        }

        // The shortest code has five bits.
        var decoded = new byte[(bytes.Length * 8 / 5) + 1];
        if (!HpackHuffman.TryDecode(bytes, decoded, out var decodedLength))
            return false;

        text = decoded[..decodedLength];
        return true;
    }
}
