using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>The portable transport: <see cref="Socket"/>, with every socket option in this one file.</summary>
internal sealed class SocketTransport : ITransport
{
    private const int Backlog = 4096;
    private const int KeepAliveSeconds = 30;
    private const int KeepAliveProbes = 4;

    /// <summary>Starts the heartbeat; no socket is made yet.</summary>
    public SocketTransport(TimeProvider clock, BlockPool? blocks = null)
    {
        Heartbeat = new(clock);
        Blocks = blocks ?? new();
    }

    /// <inheritdoc/>
    public string Name => "sockets";

    /// <inheritdoc/>
    public Heartbeat Heartbeat { get; }

    /// <inheritdoc/>
    public BlockPool Blocks { get; }

    /// <inheritdoc/>
    public IConnectionListener Listen(EndPoint address)
    {
        Socket? socket = null;
        try
        {
            socket = Open(address);
            // Accepted sockets inherit these from their listener, which saves four system calls for each client.
            Tune(socket, address);
            if (address is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } v6)
                socket.DualMode = v6.Address.Equals(IPAddress.IPv6Any);
            if (address is UnixDomainSocketEndPoint)
                RemoveStaleFile(address.ToString()!);

            socket.Bind(address);
            socket.Listen(Backlog);
            return new SocketListener(socket, address, Heartbeat, Blocks);
        }
        catch (SocketException exception)
        {
            socket?.Dispose();
            throw new ListenException(Explain(address, exception), exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout)
    {
        SocketConnection connection;
        try
        {
            var socket = Open(address);
            Tune(socket, address);
            connection = new(socket, address, Heartbeat, Blocks);
        }
        catch (SocketException)
        {
            // No file descriptor left, or an address family that this machine does not have.
            return new(null, FailureKind.ConnectFailed);
        }

        var failure = await connection.ConnectAsync(address, timeout);
        if (failure == FailureKind.None)
            return new(connection, FailureKind.None);

        connection.Abort(CloseReason.Aborted);
        return new(null, failure);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Heartbeat.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Socket Open(EndPoint address)
        => address is UnixDomainSocketEndPoint
            ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);

    private static void Tune(Socket socket, EndPoint address)
    {
        if (address is UnixDomainSocketEndPoint)
            return;

        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, KeepAliveProbes);
    }

    // A crash leaves the file behind, and bind fails on it. A file that somebody still answers on is not ours to
    // remove.
    private static void RemoveStaleFile(string path)
    {
        if (!File.Exists(path))
            return;

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }

    private static string Explain(EndPoint address, SocketException exception) => exception.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"Cannot listen on {address}: another program does already. Stop it, or change `bind`.",
        SocketError.AccessDenied =>
            $"Cannot listen on {address}: permission denied. Ports below 1024 need CAP_NET_BIND_SERVICE.",
        SocketError.AddressNotAvailable =>
            $"Cannot listen on {address}: this machine has no such address. Change `bind`.",
        _ => $"Cannot listen on {address}: {exception.Message}.",
    };
}
