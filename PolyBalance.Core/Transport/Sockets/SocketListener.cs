using System.Collections.Concurrent;
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
    private readonly ConcurrentQueue<Socket> _rest = [];       // had connected when the end came
    private readonly TaskCompletionSource _isRestTaken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _hasAcceptor;     // somebody accepts here, and comes back until he gets null
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
        _hasAcceptor = true;
        while (Volatile.Read(ref _disposed) == 0)
        {
            try
            {
                return Adopt(await Sockets.All[acceptor].AcceptAsync(_end.Token));
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
                break;
            }
        }

        await _isRestTaken.Task;
        return NextOfRest();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;

        await _end.CancelAsync();
        foreach (var socket in _hasAcceptor && !Sockets.AreShared ? Sockets.All : [])
            TakeRest(socket);
        Sockets.Close();
        _files.AddListening(-Sockets.All.Length);
        _isRestTaken.SetResult();
    }

    private SocketConnection Adopt(Socket client)
    {
        var remote = client.RemoteEndPoint;
        _files.Add();
        return new(client, remote, _heartbeat, _pool, _files);
    }

    // Who has connected and was not accepted would be reset by the close. Asked first whether there is anybody: an
    // exception that says so takes milliseconds, in which more would come. From the shutdown on the system refuses
    // clients; the close comes when nobody uses the handle any more.
    private void TakeRest(Socket socket)
    {
        try
        {
            socket.Blocking = false;
            for (var taken = 0; taken < Limits.BacklogMax && socket.Poll(0, SelectMode.SelectRead); taken++)
                _rest.Enqueue(socket.Accept());
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // They have left, or there are no more file descriptors. The close is near.
        }
    }

    private SocketConnection? NextOfRest()
    {
        while (_rest.TryDequeue(out var client))
        {
            try
            {
                return Adopt(client);
            }
            catch (SocketException)
            {
                client.Dispose();       // it has left
            }
        }

        return null;
    }
}
