using System.Net;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Tests.Transport;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

[Inline]
internal sealed class ConnectionPoolTests
{
    private static readonly PoolOptions Patient = new() { IdleTimeout = TimeSpan.FromHours(1) };

    [Test]
    public async Task The_newest_idle_connection_is_reused_first()
    {
        await using var rig = new PoolRig(Patient);
        var connections = await rig.AcquireAsync(3);
        connections.ForEach(rig.Pool.Return);

        var again = await rig.AcquireAsync(3);

        Assert.That(again, Is.EqualTo(Enumerable.Reverse(connections)));
        Assert.That(again.TrueForAll(connection => connection.IsReused), Is.True);
        Assert.That((rig.Pool.Opened, rig.Pool.Reused, rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((3L, 3L, 3, 0)));
        again.ForEach(rig.Pool.Return);
    }

    [Test]
    public async Task Who_must_have_a_fresh_connection_gets_one()
    {
        await using var rig = new PoolRig(Patient);
        rig.Pool.Return(await rig.AcquireAsync());

        var fresh = await rig.AcquireAsync(mustBeFresh: true);
        var sure = await rig.AcquireAsync(mustBeSure: true);

        Assert.That((fresh.IsReused, sure.IsReused), Is.EqualTo((false, true)));
        rig.Pool.Return(fresh);
        rig.Pool.Return(sure);
    }

    [Test]
    public async Task A_pool_that_sheds_closes_the_longer_idle_half_and_nothing_that_is_busy()
    {
        await using var rig = new PoolRig(Patient);
        var connections = await rig.AcquireAsync(6);
        foreach (var connection in connections[..5])
        {
            rig.Pool.Return(connection);
            rig.Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        rig.Pool.Shed();
        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((2, 3)));
        Assert.That(await rig.AcquireAsync(2), Is.EqualTo((BackendConnection[])[connections[4], connections[3]]));

        rig.Pool.Shed();
        Assert.That(rig.Pool.Open, Is.EqualTo(3));
        foreach (var connection in connections[3..])
            rig.Pool.Return(connection);
        rig.Pool.Shed();
        rig.Pool.Shed();
        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task An_idle_connection_that_the_backend_closes_is_never_handed_out([Values] bool reset)
    {
        await using var rig = new PoolRig(Patient);
        rig.Pool.Return(await rig.AcquireAsync());

        if (reset)
            rig.Accepted[0].Abort(CloseReason.Aborted);
        else
            rig.Accepted[0].Close();

        Assert.That((rig.Pool.Idle, rig.Pool.Open, rig.Pool.Lost), Is.EqualTo((0, 0, 1L)));
        var fresh = await rig.AcquireAsync();
        Assert.That((fresh.IsReused, rig.Accepted.Count), Is.EqualTo((false, 2)));
        rig.Pool.Return(fresh);
    }

    [Test]
    public async Task An_idle_connection_with_bytes_nobody_asked_for_is_never_handed_out([Values] bool beforeReturn)
    {
        await using var rig = new PoolRig(Patient);
        var connection = await rig.AcquireAsync();
        if (!beforeReturn)
            rig.Pool.Return(connection);
        await rig.Accepted[0].WriteAsync(ConnectionBytes.Some(500));
        if (beforeReturn)
            rig.Pool.Return(connection);

        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((0, 0)));
        Assert.That(connection.Connection.CloseReason, Is.Not.EqualTo(CloseReason.None));
        rig.Pool.Return(await rig.AcquireAsync());
        Assert.That(rig.Accepted, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task In_quiet_times_ten_stay()
    {
        await using var rig = new PoolRig(Patient);
        (await rig.AcquireAsync(10)).ForEach(rig.Pool.Return);

        rig.Clock.Advance(TimeSpan.FromMinutes(5));

        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((10, 10)));
    }

    [Test]
    public async Task What_a_burst_left_decays_by_half_every_five_seconds()
    {
        await using var rig = new PoolRig(Patient);
        (await rig.AcquireAsync(64)).ForEach(rig.Pool.Return);
        Assert.That(rig.Pool.Idle, Is.EqualTo(64));

        rig.Clock.Advance(TimeSpan.FromSeconds(5.1));
        Assert.That(rig.Pool.Idle, Is.InRange(10 + 20, 10 + 27));
        rig.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(rig.Pool.Idle, Is.LessThanOrEqualTo(40));
        rig.Clock.Advance(TimeSpan.FromSeconds(23));
        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((10, 10)));
    }

    [Test]
    public async Task The_longest_idle_go_first()
    {
        await using var rig = new PoolRig(Patient with { IdleConnections = 1 });
        var connections = await rig.AcquireAsync(3);
        foreach (var connection in connections)
        {
            rig.Pool.Return(connection);
            rig.Clock.Advance(TimeSpan.FromMilliseconds(100));
        }

        rig.Clock.Advance(TimeSpan.FromSeconds(10));

        Assert.That(connections.ConvertAll(connection => connection.IsIdle), Is.EqualTo(new[] { false, false, true }));
    }

    [Test]
    public async Task An_idle_connection_ends_at_its_idle_timeout()
    {
        await using var rig = new PoolRig(new() { IdleTimeout = TimeSpan.FromSeconds(30) });
        rig.Pool.Return(await rig.AcquireAsync());

        rig.Clock.Advance(TimeSpan.FromSeconds(29.9));
        Assert.That(rig.Pool.Idle, Is.EqualTo(1));
        rig.Clock.Advance(TimeSpan.FromSeconds(1.2));

        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((0, 0)));
        Assert.That(await rig.Accepted[0].TakeAllAsync(), Is.Empty);
        Assert.That(rig.Accepted[0].CloseReason, Is.EqualTo(CloseReason.PeerClosed));
    }

