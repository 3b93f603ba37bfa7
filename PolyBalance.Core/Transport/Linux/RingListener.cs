using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Linux;

/// <summary>
/// Accepts clients of one address on every loop; a client that arrives at a loop with more connections than others goes
/// to the one with the fewest.
/// </summary>
internal sealed class RingListener : IConnectionListener
{
    private const int Idle = 0;
    private const int Accepting = 1;
    private const int Ended = 2;

    private readonly RingTransport _transport;
    private readonly bool _isUnix;
    private readonly RingAccept[] _accepts;
    private readonly AcceptLane[] _lanes;
    private int _stage;

    /// <summary>Accepts on listening sockets: one per loop, or a single one for the first, or any number.</summary>
    /// <param name="transport">Whose loops accept.</param>
    /// <param name="sockets">The sockets.</param>
    public RingListener(RingTransport transport, ListeningSockets sockets)
    {
        _transport = transport;
        Sockets = sockets;
        LocalEndPoint = sockets.LocalEndPoint;
        _isUnix = LocalEndPoint is UnixDomainSocketEndPoint;
        transport.Files.AddListening(sockets.All.Length);
        _lanes = new AcceptLane[transport.Loops.Length];
        for (var index = 0; index < _lanes.Length; index++)
            _lanes[index] = new();

        _accepts = new RingAccept[sockets.All.Length];
        for (var index = 0; index < _accepts.Length; index++)
        {
            var loop = transport.Loops[index % transport.Loops.Length];
            _accepts[index] = new(
                loop, FileOf(sockets.All[index]), transport.Heartbeat, transport.Files, OnAccepted);
        }
    }

    /// <inheritdoc/>
    public EndPoint LocalEndPoint { get; }

    /// <inheritdoc/>
    public ListeningSockets Sockets { get; }

    /// <inheritdoc/>
    public int Acceptors => _lanes.Length;

    /// <inheritdoc/>
    public ValueTask<Connection?> AcceptAsync(int acceptor = 0)
    {
        // Not earlier: until somebody asks for clients, they are for others who hold the sockets too.
        if (Volatile.Read(ref _stage) == Idle && Interlocked.CompareExchange(ref _stage, Accepting, Idle) == Idle)
            Begin();
        return _lanes[acceptor].AcceptAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        var stage = Interlocked.Exchange(ref _stage, Ended);
        if (stage == Ended)
            return;

        foreach (var accept in stage == Accepting ? _accepts : [])
            await accept.CloseAsync();
        for (var index = 0; index < _accepts.Length && !Sockets.AreShared; index++)
        {
            if (stage == Accepting)
                _accepts[index].TakeRest();
            Libc.Shutdown(FileOf(Sockets.All[index]), Libc.ShutdownBoth);
        }

        _transport.Files.AddListening(-Sockets.All.Length);
        Sockets.Close();

        // Who was accepted is served, and may be on the way to the loop that has accepted, and then to another one.
        await _transport.PassAsync();
        await _transport.PassAsync();
        foreach (var lane in _lanes)
            lane.Close();
    }

    private static int FileOf(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();

    private void Begin()
    {
        for (var index = 0; index < _accepts.Length; index++)
        {
            // The ring would not wait for clients of a socket that somebody has set never to wait.
            Libc.MayWait(FileOf(Sockets.All[index]));
            _accepts[index].Start();
        }
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

        var remote = SocketAddresses.Read(address[..length]);
        var connection = _transport.Adopt(loop, file, remote, _isUnix);
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
