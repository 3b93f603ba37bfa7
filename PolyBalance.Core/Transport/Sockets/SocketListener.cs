using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>Accepts clients on listening sockets of one address.</summary>
internal sealed class SocketListener : IConnectionListener
{
    private readonly Socket[] _sockets;
    private readonly bool _areGiven;
    private readonly EndPoint _address;
    private readonly Heartbeat _heartbeat;
    private readonly BlockPool _pool;
    private readonly FileAllowance _files;
    private readonly CancellationTokenSource _end = new();
    private int _disposed;

    /// <summary>Accepts on listening sockets.</summary>
    /// <param name="sockets">The sockets; one caller accepts on each.</param>
    /// <param name="areGiven">Others hold them too: they are left as they are. Else they are our own.</param>
    /// <param name="address">Where they listen.</param>
    /// <param name="heartbeat">Spaces tries while the system has no file descriptors.</param>
    /// <param name="pool">The memory of connections.</param>
    /// <param name="files">Counts them.</param>
    public SocketListener(
        Socket[] sockets, bool areGiven, EndPoint address, Heartbeat heartbeat, BlockPool pool, FileAllowance files)
    {
        (_sockets, _areGiven) = (sockets, areGiven);
        _address = address;
        _heartbeat = heartbeat;
        _pool = pool;
        _files = files;
        LocalEndPoint = sockets[0].LocalEndPoint ?? address;
        files.AddListening(sockets.Length);
    }

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public int Acceptors => _sockets.Length;

    // A socket of our own is closed, which ends the wait as well.
    private CancellationToken End => _areGiven ? _end.Token : CancellationToken.None;

    /// <inheritdoc/>
    public async ValueTask<Connection?> AcceptAsync(int acceptor = 0)
    {
        while (Volatile.Read(ref _disposed) == 0)
        {
            try
            {
                var client = await _sockets[acceptor].AcceptAsync(End);
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
        _files.AddListening(-_sockets.Length);
        if (_areGiven)
            return;

        foreach (var socket in _sockets)
            socket.Dispose();
        if (_address is UnixDomainSocketEndPoint)
            File.Delete(_address.ToString()!);
    }
}
