using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PolyBalance.Transport.Linux;

/// <summary>One system call that sends as many pieces as it can describe, straight from managed memory.</summary>
internal static unsafe class SendBatch
{
    /// <summary>Pieces that one call can send.</summary>
    public const int PiecesMax = 8;

    private const int Flags = Libc.DoNotWait | Libc.NoSignal;

    /// <summary>Sends the first pieces, without waiting.</summary>
    /// <param name="file">The socket.</param>
    /// <param name="pieces">At least one.</param>
    /// <param name="offset">Bytes of the first piece that were sent before.</param>
    /// <returns>How many bytes were taken; negative: <see cref="Libc.LastError"/> says why none.</returns>
    public static long Send(int file, ReadOnlySpan<ArraySegment<byte>> pieces, int offset)
    {
        if (pieces.Length == 1)
        {
            fixed (byte* start = &Start(pieces[0]))
                return Libc.Send(file, start + offset, pieces[0].Count - offset, Flags);
        }

        // Pinned for this one call, which never waits: cheaper than handles, and nothing is left to be freed.
        var count = Math.Min(pieces.Length, PiecesMax);
        fixed (byte* a = &At(pieces, 0), b = &At(pieces, 1), c = &At(pieces, 2), d = &At(pieces, 3))
        fixed (byte* e = &At(pieces, 4), f = &At(pieces, 5), g = &At(pieces, 6), h = &At(pieces, 7))
        {
            var batch = stackalloc Libc.Piece[PiecesMax];
            batch[0].Start = a + offset;
            batch[1].Start = b;
            batch[2].Start = c;
            batch[3].Start = d;
            batch[4].Start = e;
            batch[5].Start = f;
            batch[6].Start = g;
            batch[7].Start = h;
            for (var index = 0; index < count; index++)
                batch[index].Length = pieces[index].Count;
            batch[0].Length -= offset;

            var message = new Libc.Message { Pieces = batch, Count = count };
            return Libc.SendPieces(file, &message, count < pieces.Length ? Flags | Libc.More : Flags);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ref byte At(ReadOnlySpan<ArraySegment<byte>> pieces, int index)
    {
        if (index >= pieces.Length)
            return ref Unsafe.NullRef<byte>();

        return ref Start(pieces[index]);
    }

    private static ref byte Start(in ArraySegment<byte> piece)
    {
        Debug.Assert(piece.Array is not null, "only memory of arrays is ever attached");
        return ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(piece.Array), piece.Offset);
    }
}
