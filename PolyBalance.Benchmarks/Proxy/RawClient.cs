using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>A client on a plain blocking socket that allocates nothing per exchange.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _buffer = new byte[Limits.LargeBlockBytes];
    private readonly byte[] _request;
    private readonly byte[] _end;

    /// <summary>Connects.</summary>
    /// <param name="address">The gateway.</param>
    /// <param name="request">What every exchange sends.</param>
    /// <param name="reply">What the backend answers: the response is over where its last bytes come.</param>
    public RawClient(EndPoint address, byte[] request, byte[] reply)
    {
        _request = request;
        _end = reply[^5..];
        _socket.NoDelay = true;
        _socket.Connect(address);
    }

    /// <summary>One exchange on the persistent connection.</summary>
    /// <returns>Bytes received.</returns>
    public int Get()
    {
        _socket.Send(_request);
        var filled = 0;
        do
        {
            var received = _socket.Receive(_buffer.AsSpan(filled));
            if (received == 0)
                throw new InvalidOperationException("The gateway has closed the connection.");
            filled += received;
        }
        while (!IsWhole(_buffer.AsSpan(0, filled)));

        return _buffer.AsSpan(0, filled).StartsWith("HTTP/1.1 200 "u8)
            ? filled
            : throw new InvalidOperationException("The response is no 200.");
    }

    public void Dispose() => _socket.Dispose();

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        var name = "Content-Length: "u8;
        var start = head.IndexOf(name);
        return start >= 0 && Utf8Parser.TryParse(head[(start + name.Length)..], out int length, out _) ? length : -1;
    }

    // With a length it is counted; chunks end with what ends them everywhere.
    private bool IsWhole(ReadOnlySpan<byte> response)
    {
        var head = response.IndexOf("\r\n\r\n"u8);
        if (head < 0)
            return false;

        var length = ContentLength(response[..(head + 4)]);
        return length >= 0 ? response.Length == head + 4 + length : response[(head + 4)..].EndsWith(_end);
    }
}
