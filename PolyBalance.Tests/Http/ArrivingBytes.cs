using System.Buffers;

namespace PolyBalance.Tests.Http;

/// <summary>Bytes that came over a connection and were not consumed yet, in segments as a pipe has them.</summary>
/// <param name="segmentBytes">
/// How many bytes share a segment at most. 0: every piece is a segment of its own, as large as it came.
/// </param>
internal sealed class ArrivingBytes(int segmentBytes)
{
    private Segment? _first;
    private Segment? _last;
    private int _consumedOfFirst;

    /// <summary>What is there.</summary>
    public ReadOnlySequence<byte> Sequence
        => _first is null
            ? ReadOnlySequence<byte>.Empty
            : new ReadOnlySequence<byte>(_first, _consumedOfFirst, _last!, _last!.Memory.Length);

    /// <summary>What can be read at once; empty only when nothing is there.</summary>
    public ReadOnlySpan<byte> Front
    {
        get
        {
            foreach (var memory in Sequence)
            {
                if (!memory.IsEmpty)
                    return memory.Span;
            }

            return default;
        }
    }

    /// <summary>Takes in a segment without bytes, which a sequence may have anywhere.</summary>
    public void AddNothing()
    {
        _last = new Segment(capacity: 0, _last);
        _first ??= _last;
    }

    /// <summary>Takes in what came next.</summary>
    public void Add(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            if (_last is null || _last.Room == 0)
            {
                _last = new Segment(segmentBytes == 0 ? piece.Length : segmentBytes, _last);
                _first ??= _last;
            }

            var length = Math.Min(piece.Length, _last.Room);
            _last.Append(piece[..length]);
            piece = piece[length..];
        }
    }

    /// <summary>Gives bytes at the front back, as <c>PipeReader.AdvanceTo</c> does.</summary>
    public void Consume(long count)
    {
        while (count > 0)
        {
            var available = _first!.Memory.Length - _consumedOfFirst;
            if (count < available)
            {
                _consumedOfFirst += (int)count;
                return;
            }

            count -= available;
            _first.Overwrite();
            _first = _first.Following;
            _consumedOfFirst = 0;
        }

        // A segment that is used up but not full stays, so that what comes next can share it.
        if (_first is null)
            _last = null;
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private readonly byte[] _bytes;

        public Segment(int capacity, Segment? before)
        {
            _bytes = new byte[capacity];
            if (before is null)
                return;

            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }

        public int Room => _bytes.Length - Memory.Length;

        public Segment? Following => (Segment?)Next;

        public void Append(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_bytes.AsSpan(Memory.Length));
            Memory = _bytes.AsMemory(0, Memory.Length + bytes.Length);
        }

        // Whoever still reads from a segment that was given back will see that it was.
        public void Overwrite() => Array.Fill(_bytes, (byte)'!');
    }
}
