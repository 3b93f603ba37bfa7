using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>Accepts clients on one listening socket.</summary>
internal sealed class SocketListener : IConnectionListener
{
    private readonly Socket _socket;
    private readonly EndPoint _address;
    private readonly Heartbeat _heartbeat;
    private readonly BlockPool _pool;
    private readonly FileAllowance _files;
    private int _disposed;

    /// <summary>Takes over a listening socket.</summary>
    public SocketListener(Socket socket, EndPoint address, Heartbeat heartbeat, BlockPool pool, FileAllowance files)
    {
        _socket = socket;
        _address = address;
        _heartbeat = heartbeat;
        _pool = pool;
        _files = files;
        LocalEndPoint = socket.LocalEndPoint ?? address;
        files.AddListening(1);
    }

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public async ValueTask<Connection?> AcceptAsync(int acceptor = 0)
    {
        while (Volatile.Read(ref _disposed) == 0)
        {
            try
            {
                var client = await _socket.AcceptAsync();
                _files.Add();
                return new SocketConnection(client, client.RemoteEndPoint, _heartbeat, _pool, _files);
            }
            catch (SocketException exception) when (Volatile.Read(ref _disposed) == 0)
            {
                // The client left in the queue, or file descriptors ran out: accepting again at once would spin.
                if (StreamSocket.IsShortage(exception))
                    _files.ReportClientRefused();
                await _heartbeat.NextTickAsync();
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

        _socket.Dispose();
        _files.AddListening(-1);
        if (_address is UnixDomainSocketEndPoint)
            File.Delete(_address.ToString()!);
        return ValueTask.CompletedTask;
    }
}
