using PolyBalance.Telemetry;

namespace PolyBalance.Host.Telemetry;

/// <summary>Finished lines of one lane, side by side, until they are written. Reused.</summary>
/// <remarks>Owned by its lane while it is appended to, then by the writer thread.</remarks>
/// <param name="length">Of the text it has room for. Unit: bytes.</param>
/// <param name="linesMax">How many lines it has room for.</param>
internal sealed class AccessBuffer(int length, int linesMax)
{
    private readonly byte[] _text = GC.AllocateUninitializedArray<byte>(length);
    private readonly Line[] _lines = new Line[linesMax];
    private int _taken;

    /// <summary>Room for text. Unit: bytes.</summary>
    public int Length => _text.Length;

    /// <summary>The buffer that its lane began when this one was full.</summary>
    public AccessBuffer? Next { get; set; }

    /// <summary>Lines that were appended.</summary>
    public int LineCount { get; private set; }

    /// <summary>Whether there are lines that were not taken.</summary>
    public bool HasLines => _taken < LineCount;

    /// <summary>When the exchange of the next line to take ended. Unit: ticks of UTC.</summary>
    public long NextEnded => _lines[_taken].Ended;

    private int TextEnd => LineCount == 0 ? 0 : _lines[LineCount - 1].End;

    /// <summary>Appends one line, if it fits.</summary>
    /// <param name="format">How it looks.</param>
    /// <param name="exchange">What happened.</param>
    /// <param name="needed">How long the line is. Unit: bytes.</param>
    public bool TryAppend(IAccessFormat format, in ExchangeRecord exchange, out int needed)
    {
        var begin = TextEnd;
        needed = format.Write(exchange, LineCount < _lines.Length ? _text.AsSpan(begin) : []);
        if (LineCount == _lines.Length || needed > _text.Length - begin)
            return false;

        _lines[LineCount++] = new(begin + needed, exchange.Started.UtcTicks + exchange.Duration.Ticks);
        return true;
    }

    /// <summary>Takes the next line, and those after it whose exchanges did not end later than a moment.</summary>
    /// <param name="last">The moment. Unit: ticks of UTC.</param>
    /// <param name="count">How many lines.</param>
    public ReadOnlySpan<byte> Take(long last, out int count)
    {
        var first = _taken;
        var begin = first == 0 ? 0 : _lines[first - 1].End;
        do
            _taken++;
        while (_taken < LineCount && _lines[_taken].Ended <= last);

        count = _taken - first;
        return _text.AsSpan(begin, _lines[_taken - 1].End - begin);
    }

    /// <summary>Forgets the lines.</summary>
    public void Clear()
    {
        LineCount = _taken = 0;
        Next = null;
    }

    private readonly record struct Line(int End, long Ended);
}
