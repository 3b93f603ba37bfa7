using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Linux;

/// <summary>
/// Accepts clients of one address on every loop; a client that arrives at a loop with more connections than others goes
/// to the one with the fewest.
/// </summary>
internal sealed class RingListener : IConnectionListener
{
    private readonly RingTransport _transport;
    private readonly EndPoint _address;
    private readonly bool _areGiven;
    private readonly Socket[] _sockets;
    private readonly RingAccept[] _accepts;
    private readonly AcceptLane[] _lanes;
    private int _disposed;

    /// <summary>Accepts on listening sockets: one per loop, or a single one for the first, or any number.</summary>
    /// <param name="transport">Whose loops accept.</param>
    /// <param name="address">Where the sockets listen.</param>
    /// <param name="sockets">The sockets.</param>
    /// <param name="areGiven">Others hold them too: they are left as they are. Else they are our own.</param>
    public RingListener(RingTransport transport, EndPoint address, Socket[] sockets, bool areGiven)
    {
        _transport = transport;
        _address = address;
        _areGiven = areGiven;
        _sockets = sockets;
        LocalEndPoint = sockets[0].LocalEndPoint ?? address;
        transport.Files.AddListening(sockets.Length);
        _lanes = new AcceptLane[transport.Loops.Length];
        for (var index = 0; index < _lanes.Length; index++)
            _lanes[index] = new();

        _accepts = new RingAccept[sockets.Length];
        for (var index = 0; index < sockets.Length; index++)
        {
            // The ring would not wait for clients of a socket that is set never to wait.
            var file = (int)sockets[index].SafeHandle.DangerousGetHandle();
            if (areGiven)
                Libc.MayWait(file);
            var loop = transport.Loops[index % transport.Loops.Length];
            _accepts[index] = new(loop, file, transport.Heartbeat, transport.Files, OnAccepted);
            _accepts[index].Start();
        }
    }

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public int Acceptors => _lanes.Length;

    /// <inheritdoc/>
    public ValueTask<Connection?> AcceptAsync(int acceptor = 0) => _lanes[acceptor].AcceptAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;

        // From here on the system refuses clients, before the kernel has let go of the sockets.
        if (!_areGiven)
        {
            foreach (var socket in _sockets)
                Libc.Shutdown((int)socket.SafeHandle.DangerousGetHandle(), Libc.ShutdownBoth);
        }

        foreach (var accept in _accepts)
            await accept.CloseAsync();
        _transport.Files.AddListening(-_sockets.Length);
        if (!_areGiven)
        {
            foreach (var socket in _sockets)
                socket.Dispose();
            if (_address is UnixDomainSocketEndPoint)
                File.Delete(_address.ToString()!);
        }

        // Who was accepted is served, and may be on the way to another loop.
        await _transport.PassAsync();
        foreach (var lane in _lanes)
            lane.Close();
    }

    private void OnAccepted(EventLoop loop, int file)
    {
        // Who may be one too many is told so here and now: on the way to another loop many would hold what is short.
        _transport.Files.Add();
        var home = _transport.Files.HasSpare ? _transport.HomeFor(loop) : loop;
        if (home == loop)
        {
            Adopt(loop, file);
            return;
        }

        _transport.Files.AddArriving(1);
        if (home.Post(static state => ((Arrival)state!).Settle(), new Arrival(this, home, file)))
            return;

        _transport.Files.AddArriving(-1);
        loop.CloseFile(file);
    }

    private void Adopt(EventLoop loop, int file)
    {
        Span<byte> address = stackalloc byte[128];
        var length = Libc.PeerOf(file, address);
        if (length < 0 || loop.IsStopping)
        {
            // It has left already, or nobody is taken in any more.
            loop.CloseFile(file);
            return;
        }

        var isUnix = _address is UnixDomainSocketEndPoint;
        var remote = SocketAddresses.Read(address[..length]);
        var connection = _transport.Adopt(loop, file, remote, isUnix);
        _lanes[loop.Index].Offer(connection);
    }

    /// <summary>A client on its way from the loop that accepted it to the loop that it will live on.</summary>
    private sealed class Arrival(RingListener listener, EventLoop home, int file)
    {
        public void Settle()
        {
            listener._transport.Files.AddArriving(-1);
            listener.Adopt(home, file);
        }
    }
}
