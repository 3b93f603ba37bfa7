using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>Accepts clients on one listening socket.</summary>
internal sealed class SocketListener(Socket socket, EndPoint address, Heartbeat heartbeat, BlockPool pool)
    : IConnectionListener
{
    private int _disposed;

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; } = socket.LocalEndPoint ?? address;

    /// <inheritdoc/>
    public async ValueTask<Connection?> AcceptAsync(int acceptor = 0)
    {
        while (Volatile.Read(ref _disposed) == 0)
        {
            try
            {
                var client = await socket.AcceptAsync();
                return new SocketConnection(client, client.RemoteEndPoint, heartbeat, pool);
            }
            catch (SocketException) when (Volatile.Read(ref _disposed) == 0)
            {
                // The client left in the queue, or file descriptors ran out: accepting again at once would spin.
                await heartbeat.NextTickAsync();
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return null;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return ValueTask.CompletedTask;

        socket.Dispose();
        if (address is UnixDomainSocketEndPoint)
            File.Delete(address.ToString()!);
        return ValueTask.CompletedTask;
    }
}
