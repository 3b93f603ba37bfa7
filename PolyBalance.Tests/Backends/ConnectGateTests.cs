using System.Net;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

/// <summary>Connects take turns: through a pool whose backend accepts, or answers no connect at all.</summary>
[Inline]
internal sealed class ConnectGateTests
{
    private static readonly PoolOptions Patient = new() { IdleTimeout = TimeSpan.FromHours(1) };

    [Test]
    public async Task Ten_thousand_requests_at_a_backend_that_answers_no_connect_fail_within_one_connect_timeout()
    {
        await using var deaf = new DeafPool();
        var waiting = deaf.Acquire(10_000);

        Assert.That(deaf.Pool.Open, Is.EqualTo(Limits.ConnectsAtOnce));
        deaf.Clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.That(waiting.Exists(acquiring => acquiring.IsCompleted), Is.False);
        deaf.Clock.Advance(TimeSpan.FromSeconds(0.3));

        var results = await Task.WhenAll(waiting).InTime();
        Assert.That(results.Select(result => result.Failure).Distinct(),
            Is.EqualTo(new[] { FailureKind.ConnectTimedOut }));
        await Eventually.HoldsAsync(() => deaf.Pool is { Open: 0, Connecting: 0 }, () => $"{deaf.Pool.Open} are none");
    }

    [Test]
    public async Task A_connection_that_comes_back_goes_to_whoever_waits_longest()
    {
        await using var rig = new PoolRig(Patient);
        rig.Pool.SetConnectsAtOnce(0);
        var waiting = Enumerable.Range(0, 3).Select(_ => Acquire(rig.Pool)).ToList();
        Assert.That(waiting.TrueForAll(acquiring => !acquiring.IsCompleted), Is.True);
        rig.Pool.SetConnectsAtOnce(1);
        var first = (await waiting[0].InTime()).Connection!;
        var second = (await waiting[1].InTime()).Connection!;
        var third = (await waiting[2].InTime()).Connection!;
        rig.Pool.SetConnectsAtOnce(0);
        var later = new List<Task<AcquireResult>> { Acquire(rig.Pool), Acquire(rig.Pool) };

        rig.Pool.Return(second);
        Assert.That((await later[0].InTime()).Connection, Is.SameAs(second));
        Assert.That(later[1].IsCompleted, Is.False);
        rig.Pool.Return(third);
        Assert.That((await later[1].InTime()).Connection, Is.SameAs(third));

        Assert.That((rig.Pool.Opened, rig.Pool.Reused), Is.EqualTo((3L, 2L)));
        rig.Pool.Return(first);
        rig.Pool.Return(second);
        rig.Pool.Return(third);
    }

    [Test]
    public async Task Who_must_have_a_fresh_connection_waits_for_a_turn_and_takes_no_other()
    {
        await using var rig = new PoolRig(Patient);
        var busy = await rig.AcquireAsync();
        rig.Pool.SetConnectsAtOnce(0);
        var fresh = rig.Pool.AcquireAsync(mustBeFresh: true, mustBeSure: false).AsTask();

        rig.Pool.Return(busy);
        Assert.That((fresh.IsCompleted, rig.Pool.Idle), Is.EqualTo((false, 1)));
        rig.Pool.SetConnectsAtOnce(1);

        var connection = (await fresh.InTime()).Connection!;
        Assert.That((connection.IsReused, ReferenceEquals(connection, busy)), Is.EqualTo((false, false)));
        rig.Pool.Return(connection);
    }

    [Test]
    public async Task Who_leaves_the_queue_holds_nobody_up()
    {
        await using var deaf = new DeafPool();
        var connecting = deaf.Acquire(Limits.ConnectsAtOnce);
        var clients = new List<Client>();
        var waiting = new List<Task<AcquireResult>>();
        for (var index = 0; index < 100; index++)
        {
            clients.Add(new());
            waiting.Add(deaf.Pool.AcquireAsync(mustBeFresh: false, mustBeSure: false, clients[index]).AsTask());
        }

        clients.ForEach(client => client.Leave());

        var results = await Task.WhenAll(waiting).InTime();
        Assert.That(results.Select(result => result.Failure), Is.All.EqualTo(FailureKind.ClientClosed));
        deaf.Clock.Advance(TimeSpan.FromSeconds(3.2));
        await Task.WhenAll(connecting).InTime();
        await Eventually.HoldsAsync(() => deaf.Pool is { Open: 0, Connecting: 0 }, () => $"{deaf.Pool.Open} are none");
    }

