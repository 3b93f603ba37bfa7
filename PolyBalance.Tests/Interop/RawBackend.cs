using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Tests.Interop;

/// <summary>A backend that does to each connection what the test says, byte by byte. One flow per connection.</summary>
internal sealed class RawBackend : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<NetworkStream, int, Task> _serve;
    private int _connections;

    /// <summary>Starts to accept.</summary>
    /// <param name="serve">Gets a connection and its number from 1; the connection is closed when it returns.</param>
    public RawBackend(Func<NetworkStream, int, Task> serve)
    {
        _serve = serve;
        _listener.Start(backlog: 512);
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public string Address => $"{_listener.LocalEndpoint}";

    /// <summary>Connections accepted so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Reads a request without a body: to the empty line.</summary>
    /// <returns>The bytes, or null when the peer closed instead.</returns>
    public static async Task<byte[]?> ReadHeadAsync(NetworkStream stream)
    {
        var bytes = new byte[16 * 1024];
        for (var length = 0; ;)
        {
            var count = await stream.ReadAsync(bytes.AsMemory(length));
            if (count == 0)
                return null;

            length += count;
            if (bytes.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
                return bytes[..length];
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _serve(client.GetStream(), Interlocked.Increment(ref _connections));
            }
            catch (IOException)
            {
                // The gateway hung up first, as it may.
            }
        }
    }
}
