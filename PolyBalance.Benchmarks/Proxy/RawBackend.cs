using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>
/// A backend on plain blocking sockets: the same answer to every request without content, and nothing allocated for it.
/// </summary>
/// <remarks>One thread per connection. It knows no more of HTTP than where a head ends.</remarks>
internal sealed class RawBackend : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CountdownEvent _connected;
    private readonly byte[] _reply;

    /// <summary>Starts it on a port that the system chooses.</summary>
    /// <param name="reply">The whole response.</param>
    /// <param name="connections">
    /// Nobody gets an answer before so many connections have brought a request each: so many clients that start
    /// together leave the gateway with as many connections in its pool, and none has to be opened later.
    /// </param>
    public RawBackend(byte[] reply, int connections = 1)
    {
        _reply = reply;
        _connected = new(connections);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        Address = _listener.LocalEndPoint!;
        new Thread(Accept) { IsBackground = true }.Start();
    }

    /// <summary>Where it listens.</summary>
    public EndPoint Address { get; }

    public void Dispose()
    {
        _listener.Dispose();
        _connected.Dispose();
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                var client = _listener.Accept();
                client.NoDelay = true;
                new Thread(() => Serve(client)) { IsBackground = true }.Start();
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Disposed: no more connections are wanted.
        }
    }

    private void AwaitOthers(Socket client)
    {
        // Only looks: the request stays for the loop that answers it.
        client.Receive(stackalloc byte[1], SocketFlags.Peek);
        _connected.Signal();
        _connected.Wait();
    }

    private void Serve(Socket client)
    {
        using var _ = client;
        var buffer = new byte[Limits.SmallBlockBytes];
        var filled = 0;
        try
        {
            if (!_connected.IsSet)
                AwaitOthers(client);
            while (client.Receive(buffer.AsSpan(filled)) is var received and > 0)
            {
                filled += received;
                while (buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) is var end and >= 0)
                {
                    buffer.AsSpan((end + 4)..filled).CopyTo(buffer);
                    filled -= end + 4;
                    client.Send(_reply);
                }
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The gateway has ended the connection.
        }
    }
}
