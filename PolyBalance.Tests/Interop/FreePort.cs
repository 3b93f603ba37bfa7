using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Tests.Interop;

/// <summary>Ports for programs that cannot be told to take any.</summary>
internal static class FreePort
{
    // Below the range from which systems take the ports of outgoing connections: nobody can get one of these by chance
    // between our look and the program's bind, and a connect to a port whose program was killed cannot meet itself.
    private const int First = 20_000;
    private const int Last = 32_000;

    /// <summary>The port of an address.</summary>
    public static int Of(string address) => IPEndPoint.Parse(address).Port;

    /// <summary>A port on 127.0.0.1 that nobody listened on a moment ago.</summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, Last);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }
}
