using System.Net.Sockets;

namespace PolyBalance.Host;

/// <summary>
/// Tells systemd how far the process has come: one datagram to the socket it names in <c>NOTIFY_SOCKET</c>.
/// </summary>
/// <remarks>Nothing here fails: without systemd, or with a socket that is gone, the process works as well.</remarks>
internal static class SystemdNotify
{
    /// <summary>Every listener is bound: units ordered after this one may start.</summary>
    public static void Ready(Func<string, string?> variable) => Send(variable, "READY=1"u8);

    /// <summary>The process has begun to drain.</summary>
    public static void Stopping(Func<string, string?> variable) => Send(variable, "STOPPING=1"u8);

    private static void Send(Func<string, string?> variable, ReadOnlySpan<byte> message)
    {
        // "/path" is a file, "@name" an abstract socket; other kinds (vsock) are for virtual machines.
        if (variable("NOTIFY_SOCKET") is not { Length: > 1 } path || path[0] is not ('/' or '@'))
            return;

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path[0] == '@' ? "\0" + path[1..] : path));
            socket.Send(message);
        }
        catch (Exception failure) when (failure is SocketException or ArgumentException)
        {
            // The unit's own start timeout tells the operator; there is nobody else to tell.
        }
    }
}