    [Test]
    public async Task Whose_client_has_gone_does_not_even_begin_to_wait()
    {
        await using var rig = new PoolRig(Patient);
        rig.Pool.SetConnectsAtOnce(0);
        var gone = new Client();
        gone.Leave();

        var result = await rig.Pool.AcquireAsync(mustBeFresh: false, mustBeSure: false, gone).InTime();

        Assert.That(result.Failure, Is.EqualTo(FailureKind.ClientClosed));
    }

    // Every wake-up that got lost would leave somebody waiting for ever: the clock stands still.
    [Test]
    public async Task Nobody_is_forgotten_in_a_storm([Range(1, 4)] int connectsMax)
    {
        await using var rig = new PoolRig(Patient);
        rig.Pool.SetConnectsAtOnce(connectsMax);
        var (connecting, served, left) = (0, 0, 0);
        var users = Enumerable.Range(0, 40).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var round = 0; round < 500; round++)
            {
                var client = random.Next(4) == 0 ? new Client() : null;
                var acquiring = rig.Pool.AcquireAsync(random.Next(3) == 0, random.Next(2) == 0, client);
                if (client is not null && random.Next(2) == 0)
                    client.Leave();
                Raise(ref connecting, rig.Pool.Connecting);
                var result = await acquiring;
                if (result.Connection is not { } connection)
                {
                    Assert.That(result.Failure, Is.EqualTo(FailureKind.ClientClosed));
                    Interlocked.Increment(ref left);
                    continue;
                }

                Interlocked.Increment(ref served);
                if (random.Next(3) == 0)
                    await Task.Yield();
                if (random.Next(3) == 0)
                    rig.Pool.Discard(connection, CloseReason.Closed);
                else
                    rig.Pool.Return(connection);
            }
        })).ToList();

        await Task.WhenAll(users).InTime();

        Assert.That(served + left, Is.EqualTo(40 * 500));
        Assert.That(connecting, Is.LessThanOrEqualTo(connectsMax));
        Assert.That((rig.Pool.Connecting, rig.Pool.Open - rig.Pool.Idle), Is.EqualTo((0, 0)));
    }

    private static Task<AcquireResult> Acquire(ConnectionPool pool)
        => pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).AsTask();

    private static void Raise(ref int max, int value)
    {
        for (var before = Volatile.Read(ref max); value > before; before = Volatile.Read(ref max))
            Interlocked.CompareExchange(ref max, value, before);
    }

    /// <summary>A client that may leave while it waits.</summary>
    private sealed class Client : IWaitingClient
    {
        private static readonly object Gone = new();

        private object? _waiting;

        public bool TryWait(IWaiting waiting) => Interlocked.CompareExchange(ref _waiting, waiting, null) is null;

        public bool TryEndWait(IWaiting waiting)
            => ReferenceEquals(Interlocked.CompareExchange(ref _waiting, null, waiting), waiting);

        public void Leave() => (Interlocked.Exchange(ref _waiting, Gone) as IWaiting)?.Leave();
    }

    /// <summary>A pool whose backend is there and accepts nothing.</summary>
    private sealed class DeafPool : IAsyncDisposable
    {
        private readonly MemoryTransport _memory;
        private readonly IConnectionListener _listener;

        public DeafPool()
        {
            _memory = new(Clock) { Backlog = 0 };
            _listener = _memory.Listen(new IPEndPoint(IPAddress.Loopback, 9));
            Pool = new(new BackendAddress(Address.Tcp("127.0.0.1", 9), Clock), _memory, Patient,
                TimeSpan.FromSeconds(3));
        }

        public ManualClock Clock { get; } = new();

        public ConnectionPool Pool { get; }

        public List<Task<AcquireResult>> Acquire(int count)
            => [.. Enumerable.Range(0, count).Select(_ => ConnectGateTests.Acquire(Pool))];

        public async ValueTask DisposeAsync()
        {
            await _listener.DisposeAsync();
            await _memory.DisposeAsync();
        }
    }
}
