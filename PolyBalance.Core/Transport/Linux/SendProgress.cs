using System.Runtime.InteropServices;

namespace PolyBalance.Transport.Linux;

/// <summary>How far one send of many pieces has come.</summary>
internal struct SendProgress
{
    private readonly List<ArraySegment<byte>>? _pieces;
    private readonly RingRelay? _relay;
    private int _piece;         // the first that is not sent whole
    private int _offset;        // bytes of that one that are sent

    /// <summary>Begins to send pieces.</summary>
    public SendProgress(List<ArraySegment<byte>> pieces) => _pieces = pieces;

    /// <summary>Begins to send what a relay holds.</summary>
    public SendProgress(RingRelay relay) => _relay = relay;

    /// <summary>Bytes that the kernel has taken so far.</summary>
    public long Taken { get; private set; }

    /// <summary>Sends until everything is sent, or nothing more can be.</summary>
    /// <returns>False when the socket is full: there will be room later.</returns>
    public bool TryFinish(int file, out Sent sent)
    {
        while (HasMore)
        {
            var count = _relay is null
                ? SendBatch.Send(file, CollectionsMarshal.AsSpan(_pieces)[_piece..], _offset)
                : _relay.Drain(file);
            if (count > 0)
            {
                Advance(count);
                continue;
            }

            // Nothing taken and no error: a pipe that holds less than it should. Never again and again.
            var error = count < 0 ? Libc.LastError : 0;
            if (error == Libc.Interrupted)
                continue;

            sent = new(false, Taken);
            return error != Libc.WouldBlock;
        }

        sent = new(true, Taken);
        return true;
    }

    private readonly bool HasMore => _relay is null ? _piece < _pieces!.Count : _relay.Held > 0;

    private void Advance(long count)
    {
        Taken += count;
        while (_pieces is not null && _piece < _pieces.Count)
        {
            var rest = _pieces[_piece].Count - _offset;
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
