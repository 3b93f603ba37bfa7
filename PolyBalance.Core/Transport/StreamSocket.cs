using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport;

/// <summary>Makes sockets, for every transport that uses them: every socket option is set in this one file.</summary>
internal static class StreamSocket
{
    private const int KeepAliveSeconds = 30;
    private const int KeepAliveProbes = 4;
    private const int SocketLevel = 1;          // SOL_SOCKET
    private const int ReusePort = 15;           // SO_REUSEPORT

    /// <summary>A fresh socket that can be connected to an address.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="files">Gives the file descriptor. Who closes the socket returns it.</param>
    /// <param name="failure">Why there is no socket.</param>
    /// <returns>The socket; null when there is none.</returns>
    public static Socket? TryOpen(EndPoint address, FileAllowance files, out FailureKind failure)
    {
        failure = FailureKind.FilesExhausted;
        if (files.TryTake())
        {
            try
            {
                failure = FailureKind.None;
                return Open(address);
            }
            catch (SocketException exception)
            {
                // The system has no file descriptor left, or this machine has no such address family.
                files.Return();
                failure = IsShortage(exception) ? FailureKind.FilesExhausted : FailureKind.ConnectFailed;
            }
        }

        if (failure == FailureKind.FilesExhausted)
            files.ReportConnectRefused();
        return null;
    }

    /// <summary>Whether a socket could not be made because the process, or the system, has no file left.</summary>
    public static bool IsShortage(SocketException exception)
        => exception.SocketErrorCode == SocketError.TooManyOpenSockets;

    /// <summary>A socket that listens.</summary>
    /// <exception cref="ListenException">The address cannot be listened on. The message says what to do.</exception>
    public static Socket Listen(EndPoint address) => ListenMany(address, 1)[0];

    /// <summary>
    /// Sockets that listen on one address together: the system spreads clients over them by a hash of their addresses.
    /// </summary>
    /// <param name="address">Where; with a port of 0 the system chooses one for all.</param>
    /// <param name="count">How many. Only TCP can have more than one.</param>
    /// <exception cref="ListenException">The address cannot be listened on. The message says what to do.</exception>
    public static Socket[] ListenMany(EndPoint address, int count)
    {
        var sockets = new Socket?[count];
        try
        {
            if (address is UnixDomainSocketEndPoint)
                RemoveStaleFile(address.ToString()!);

            for (var index = 0; index < count; index++)
            {
                // Options of accepted sockets are those of their listener, which saves four system calls per client.
                var socket = sockets[index] = Open(address);
                if (address is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } v6)
                    socket.DualMode = v6.Address.Equals(IPAddress.IPv6Any);

                // The first is bound alone, so that an address which somebody else has is refused even if he shares it.
                var first = sockets[0]!;
                if (index > 0)
                    SharePort(socket);
                socket.Bind(index == 0 ? address : first.LocalEndPoint!);
                if (index == 0 && count > 1)
                    SharePort(socket);
            }

            foreach (var socket in sockets)
                socket!.Listen(Limits.BacklogMax);
            return sockets!;
        }
        catch (SocketException exception)
        {
            foreach (var socket in sockets)
                socket?.Dispose();
            throw new ListenException(Explain(address, exception), exception);
        }
    }

    private static Socket Open(EndPoint address)
    {
        var isUnix = address is UnixDomainSocketEndPoint;
        var socket = new Socket(
            address.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        if (!isUnix)
            Tune(socket);
        return socket;
    }

    private static void SharePort(Socket socket)
        => socket.SetRawSocketOption(SocketLevel, ReusePort, BitConverter.GetBytes(1));

    /// <summary>Sets what every TCP connection has here; those that a socket accepts have its options.</summary>
    public static void Tune(Socket socket)
    {
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
