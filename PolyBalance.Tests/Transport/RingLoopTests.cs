using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>What code may rely on that runs on a loop, and how a loop ends.</summary>
[Platform("Linux", Reason = "io_uring")]
internal sealed class RingLoopTests
{
    private RingTransport _transport = null!;

    [SetUp]
    public void Start() => _transport = RingOrNone.Start(TimeProvider.System, loops: 2);

    [TearDown]
    public async Task Stop()
    {
        if (_transport is not null)
            await _transport.DisposeAsync();
    }

    [Test]
    public async Task What_is_posted_runs_in_its_order_on_the_thread_of_the_loop()
    {
        const int Count = 1_000;
        var loop = _transport.Loops[1];
        var order = new List<int>();
        for (var number = 0; number < Count; number++)
            Assert.That(loop.Post(state => order.Add(loop.IsCurrent ? (int)state! : -1), number));
        await loop.RunAsync(() => Task.FromResult(0));

        Assert.That(order, Is.EqualTo(Enumerable.Range(0, Count)));
        Assert.That(loop.IsCurrent, Is.False);
    }

    /// <summary>
    /// A wake-up that got lost would leave the last post of a burst lying until something else happens on the loop, and
    /// here nothing does.
    /// </summary>
    [Test]
    public async Task However_posts_meet_a_loop_that_falls_asleep_none_is_left_lying()
    {
        const int Bursts = 20_000;
        var random = new Random(1);
        var loop = _transport.Loops[0];
        var ran = 0;
        var posted = 0;
        for (var burst = 0; burst < Bursts; burst++)
        {
            for (var count = random.Next(1, 8); count > 0; count--)
            {
                loop.Post(_ => Interlocked.Increment(ref ran), null);
                posted++;
                Thread.SpinWait(random.Next(40));
            }

            if (Volatile.Read(ref ran) < posted)
                await Task.Run(() => SpinWait.SpinUntil(() => Volatile.Read(ref ran) == posted, 20_000));
            Assert.That(Volatile.Read(ref ran), Is.EqualTo(posted), $"burst {burst}");
        }
    }

    [Test]
    public async Task Code_that_awaits_a_task_comes_back_to_its_loop()
    {
        var loop = _transport.Loops[1];
        var foreign = new TaskCompletionSource();
        var waiting = loop.RunAsync(async () =>
        {
            await foreign.Task;
            return (EventLoop.Current, loop.IsCurrent);
        });

        // The next post runs after the code above has begun to wait.
        await loop.RunAsync(() => Task.FromResult(0));
        Assert.That(waiting.IsCompleted, Is.False);
        await Task.Run(foreign.SetResult);

        Assert.That(await waiting, Is.EqualTo((loop, true)));
    }

    [Test]
    public async Task A_loop_that_has_ended_takes_nothing_more()
    {
        var loop = _transport.Loops[0];
        await _transport.DisposeAsync();
        var hasRun = false;

        Assert.That(loop.Post(_ => hasRun = true, null), Is.False);
        Assert.That(hasRun, Is.False);
        await loop.Stop().InTime();
    }

    [Test]
    public async Task The_end_aborts_what_lives_and_takes_back_what_waits_and_nothing_leaks()
    {
        const int Pairs = 20;
        var accepts = new LaneAccepts(_transport.Listen(new IPEndPoint(IPAddress.Loopback, 0)));
        var open = new List<Connection>();
        for (var pair = 0; pair < Pairs; pair++)
        {
            var (near, far) = await ConnectAsync(accepts);
            open.AddRange([near, far]);
        }

        var reads = open[2..].ConvertAll(connection => connection.Input.ReadAsync().AsTask());
        var blocked = open[0].FillUp(ConnectionBytes.Some(64 * 1024)).Waiting;
        using var full = new FullListener();
        var connecting = _transport.ConnectAsync(full.Address, _transport.Heartbeat.Ticks(TimeSpan.FromHours(1)));

        await _transport.DisposeAsync().AsTask().InTime();

        var (connection, failure) = await connecting.InTime();
        Assert.That(connection, Is.Null);
        Assert.That(failure, Is.Not.EqualTo(FailureKind.None));
        Assert.That((await blocked.InTime()).IsCompleted);
        foreach (var read in reads)
            Assert.That((await read.InTime()).IsCompleted);
        foreach (var one in open)
        {
            Assert.That(one.CloseReason, Is.AnyOf(CloseReason.ShutDown, CloseReason.PeerReset, CloseReason.PeerClosed));
            await one.Input.CompleteAsync();
            await one.Output.CompleteAsync();
        }

        await accepts.EndAsync();
        Assert.That(_transport.Blocks.Rented, Is.Zero);
        Assert.That(_transport.Loops.Select(loop => loop.Connections), Is.All.Zero);
    }

    [Test]
    public async Task A_connect_after_the_end_fails_and_leaves_nothing_open()
    {
        await _transport.DisposeAsync();

        var result = await _transport.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 9), timeout: 1).InTime();

        Assert.That(result.Connection, Is.Null);
        Assert.That(result.Failure, Is.Not.EqualTo(FailureKind.None));
    }

    [Test]
    public void An_address_that_somebody_else_has_is_refused_even_if_he_shares_it([Values] bool shares)
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (shares)
            taken.SetRawSocketOption(1, 15, BitConverter.GetBytes(1));      // SOL_SOCKET, SO_REUSEPORT
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();

        var problem = Assert.Throws<ListenException>(() => _transport.Listen(taken.LocalEndPoint!));

        Assert.That(problem.Message, Is.EqualTo(
            $"Cannot listen on {taken.LocalEndPoint}: another program does already. Stop it, or change `bind`."));
    }

    [Test]
    public async Task An_address_is_free_again_while_clients_of_its_old_listener_live_on()
    {
        var first = new LaneAccepts(_transport.Listen(new IPEndPoint(IPAddress.Loopback, 0)));
        var (near, far) = await ConnectAsync(first);
        await first.EndAsync();

        var second = new LaneAccepts(_transport.Listen(first.Listener.LocalEndPoint));
        var (fresh, _) = await ConnectAsync(second);

        Assert.That(fresh.CloseReason, Is.EqualTo(CloseReason.None));
        await near.WriteAsync([1, 2, 3]);
        Assert.That(await far.TakeAsync(3), Is.EqualTo((byte[])[1, 2, 3]));
        await second.EndAsync();
    }

    private async Task<(Connection Near, Connection Far)> ConnectAsync(LaneAccepts accepts)
    {
        var timeout = _transport.Heartbeat.Ticks(TimeSpan.FromSeconds(20));
        var result = await _transport.ConnectAsync(accepts.Listener.LocalEndPoint, timeout).InTime();
        return (result.Connection!, await accepts.NextAsync());
    }

    /// <summary>Somebody listens, and has no room for one more client.</summary>
    private sealed class FullListener : IDisposable
    {
        private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public FullListener()
        {
            _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listening.Listen(0);
            _client.Connect(Address);       // Linux lets one in all the same
        }

        public EndPoint Address => _listening.LocalEndPoint!;

        public void Dispose()
        {
            _client.Dispose();
            _listening.Dispose();
        }
    }
}
