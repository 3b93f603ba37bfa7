using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>Two loops side by side: clients are spread over both, and what belongs to one stays there.</summary>
[Platform("Linux", Reason = "io_uring")]
internal sealed class RingLaneTests
{
    private readonly List<Socket> _clients = [];
    private readonly List<Connection> _accepted = [];
    private RingTransport _transport = null!;
    private LaneAccepts _accepts = null!;

    private EventLoop[] Loops => _transport.Loops;

    [SetUp]
    public void Start()
    {
        _transport = RingOrNone.Start(TimeProvider.System, loops: 2);
        _accepts = new(_transport.Listen(new IPEndPoint(IPAddress.Loopback, 0)));
    }

    [TearDown]
    public async Task Stop()
    {
        foreach (var client in _clients)
            client.Dispose();
        _clients.Clear();
        if (_transport is null)
            return;

        await _accepts.EndAsync();
        await _transport.DisposeAsync();
        foreach (var connection in _accepted)
            await connection.Input.CompleteAsync();
        _accepted.Clear();
        Assert.That(_transport.Blocks.Rented, Is.Zero);
    }

    [Test]
    public async Task Clients_of_one_address_are_spread_over_the_loops()
    {
        for (var count = 0; count < 64; count++)
            await ConnectAsync();

        AssertEven(64);
    }

    [Test]
    public async Task Long_lived_clients_are_made_up_for_by_those_who_come_later()
    {
        for (var count = 0; count < 40; count++)
            await ConnectAsync();

        foreach (var connection in _accepted.FindAll(connection => connection.Lane == 0))
            connection.Abort(CloseReason.Aborted);
        await Eventually.HoldsAsync(() => Loops[0].Connections == 0, () => $"{Loops[0].Connections} are left");
        var left = Loops[1].Connections;
        Assert.That(left, Is.GreaterThan(10), "a whole loop is behind");
        for (var count = 0; count < 40; count++)
            await ConnectAsync();

        AssertEven(left + 40);
    }

    [Test]
    public async Task What_a_client_does_is_told_on_the_thread_of_its_loop()
    {
        for (var count = 0; count < 16; count++)
        {
            var connection = await ConnectAsync();
            var watcher = new LaneWatcher();
            connection.Watch(watcher);
            await _clients[^1].SendAsync("x"u8.ToArray());
            Assert.That(await watcher.Told.InTime(), Is.EqualTo(connection.Lane));

            connection.Unwatch();
            await connection.TakeAsync(1);
            var reading = ReadAsync(connection);
            await _clients[^1].SendAsync("y"u8.ToArray());
            Assert.That(await reading.InTime(), Is.EqualTo(connection.Lane));
        }
    }

    [Test]
    public async Task A_backend_connection_is_reused_on_its_own_loop_only()
    {
        var pool = Pool(connectionsMax: 0);
        var first = await AcquireAsync(0, pool);
        pool.Return(first);
        var second = await AcquireAsync(1, pool);
        pool.Return(second);

        Assert.That((first.Connection.Lane, second.Connection.Lane), Is.EqualTo((0, 1)));
        Assert.That(await AcquireAsync(0, pool), Is.SameAs(first));
        Assert.That(await AcquireAsync(1, pool), Is.SameAs(second));
        Assert.That((pool.Opened, pool.Reused, pool.Open), Is.EqualTo((2, 2, 2)));
        Discard(pool, first, second);
    }

    [Test]
    public async Task At_the_limit_a_connection_that_idles_on_the_other_loop_makes_room()
    {
        var pool = Pool(connectionsMax: 1);
        for (var turn = 0; turn < 10; turn++)
        {
            var connection = await AcquireAsync(turn % 2, pool);
            Assert.That(connection.Connection.Lane, Is.EqualTo(turn % 2));
            Assert.That((pool.Open, pool.Opened), Is.EqualTo((1, turn + 1)));
            pool.Return(connection);
        }

        // Each of the backend's ends but the last one sees its end in good order.
        for (var turn = 0; turn < 9; turn++)
            Assert.That(await (await _accepts.NextAsync()).TakeAllAsync(), Is.Empty);
        pool.Retire();
    }

    [Test]
    public async Task At_the_limit_a_connection_that_is_busy_on_the_other_loop_is_not_taken_away()
    {
        var pool = Pool(connectionsMax: 1);
        var busy = await AcquireAsync(0, pool);

        var refused = await Loops[1].RunAsync(
            () => pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).AsTask());

        Assert.That(refused.Failure, Is.EqualTo(FailureKind.PoolExhausted));
        Assert.That(busy.Connection.CloseReason, Is.EqualTo(CloseReason.None));
        Discard(pool, busy);
    }

    // What awaits a read goes on where the bytes arrive.
    private static async Task<int> ReadAsync(Connection connection)
    {
        var reading = connection.Input.ReadAsync();
        Assert.That(reading.IsCompleted, Is.False);
        await reading;
        return EventLoop.Current?.Index ?? -1;
    }

    private static void Discard(ConnectionPool pool, params BackendConnection[] connections)
    {
        foreach (var connection in connections)
            pool.Discard(connection, CloseReason.Closed);
        Assert.That(pool.Open, Is.Zero);
    }

    // The rule: who arrives at a loop that is ahead by more than the slack goes to the other one.
    private void AssertEven(int all)
    {
        int[] counts = [Loops[0].Connections, Loops[1].Connections];
        TestContext.Out.WriteLine($"{counts[0]} and {counts[1]} of {all}");
        Assert.That(counts.Sum(), Is.EqualTo(all));
        Assert.That(Math.Abs(counts[0] - counts[1]), Is.LessThanOrEqualTo(2 + (counts.Min() >> 4)));
    }

    // One after the other: where each goes depends on those who are there.
    private async Task<Connection> ConnectAsync()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        await client.ConnectAsync(_accepts.Listener.LocalEndPoint);
        _accepted.Add(await _accepts.NextAsync());
        return _accepted[^1];
    }

    private ConnectionPool Pool(int connectionsMax)
    {
        var port = ((IPEndPoint)_accepts.Listener.LocalEndPoint).Port;
        return new(
            new BackendAddress(Address.Tcp("127.0.0.1", port), TimeProvider.System), _transport,
            new PoolOptions { ConnectionsMax = connectionsMax }, connectTimeout: TimeSpan.FromSeconds(20));
    }

    private async Task<BackendConnection> AcquireAsync(int lane, ConnectionPool pool)
    {
        var acquired = await Loops[lane].RunAsync(
            () => pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).AsTask());
        Assert.That(acquired.Failure, Is.EqualTo(FailureKind.None));
        return acquired.Connection!;
    }

    /// <summary>Remembers on which loop it was told first.</summary>
    private sealed class LaneWatcher : IConnectionWatcher
    {
        private readonly TaskCompletionSource<int> _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<int> Told => _told.Task;

        public void OnInput(bool ended) => _told.TrySetResult(EventLoop.Current?.Index ?? -1);
    }
}
