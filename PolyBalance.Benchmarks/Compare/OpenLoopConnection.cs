using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>What a receive brought.</summary>
internal enum OpenLoopAnswer : byte
{
    /// <summary>Not all of the response yet.</summary>
    Partial,

    /// <summary>A whole response with status 200.</summary>
    Whole,

    /// <summary>A whole response with another status.</summary>
    OtherStatus,

    /// <summary>The connection is over.</summary>
    Closed,
}

/// <summary>One keep-alive connection of the open loop: a request at a time. Owned by the generator's thread.</summary>
internal sealed class OpenLoopConnection : IDisposable
{
    // Far more than a head with 49 bytes of content.
    private const int BufferLength = 16 * 1024;

    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly byte[] _get;
    private readonly int _port;
    private Socket _socket;
    private int _filled;

    /// <summary>Connects, and blocks until that is done.</summary>
    /// <param name="port">On 127.0.0.1.</param>
    public OpenLoopConnection(int port)
    {
        _port = port;
        _get = Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
        _socket = Connect(port);
    }

    /// <summary>For polling.</summary>
    public int Handle => (int)_socket.Handle;

    /// <summary>0-based number of the request in flight; -1 when there is none.</summary>
    public long Request { get; set; } = -1;

    /// <summary>Sends a request.</summary>
    /// <returns><see langword="false"/> when the connection does not take it whole.</returns>
    public bool TrySend(long request)
    {
        Request = request;
        return _socket.Send(_get, SocketFlags.None, out var error) == _get.Length && error == SocketError.Success;
    }

    /// <summary>Takes what is there, without waiting.</summary>
    public OpenLoopAnswer Receive()
    {
        var count = _socket.Receive(_buffer.AsSpan(_filled), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return OpenLoopAnswer.Partial;
        if (error != SocketError.Success || count == 0 || Request < 0)
            return OpenLoopAnswer.Closed;

        _filled += count;
        var answer = Examine(_buffer.AsSpan(0, _filled));
        if (answer != OpenLoopAnswer.Partial)
            _filled = 0;
        return answer;
    }

    /// <summary>Takes a new connection in the place of one that is over.</summary>
    public void Reopen()
    {
        _socket.Dispose();
        _socket = Connect(_port);
        _filled = 0;
        Request = -1;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>Looks whether a response with a length is whole. One without is not what was asked for.</summary>
    private static OpenLoopAnswer Examine(ReadOnlySpan<byte> response)
    {
        var headLength = response.IndexOf("\r\n\r\n"u8);
        if (headLength < 0)
            return response.Length < BufferLength ? OpenLoopAnswer.Partial : OpenLoopAnswer.Closed;

        var contentLength = -1;
        for (var rest = response[..(headLength + 2)]; rest.Length > 0;)
        {
            var end = rest.IndexOf("\r\n"u8);
            var line = rest[..end];
            rest = rest[(end + 2)..];
            var name = "content-length:"u8;
            if (line.Length > name.Length && Ascii.EqualsIgnoreCase(line[..name.Length], name))
                _ = Utf8Parser.TryParse(line[name.Length..].Trim((byte)' '), out contentLength, out _);
        }

        if (contentLength < 0)
            return OpenLoopAnswer.Closed;
        if (response.Length < headLength + 4 + contentLength)
            return OpenLoopAnswer.Partial;
        return response.StartsWith("HTTP/1.1 200 "u8) ? OpenLoopAnswer.Whole : OpenLoopAnswer.OtherStatus;
    }

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, port);
        socket.Blocking = false;
        return socket;
    }
}
