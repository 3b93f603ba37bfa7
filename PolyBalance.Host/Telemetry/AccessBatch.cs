namespace PolyBalance.Host.Telemetry;

/// <summary>
/// Lines of all lanes that are written together, in the order in which their exchanges ended: so that a client's
/// requests read in their order, whichever threads they fell to.
/// </summary>
/// <remarks>
/// Owned by the writer thread. Lines of one lane stay in the order in which they came, whatever the clock did
/// meanwhile.
/// </remarks>
/// <param name="output">Where lines go.</param>
/// <param name="buffers">Where buffers go when their lines are written.</param>
internal sealed class AccessBatch(AccessOutput output, AccessBuffers buffers)
{
    private const int TextLength = 64 * 1024;
    private const int GatheredLengthMax = TextLength / 2;

    private readonly PriorityQueue<AccessBuffer, long> _lanes = new();
    private readonly byte[] _text = new byte[TextLength];
    private int _textLength;
    private int _textLines;
    private int _waiting;
    private bool _lineMayBeCut;

    /// <summary>Lines that were added and are neither written nor lost. Any thread may ask.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Why the last lines could not be written, or null when they were. Any thread may ask.</summary>
    public string? Problem { get; private set; }

    /// <summary>Adds the lines of one lane.</summary>
    /// <param name="first">The first of its buffers; the batch owns them from now on.</param>
    public void Add(AccessBuffer first)
    {
        _lanes.Enqueue(first, first.NextEnded);
        for (var buffer = first; buffer is not null; buffer = buffer.Next)
            _waiting += buffer.LineCount;
    }

    /// <summary>Writes all lines.</summary>
    /// <returns>How many of them are lost.</returns>
    public int Write()
    {
        var lost = 0;
        while (_lanes.TryDequeue(out var buffer, out _))
        {
            var others = _lanes.TryPeek(out _, out var next) ? next : long.MaxValue;
            lost += Append(buffer.Take(others, out var count), count);

            var rest = buffer.HasLines ? buffer : buffer.Next;
            if (rest is not null)
                _lanes.Enqueue(rest, rest.NextEnded);
            if (rest != buffer)
                buffers.Return(buffer);
        }

        return lost + Flush();
    }

    private int Append(ReadOnlySpan<byte> lines, int count)
    {
        var lost = lines.Length > TextLength - _textLength ? Flush() : 0;

        // With nothing before them, many lines are worth a write of their own, and need no copy. Few are gathered: a
        // write costs as much as copying 64 KiB.
        if (_textLines == 0 && lines.Length > GatheredLengthMax)
            return lost + Write(lines, count);

        lines.CopyTo(_text.AsSpan(_textLength));
        _textLength += lines.Length;
        _textLines += count;
        return lost;
    }

    private int Flush()
    {
        if (_textLines == 0)
            return 0;

        var lost = Write(_text.AsSpan(0, _textLength), _textLines);
        _textLength = _textLines = 0;
        return lost;
    }

    private int Write(ReadOnlySpan<byte> lines, int count)
    {
        var lost = 0;
        try
        {
            // After a failure the file may end in half a line; the next one must not be glued to it.
            if (_lineMayBeCut)
                output.Write("\n"u8);
            _lineMayBeCut = true;
            output.Write(lines);
            _lineMayBeCut = false;
            Problem = null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Problem = failure.Message;
            lost = count;
        }

        Volatile.Write(ref _waiting, _waiting - count);
        return lost;
    }
}
