using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Tests.Support;

/// <summary>A wire over a raw socket: nothing of the code under test is in it.</summary>
internal sealed class SocketWire(Socket socket) : Wire
{
    /// <summary>Connects to the gateway.</summary>
    public static async Task<Wire> ConnectAsync(EndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address);
            return new SocketWire(socket);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    public override async Task<WireRead> ReceiveAsync(Memory<byte> into)
    {
        try
        {
            var bytes = await socket.ReceiveAsync(into);
            return new(bytes, bytes == 0 ? WireEnd.Closed : WireEnd.None);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return new(0, WireEnd.Reset);
        }
    }

    public override async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[await socket.SendAsync(bytes)..];
            return true;
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    public override void ShutdownOutput() => socket.Shutdown(SocketShutdown.Send);

    public override void Close() => socket.Dispose();

    public override void Reset()
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The other side was faster.
        }

        socket.Dispose();
    }
}

/// <summary>A scripted backend's listening socket.</summary>
internal sealed class SocketWireListener : IWireListener
{
    private readonly Socket _socket;

    /// <summary>Listens on the loopback interface.</summary>
    /// <param name="port">0 lets the system choose.</param>
    /// <param name="backlog">Connections that wait to be accepted.</param>
    public SocketWireListener(int port, int backlog)
    {
        _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        _socket.Listen(backlog);
        Address = _socket.LocalEndPoint!.ToString()!;
    }

    public string Address { get; }

    public async Task<Wire?> AcceptAsync()
    {
        try
        {
            return new SocketWire(await _socket.AcceptAsync());
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    public void Dispose() => _socket.Dispose();
}
