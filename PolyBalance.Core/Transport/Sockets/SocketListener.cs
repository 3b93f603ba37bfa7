using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>Accepts clients on listening sockets of one address.</summary>
internal sealed class SocketListener : IConnectionListener
{
    private readonly Heartbeat _heartbeat;
    private readonly BlockPool _pool;
    private readonly FileAllowance _files;
    private readonly CancellationTokenSource _end = new();
    private int _disposed;

    /// <summary>Accepts on listening sockets.</summary>
    /// <param name="sockets">The sockets; one caller accepts on each.</param>
    /// <param name="heartbeat">Spaces tries while the system has no file descriptors.</param>
    /// <param name="pool">The memory of connections.</param>
    /// <param name="files">Counts them.</param>
    public SocketListener(ListeningSockets sockets, Heartbeat heartbeat, BlockPool pool, FileAllowance files)
    {
        Sockets = sockets;
        _heartbeat = heartbeat;
        _pool = pool;
        _files = files;
        LocalEndPoint = sockets.LocalEndPoint;
        files.AddListening(sockets.All.Length);
    }

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public ListeningSockets Sockets { get; }

    /// <inheritdoc/>
    public int Acceptors => Sockets.All.Length;

    /// <inheritdoc/>
    public async ValueTask<Connection?> AcceptAsync(int acceptor = 0)
    {
        while (Volatile.Read(ref _disposed) == 0)
        {
            try
            {
                var client = await Sockets.All[acceptor].AcceptAsync(_end.Token);
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
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException
                or OperationCanceledException)
            {
                return null;
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;

        await _end.CancelAsync();
        _files.AddListening(-Sockets.All.Length);
        Sockets.Close();
    }
}
