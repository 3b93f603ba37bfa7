using System.Buffers;

namespace PolyBalance.Transport;

/// <summary>
/// One piece of memory that bytes are received into or written from, and at the same time its segment in a sequence.
/// </summary>
/// <remarks>Has one owner at a time: the pool, an operation in progress, or one direction of a connection.</remarks>
internal sealed class Block : ReadOnlySequenceSegment<byte>
{
    /// <summary>Wraps a piece of memory. Only <see cref="BlockPool"/> makes blocks.</summary>
    public Block(int length) => Array = GC.AllocateUninitializedArray<byte>(length);

    /// <summary>The memory. All of it may be used.</summary>
    public byte[] Array { get; }

    /// <summary>How many bytes at the front of <see cref="Array"/> are filled.</summary>
    public int Filled { get; private set; }

    /// <summary>Bytes that still fit.</summary>
    public int Room => Array.Length - Filled;

    /// <summary>The block behind this one in the same sequence.</summary>
    public Block? NextBlock => (Block?)Next;

    /// <summary>Declares <paramref name="count"/> more bytes filled.</summary>
    public void Fill(int count)
    {
        Filled += count;
        Memory = Array.AsMemory(0, Filled);
    }

    /// <summary>Makes this block follow <paramref name="previous"/> in a sequence.</summary>
    public void Follow(Block? previous)
    {
        RunningIndex = previous is null ? 0 : previous.RunningIndex + previous.Filled;
        if (previous is not null)
            previous.Next = this;
    }

    /// <summary>Forgets content and neighbours. Called when the block goes back to its pool.</summary>
    public void Reset()
    {
        Filled = 0;
        Memory = default;
        Next = null;
        RunningIndex = 0;
    }
}
