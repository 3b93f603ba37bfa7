using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>What every transport does: listening, accepting, connecting.</summary>
[TestFixtureSource(typeof(TransportCase), nameof(TransportCase.All))]
internal sealed class TransportListenTests(TransportCase transport)
{
    [Test]
    public async Task Where_nobody_listens_a_connect_is_refused()
    {
        await using var rig = new TransportRig(transport);
        var address = rig.Listener.LocalEndPoint;
        await rig.Listener.DisposeAsync();

        var result = await rig.Transport.ConnectAsync(address, rig.Seconds(5)).InTime();

        Assert.That((result.Connection, result.Failure), Is.EqualTo((default(Connection), FailureKind.ConnectRefused)));
    }

    [Test]
    public async Task Disposing_a_listener_ends_its_accept()
    {
        await using var rig = new TransportRig(transport);
        var accepting = rig.Listener.AcceptAsync().AsTask();
        Assert.That(accepting.IsCompleted, Is.False);

        await rig.Listener.DisposeAsync();
        await rig.Listener.DisposeAsync();

        Assert.That(await accepting.InTime(), Is.Null);
        Assert.That(await rig.Listener.AcceptAsync().InTime(), Is.Null);
    }

    [Test]
    public async Task An_address_can_be_listened_on_again_after_its_listener_is_gone()
    {
        await using var rig = new TransportRig(transport);
        await rig.Listener.DisposeAsync();

        await using var again = rig.Transport.Listen(rig.Listener.LocalEndPoint);
        var accepting = again.AcceptAsync();
        var near = (await rig.Transport.ConnectAsync(again.LocalEndPoint, rig.Seconds(5)).InTime()).Connection!;
        var far = (await accepting.InTime())!;
        near.Close();
        await far.TakeAllAsync();
        far.Close();

        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
    }