    [Test]
    public async Task A_connection_older_than_its_lifetime_is_not_reused()
    {
        await using var rig = new PoolRig(Patient with { LifetimeMax = TimeSpan.FromSeconds(10) });
        var old = await rig.AcquireAsync();
        rig.Clock.Advance(TimeSpan.FromSeconds(10.5));
        rig.Pool.Return(old);

        var fresh = await rig.AcquireAsync();

        Assert.That(fresh, Is.Not.SameAs(old));
        Assert.That(old.Connection.CloseReason, Is.EqualTo(CloseReason.Closed));
        rig.Pool.Return(fresh);
        rig.Clock.Advance(TimeSpan.FromSeconds(12));
        Assert.That((rig.Pool.Idle, rig.Pool.Open), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task No_more_connections_are_opened_than_allowed()
    {
        await using var rig = new PoolRig(Patient with { ConnectionsMax = 2 });
        var connections = await rig.AcquireAsync(2);

        var refused = await rig.Pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).InTime();
        Assert.That((refused.Connection, refused.Failure, rig.Pool.Open),
            Is.EqualTo((default(BackendConnection), FailureKind.PoolExhausted, 2)));

        rig.Pool.Return(connections[0]);
        Assert.That(await rig.AcquireAsync(), Is.SameAs(connections[0]));
        rig.Pool.Discard(connections[1], CloseReason.Aborted);
        rig.Pool.Return(await rig.AcquireAsync());
        rig.Pool.Return(connections[0]);
        Assert.That((rig.Pool.Open, rig.Pool.Opened), Is.EqualTo((2, 3L)));
    }

    [Test]
    public async Task A_failed_connect_leaves_no_trace()
    {
        await using var rig = new PoolRig(Patient with { ConnectionsMax = 1 });
        await rig.StopListeningAsync();

        for (var attempt = 0; attempt < 3; attempt++)
        {
            var result = await rig.Pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).InTime();
            Assert.That((result.Connection, result.Failure),
                Is.EqualTo((default(BackendConnection), FailureKind.ConnectRefused)));
        }

        Assert.That((rig.Pool.Open, rig.Pool.Opened), Is.EqualTo((0, 0L)));
    }

