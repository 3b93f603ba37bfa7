using System.Net;
using PolyBalance.Transport;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Tests.Support;

/// <summary>What a scenario runs over: the gateway's transport, and the tests' own ends of the same medium.</summary>
internal abstract class TestNetwork
{
    /// <summary>What the gateway runs on.</summary>
    public abstract ITransport Transport { get; }

    /// <summary>Listens for a scripted backend.</summary>
    /// <param name="port">0: any; else a port that was in use before.</param>
    /// <param name="backlog">Connections that wait to be accepted.</param>
    public abstract IWireListener Listen(int port = 0, int backlog = 512);

    /// <summary>Connects a scripted client to the gateway.</summary>
    public abstract Task<Wire> ConnectAsync(EndPoint address);

    /// <summary>Takes the room that a listener with a backlog of 0 has all the same.</summary>
    public abstract Task FillBacklogAsync(string address);

    /// <summary>Makes a fresh network of one kind.</summary>
    public static TestNetwork Create(Medium medium, TimeProvider clock) => medium switch
    {
        Medium.Memory => new MemoryNetwork(clock, new()),
        Medium.TinyBlocks => new MemoryNetwork(clock, new(smallBytes: 64)),
        Medium.Ring => new SocketNetwork(RingOrNone.Start(clock, loops: 1)),
        _ => new SocketNetwork(new SocketTransport(clock)),
    };

    private sealed class SocketNetwork(ITransport transport) : TestNetwork
    {
        public override ITransport Transport => transport;

        public override IWireListener Listen(int port = 0, int backlog = 512) => new SocketWireListener(port, backlog);

        public override Task<Wire> ConnectAsync(EndPoint address) => SocketWire.ConnectAsync(address);

        // Linux keeps one connection more than the backlog says.
        public override async Task FillBacklogAsync(string address)
            => _ = await ConnectAsync(IPEndPoint.Parse(address));
    }
}

/// <summary>The kinds of networks that every scenario runs over.</summary>
internal enum Medium
{
    /// <summary>Real sockets on the loopback interface.</summary>
    Sockets,

    /// <summary>The same through an io_uring.</summary>
    Ring,

    /// <summary>Memory, where what one side does the other side sees at once.</summary>
    Memory,

    /// <summary>Memory with blocks so small that everything crosses their borders.</summary>
    TinyBlocks,
}