    [Test]
    public async Task Two_cannot_listen_on_one_address()
    {
        await using var rig = new TransportRig(transport);

        var problem = Assert.Throws<ListenException>(() => rig.Transport.Listen(rig.Listener.LocalEndPoint));

        Assert.That(problem.Message, Does.StartWith("Cannot listen on ").And.EndsWith("."));
        var (near, _) = await rig.ConnectAsync();
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.None));
    }

    [Test]
    public async Task A_listener_knows_its_real_port_and_a_connection_its_peer()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        if (rig.Listener.LocalEndPoint is not IPEndPoint address)
        {
            Assert.That(far.RemoteEndPoint, Is.Not.InstanceOf<IPEndPoint>());
            return;
        }

        Assert.That(address.Port, Is.Not.Zero);
        Assert.That(near.RemoteEndPoint, Is.EqualTo(address));
        Assert.That(((IPEndPoint)far.RemoteEndPoint!).Address, Is.EqualTo(IPAddress.Loopback));
    }

    [Test]
    public async Task A_client_that_sent_and_left_before_it_was_accepted_is_heard()
    {
        await using var rig = new TransportRig(transport);
        var near = (await rig.Transport.ConnectAsync(rig.Listener.LocalEndPoint, rig.Seconds(5)).InTime()).Connection!;
        await near.WriteAsync(ConnectionBytes.Some(100));
        near.Close();

        var far = (await rig.Listener.AcceptAsync().InTime())!;

        Assert.That(await far.TakeAllAsync(), Is.EqualTo(ConnectionBytes.Some(100)));
        far.Close();
    }

    [Test]
    public async Task Who_has_connected_when_a_listener_ends_is_accepted_still()
    {
        const int Clients = 20;
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var clients = new List<Connection>();
        for (var count = 0; count < Clients; count++)
        {
            var connecting = rig.Transport.ConnectAsync(rig.Listener.LocalEndPoint, rig.Seconds(5));
            clients.Add((await connecting.InTime()).Connection!);
            await clients[^1].WriteAsync(BitConverter.GetBytes(count));
        }

        await rig.Listener.DisposeAsync().AsTask().InTime();

        var heard = new List<int>();
        while (await rig.Listener.AcceptAsync().InTime() is { } accepted)
        {
            var read = await accepted.Input.ReadAsync().InTime();
            heard.Add(BitConverter.ToInt32(read.Buffer.FirstSpan));
            accepted.Input.Complete();
            accepted.Close();
        }

        Assert.That(heard, Is.EquivalentTo(Enumerable.Range(0, Clients)));
        clients.ForEach(client => client.Close());
        near.Close();
        far.Close();
    }

    [Test]
    public async Task Who_has_connected_to_a_listener_that_nobody_accepts_on_is_turned_away_at_its_end()
    {
        await using var rig = new TransportRig(transport);
        var connecting = rig.Transport.ConnectAsync(rig.Listener.LocalEndPoint, rig.Seconds(5));
        var client = (await connecting.InTime()).Connection!;

        await rig.Listener.DisposeAsync().AsTask().InTime();

        var read = await client.Input.ReadAsync().InTime();
        Assert.That((read.IsCompleted, read.Buffer.Length), Is.EqualTo((true, 0)));
        client.Input.Complete();
        client.Close();
    }

    [Test]
    public async Task A_connect_that_nobody_answers_times_out()
    {
        await using var rig = new TransportRig(transport);
        if (rig.Listener.LocalEndPoint is UnixDomainSocketEndPoint)
            Assert.Ignore("With a full backlog, Linux refuses a Unix client at once instead of letting it wait.");

        using var full = new FullListener(rig.Transport);
        var connecting = new List<Task<ConnectResult>>();
        for (var count = 0; count < 4; count++)
            connecting.Add(rig.Transport.ConnectAsync(full.Address, rig.Seconds(3)).AsTask());
        rig.Clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.That(connecting.Exists(connect => connect.IsCompleted), Is.False);
        rig.Clock.Advance(TimeSpan.FromSeconds(0.2));

        foreach (var connect in connecting)
            Assert.That((await connect.InTime()).Failure, Is.EqualTo(FailureKind.ConnectTimedOut));
    }

    [Test]
    public async Task Thousands_of_connections_live_side_by_side()
    {
        const int Count = 2_000;
        await using var rig = new TransportRig(transport);
        var pairs = new (Connection Near, Connection Far)[Count];
        for (var index = 0; index < Count; index++)
        {
            pairs[index] = await rig.ConnectAsync();
            pairs[index].Far.IsIdle = true;
        }

        var reading = Array.ConvertAll(pairs, pair => pair.Far.Input.ReadAsync().AsTask());
        Assert.That(rig.Transport.Blocks.Rented, Is.Zero);
        for (var index = 0; index < Count; index++)
            await pairs[index].Near.WriteAsync(BitConverter.GetBytes(index));

        for (var index = 0; index < Count; index++)
        {
            var read = await reading[index].InTime();
            Assert.That(BitConverter.ToInt32(read.Buffer.FirstSpan), Is.EqualTo(index));
        }
    }

    /// <summary>Somebody listens, and has no room for one more client.</summary>
    private sealed class FullListener : IDisposable
    {
        private readonly List<Socket> _sockets = [];

        public FullListener(ITransport transport)
        {
            if (transport is MemoryTransport memory)
            {
                memory.Backlog = 0;
                Address = memory.Listen(new IPEndPoint(IPAddress.Loopback, 0)).LocalEndPoint;
                return;
            }

            var listening = Open();
            listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listening.Listen(0);
            Address = listening.LocalEndPoint!;
            Open().Connect(Address);        // Linux lets one more in than the backlog says
        }

        public EndPoint Address { get; }

        public void Dispose()
        {
            foreach (var socket in _sockets)
                socket.Dispose();
        }

        private Socket Open()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _sockets.Add(socket);
            return socket;
        }
    }
}
