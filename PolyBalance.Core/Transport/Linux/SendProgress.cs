using System.Runtime.InteropServices;

namespace PolyBalance.Transport.Linux;

/// <summary>How far one send of many pieces has come.</summary>
internal struct SendProgress(List<ArraySegment<byte>> pieces)
{
    private int _piece;         // the first that is not sent whole
    private int _offset;        // bytes of that one that are sent

    /// <summary>Bytes that the kernel has taken so far.</summary>
    public long Taken { get; private set; }

    /// <summary>Sends until everything is sent, or nothing more can be.</summary>
    /// <returns>False when the socket is full: there will be room later.</returns>
    public bool TryFinish(int file, out Sent sent)
    {
        while (_piece < pieces.Count)
        {
            var count = SendBatch.Send(file, CollectionsMarshal.AsSpan(pieces)[_piece..], _offset);
            if (count >= 0)
            {
                Advance(count);
                continue;
            }

            var error = Libc.LastError;
            if (error == Libc.Interrupted)
                continue;

            sent = new(false, Taken);
            return error != Libc.WouldBlock;
        }

        sent = new(true, Taken);
        return true;
    }

    private void Advance(long count)
    {
        Taken += count;
        while (_piece < pieces.Count)
        {
            var rest = pieces[_piece].Count - _offset;
            if (count < rest)
            {
                _offset += (int)count;
                return;
            }

            count -= rest;
            _offset = 0;
            _piece++;
        }
    }
}
