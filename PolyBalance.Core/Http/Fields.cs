namespace PolyBalance.Http;

/// <summary>
/// The field lines of one header or trailer section, in the order in which they came: offsets into the bytes of the
/// <see cref="FieldSection"/> that owns them. RFC 9112 §5.
/// </summary>
/// <remarks>
/// Reusable and not thread-safe; spans live until the owner takes other bytes. Grows to the configured number of field
/// lines once and allocates nothing afterwards.
/// </remarks>
internal sealed class Fields
{
    private const int FirstCapacity = 32;

    private readonly ushort[] _firstOf = new ushort[KnownFields.Count];
    private Entry[] _lines = new Entry[FirstCapacity];
    private byte[] _bytes = [];
    private int _end;               // where the last line ends
    private ulong _present;         // bit n: the known field n is there
    private ulong _repeated;        // bit n: … on more than one line

    /// <summary>How many field lines there are, the dropped ones included.</summary>
    public int Count { get; private set; }

    /// <summary>The name of a line as sent.</summary>
    public ReadOnlySpan<byte> Name(int index)
    {
        ref readonly var line = ref At(index);
        return _bytes.AsSpan(line.Start, line.NameLength);
    }

    /// <summary>The value of a line, without the blanks around it.</summary>
    public ReadOnlySpan<byte> Value(int index)
    {
        ref readonly var line = ref At(index);
        return _bytes.AsSpan(line.ValueStart, line.ValueLength);
    }

    /// <summary>Where the value of a line begins in the bytes of the section.</summary>
    public int ValueStart(int index) => At(index).ValueStart;

    /// <summary>A whole line as sent, its CRLF included.</summary>
    public ReadOnlySpan<byte> Line(int index) => Lines(index, 1);

    /// <summary>
    /// So many lines from <paramref name="first"/> on, as sent: one range, because there is nothing between lines.
    /// </summary>
    public ReadOnlySpan<byte> Lines(int first, int count)
    {
        if (count == 0)
            return default;

        var start = At(first).Start;
        var next = first + count;
        return _bytes.AsSpan(start, (next == Count ? _end : At(next).Start) - start);
    }

    /// <summary>Which field a line is.</summary>
    public KnownField Known(int index) => At(index).Known;

    /// <summary>Whether the field is there, dropped or not.</summary>
    public bool Has(KnownField field) => (_present & Bit(field)) != 0;

    /// <summary>Whether the field is there on more than one line, dropped or not.</summary>
    public bool IsRepeated(KnownField field) => (_repeated & Bit(field)) != 0;

    /// <summary>Index of the field's first line, or -1.</summary>
    public int IndexOf(KnownField field) => Has(field) ? _firstOf[(int)field] : -1;

    /// <summary>Index of the field's first line from <paramref name="start"/> on, or -1.</summary>
    public int IndexOf(KnownField field, int start)
    {
        for (var index = start; Has(field) && index < Count; index++)
        {
            if (Known(index) == field)
                return index;
        }

        return -1;
    }

    /// <summary>The value of the field's first line; empty when the field is absent.</summary>
    public ReadOnlySpan<byte> First(KnownField field) => Has(field) ? Value(_firstOf[(int)field]) : default;

    /// <summary>Offset of that value. Only for a field that is there.</summary>
    public int FirstStart(KnownField field) => At(_firstOf[(int)field]).ValueStart;

    /// <summary>Whether any line of a list field has the token for an element, in any case. RFC 9110 §5.6.1.</summary>
    public bool ListContains(KnownField field, ReadOnlySpan<byte> token)
    {
        if (!Has(field))
            return false;

        for (int index = _firstOf[(int)field]; index < Count; index++)
        {
            if (Known(index) == field && Ascii.ListContains(Value(index), token))
                return true;
        }

        return false;
    }

    /// <summary>Marks a line as one that is not forwarded. The line stays readable.</summary>
    public void Drop(int index) => At(index).IsDropped = true;

    /// <summary>Whether the line was marked by <see cref="Drop"/>.</summary>
    public bool IsDropped(int index) => At(index).IsDropped;

    /// <summary>Takes all <see cref="Drop"/> marks back.</summary>
    public void KeepAll()
    {
        foreach (ref var line in _lines.AsSpan(0, Count))
            line.IsDropped = false;
    }

    /// <summary>Forgets all lines and begins a section in these bytes. For <see cref="FieldSection"/>.</summary>
    public void Begin(byte[] bytes)
    {
        _bytes = bytes;
        _end = 0;
        _present = 0;
        _repeated = 0;
        Count = 0;
    }

    /// <summary>Adds the line that follows the last one. For the parser, which has checked bytes and number.</summary>
    /// <param name="start">Offset of the name.</param>
    /// <param name="nameLength">Length of the name. Unit: bytes.</param>
    /// <param name="valueStart">Offset of the trimmed value.</param>
    /// <param name="valueLength">Length of the trimmed value. Unit: bytes.</param>
    /// <param name="end">Offset behind the line's CRLF.</param>
    /// <param name="known">Which field it is.</param>
    public void Add(int start, int nameLength, int valueStart, int valueLength, int end, KnownField known)
    {
        var index = Count;
        if (index == _lines.Length)
            Array.Resize(ref _lines, Math.Min(index * 2, Limits.FieldLinesMax));

        _lines[index] = new Entry
        {
            Start = (ushort)start,
            NameLength = (ushort)nameLength,
            ValueStart = (ushort)valueStart,
            ValueLength = (ushort)valueLength,
            Known = known,
        };

        var bit = Bit(known);
        if ((_present & bit) == 0)
            _firstOf[(int)known] = (ushort)index;
        _repeated |= _present & bit;
        _present |= bit;
        _end = end;
        Count = index + 1;
    }

    private static ulong Bit(KnownField field) => 1UL << (int)field;

    private ref Entry At(int index) => ref _lines.AsSpan(0, Count)[index];

    private struct Entry
    {
        public ushort Start;
        public ushort NameLength;
        public ushort ValueStart;
        public ushort ValueLength;
        public KnownField Known;
        public bool IsDropped;
    }
}