    [Test]
    public async Task A_connect_that_nobody_answers_fails_at_its_timeout()
    {
        await using var rig = new PoolRig(Patient);
        rig.Memory.Backlog = 0;
        await using var deaf = rig.Memory.Listen(new IPEndPoint(IPAddress.Loopback, 9));
        var address = new BackendAddress(Address.Tcp("127.0.0.1", 9), rig.Clock);
        var pool = new ConnectionPool(address, rig.Memory, Patient, TimeSpan.FromSeconds(3));

        var acquiring = pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).AsTask();
        rig.Clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.That((acquiring.IsCompleted, pool.Open), Is.EqualTo((false, 1)));
        rig.Clock.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That((await acquiring.InTime()).Failure, Is.EqualTo(FailureKind.ConnectTimedOut));
        Assert.That(pool.Open, Is.Zero);
    }

    [Test]
    public async Task A_retired_pool_closes_idle_connections_now_and_busy_ones_when_they_return()
    {
        await using var rig = new PoolRig(Patient);
        var (busy, idle) = (await rig.AcquireAsync(), await rig.AcquireAsync());
        rig.Pool.Return(idle);

        rig.Pool.Retire();
        Assert.That((rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((1, 0)));
        Assert.That(busy.Connection.CloseReason, Is.EqualTo(CloseReason.None));

        rig.Pool.Return(busy);
        Assert.That((rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((0, 0)));
        Assert.That(busy.Connection.CloseReason, Is.EqualTo(CloseReason.Closed));
    }

    [Test]
    public async Task A_pool_that_is_retired_while_a_connection_returns_keeps_nothing_open()
    {
        var clock = new EventfulClock();
        await using var memory = new MemoryTransport(clock);
        await using var listener = memory.Listen(new IPEndPoint(IPAddress.Loopback, 80));
        var address = new BackendAddress(Address.Tcp("127.0.0.1", 80), clock);
        var pool = new ConnectionPool(address, memory, Patient, TimeSpan.FromSeconds(3));
        var connection = (await pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).InTime()).Connection!;

        clock.Next = pool.Retire;
        pool.Return(connection);

        Assert.That((pool.Open, pool.Idle), Is.EqualTo((0, 0)));
        Assert.That(connection.Connection.CloseReason, Is.EqualTo(CloseReason.Closed));
    }

    // The pool looks at the clock before it takes an idle connection, and again before it hands it out.
    [Test]
    public async Task Who_must_be_sure_gets_no_connection_that_ends_while_it_is_taken([Values] bool mustBeSure)
    {
        var clock = new EventfulClock();
        await using var memory = new MemoryTransport(clock);
        await using var listener = memory.Listen(new IPEndPoint(IPAddress.Loopback, 80));
        var address = new BackendAddress(Address.Tcp("127.0.0.1", 80), clock);
        var pool = new ConnectionPool(address, memory, Patient, TimeSpan.FromSeconds(3));
        var first = (await pool.AcquireAsync(mustBeFresh: false, mustBeSure: false).InTime()).Connection!;
        var accepted = (await listener.AcceptAsync().InTime())!;
        pool.Return(first);

        clock.Next = () => clock.Next = accepted.Close;
        var second = (await pool.AcquireAsync(mustBeFresh: false, mustBeSure).InTime()).Connection!;

        Assert.That(ReferenceEquals(second, first), Is.EqualTo(!mustBeSure));
        Assert.That((second.IsReused, pool.Open, pool.Lost), Is.EqualTo((!mustBeSure, 1, mustBeSure ? 1L : 0L)));
        pool.Discard(second, CloseReason.Closed);
        Assert.That(memory.Blocks.Rented, Is.Zero);
    }

    [Test]
    public async Task A_discarded_connection_ends_as_it_was_told_to(
        [Values(CloseReason.Closed, CloseReason.Aborted)] CloseReason reason)
    {
        await using var rig = new PoolRig(Patient);
        var connection = await rig.AcquireAsync();

        rig.Pool.Discard(connection, reason);
        await rig.Accepted[0].TakeAllAsync();

        Assert.That(connection.Connection.CloseReason, Is.EqualTo(reason));
        Assert.That(rig.Accepted[0].CloseReason,
            Is.EqualTo(reason == CloseReason.Closed ? CloseReason.PeerClosed : CloseReason.PeerReset));
        Assert.That(rig.Pool.Open, Is.Zero);
    }

    /// <summary>Lets something happen in the very moment in which somebody looks at the clock.</summary>
    private sealed class EventfulClock : TimeProvider
    {
        public Action? Next { get; set; }

        public override long GetTimestamp()
        {
            var next = Next;
            Next = null;
            next?.Invoke();
            return base.GetTimestamp();
        }
    }
}
