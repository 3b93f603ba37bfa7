using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Tests.Transport;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

/// <summary>Many threads at one pool: every count must be right when they are done.</summary>
internal sealed class PoolStormTests
{
    private const int Threads = 50;

    [Test]
    public async Task Counts_are_right_after_a_storm()
    {
        await using var rig = new PoolRig(new() { ConnectionsMax = 40, IdleTimeout = TimeSpan.FromSeconds(1) });
        var (used, usedMax, refused, discarded) = (0, 0, 0, 0L);
        var isOver = 0;
        var closing = Task.Run(() => CloseSome(rig, ref isOver));
        var users = new Task[Threads];
        for (var user = 0; user < Threads; user++)
        {
            var seed = user;
            users[user] = Task.Run(async () =>
            {
                var random = new Random(seed);
                for (var round = 0; round < 300; round++)
                {
                    var result = await rig.Pool.AcquireAsync(random.Next(20) == 0, random.Next(2) == 0);
                    if (result.Connection is not { } connection)
                    {
                        // The clock runs so fast that a turn to connect may not come in time.
                        Assert.That(result.Failure,
                            Is.EqualTo(FailureKind.PoolExhausted).Or.EqualTo(FailureKind.ConnectTimedOut));
                        Interlocked.Increment(ref refused);
                        continue;
                    }

                    Raise(ref usedMax, Interlocked.Increment(ref used));
                    if (random.Next(4) == 0)
                        await Task.Yield();
                    Interlocked.Decrement(ref used);
                    if (random.Next(10) > 0)
                        rig.Pool.Return(connection);
                    else
                    {
                        Interlocked.Increment(ref discarded);
                        rig.Pool.Discard(connection, random.Next(2) == 0 ? CloseReason.Closed : CloseReason.Aborted);
                    }
                }
            });
        }

        await Task.WhenAll(users).InTime();
        Volatile.Write(ref isOver, 1);
        await closing.InTime();
        Assert.That(usedMax, Is.InRange(1, 40));
        Assert.That(rig.Pool.Open, Is.EqualTo(rig.Pool.Idle));
        Assert.That(rig.Pool.Opened, Is.GreaterThanOrEqualTo(discarded));
        Assert.That(rig.Pool.Opened + rig.Pool.Reused, Is.GreaterThanOrEqualTo(Threads * 300 - refused));

        rig.Pool.Retire();
        Assert.That((rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_connection_that_returns_while_its_pool_is_retired_does_not_stay_open()
    {
        await using var rig = new PoolRig(new() { IdleTimeout = TimeSpan.FromHours(1) });
        for (var round = 0; round < 500; round++)
        {
            var connection = await rig.AcquireAsync();
            using var start = new Barrier(2);
            var returning = Task.Run(() =>
            {
                start.SignalAndWait();
                rig.Pool.Return(connection);
            });
            start.SignalAndWait();
            rig.Pool.Retire();
            await returning.InTime();

            Assert.That((rig.Pool.Open, rig.Pool.Idle), Is.EqualTo((0, 0)), $"round {round}");
        }
    }

    [Test]
    public async Task The_idle_stack_neither_loses_nor_doubles_a_connection()
    {
        await using var rig = new PoolRig(new() { IdleTimeout = TimeSpan.FromHours(1) });
        var stack = new IdleStack(ThreadLane.Count);
        var connections = new List<BackendConnection>();
        for (var index = 0; index < 100; index++)
        {
            var connection = await rig.AcquireAsync();
            stack.Enrol(connection);
            Assert.That(connection.TryRest(index), Is.True);
            stack.Push(connection);
            connections.Add(connection);
        }

        var owners = new int[100];
        var threads = new Task<int>[8];
        for (var thread = 0; thread < threads.Length; thread++)
            threads[thread] = Task.Run(() => PopAndPush(stack, owners));

        Assert.That(await Task.WhenAll(threads).InTime(), Is.All.Zero);
        Assert.That(stack.CountIdle(), Is.EqualTo(100));
        Assert.That(stack.OldestFirst(), Has.Count.EqualTo(100).And.Unique);
        var popped = new HashSet<BackendConnection>();
        while (stack.TryPopAny(out var connection))
            Assert.That(popped.Add(connection), Is.True);
        Assert.That(popped, Is.EquivalentTo(connections));

        foreach (var connection in connections)
        {
            Assert.That(connection.TryUse(now: 0), Is.True);
            stack.Forget(connection);
            stack.Forget(connection);
            connection.Discard(CloseReason.Aborted);
        }

        Assert.That((stack.CountIdle(), stack.TryPopAny(out _)), Is.EqualTo((0, false)));
    }

    // Two are popped and the first goes back first: whoever was looking at the top meanwhile finds it there again, with
    // another one below it.
    [Test]
    public async Task A_top_that_was_popped_and_pushed_again_is_told_from_one_that_never_moved()
    {
        await using var rig = new PoolRig(new() { IdleTimeout = TimeSpan.FromHours(1) });
        var stack = new IdleStack(ThreadLane.Count);
        var connections = new List<BackendConnection>();
        for (var index = 0; index < 3; index++)
        {
            connections.Add(await rig.AcquireAsync());
            stack.Enrol(connections[index]);
            stack.Push(connections[index]);
        }

        var owners = new int[16];
        var threads = new Task<int>[4];
        for (var thread = 0; thread < threads.Length; thread++)
            threads[thread] = Task.Run(() => Shuffle(stack, owners));

        Assert.That(await Task.WhenAll(threads).InTime(), Is.All.Zero);
        var popped = new HashSet<BackendConnection>();
        while (stack.TryPopAny(out var connection))
            Assert.That(popped.Add(connection), Is.True);
        Assert.That(popped, Is.EquivalentTo(connections));
        connections.ForEach(connection => rig.Pool.Discard(connection, CloseReason.Closed));
    }

    private static int Shuffle(IdleStack stack, int[] owners)
    {
        var doubled = 0;
        for (var round = 0; round < 400_000 && doubled == 0; round++)
        {
            if (!stack.TryPopAny(out var first))
                continue;
            var hasSecond = stack.TryPopAny(out var second);

            doubled += Interlocked.Increment(ref owners[first.Slot]) == 1 ? 0 : 1;
            doubled += !hasSecond || Interlocked.Increment(ref owners[second!.Slot]) == 1 ? 0 : 1;
            Interlocked.Decrement(ref owners[first.Slot]);
            stack.Push(first);
            if (!hasSecond)
                continue;

            Interlocked.Decrement(ref owners[second!.Slot]);
            stack.Push(second);
        }

        return doubled;
    }

    private static int PopAndPush(IdleStack stack, int[] owners)
    {
        var doubled = 0;
        var mine = new Stack<BackendConnection>();
        var random = new Random(Environment.CurrentManagedThreadId);
        for (var round = 0; round < 20_000; round++)
        {
            if (mine.Count < 5 && random.Next(2) == 0 && stack.TryPopAny(out var popped))
            {
                doubled += popped.TryUse(now: 0) && Interlocked.Increment(ref owners[popped.Slot]) == 1 ? 0 : 1;
                mine.Push(popped);
            }
            else if (mine.TryPop(out var pushed))
            {
                Interlocked.Decrement(ref owners[pushed.Slot]);
                doubled += pushed.TryRest(round) ? 0 : 1;
                stack.Push(pushed);
            }
        }

        while (mine.TryPop(out var left))
        {
            Interlocked.Decrement(ref owners[left.Slot]);
            doubled += left.TryRest(0) ? 0 : 1;
            stack.Push(left);
        }

        return doubled;
    }

    // The backend closes connections, says what nobody asked for, and time passes.
    private static void CloseSome(PoolRig rig, ref int isOver)
    {
        var random = new Random(99);
        while (Volatile.Read(ref isOver) == 0)
        {
            Connection? victim;
            lock (rig.Accepted)
                victim = rig.Accepted.Count == 0 ? null : rig.Accepted[random.Next(rig.Accepted.Count)];
            if (random.Next(2) == 0)
                victim?.Close();
            rig.Clock.Advance(TimeSpan.FromMilliseconds(random.Next(100)));
            Thread.Yield();
        }
    }

    private static void Raise(ref int max, int value)
    {
        for (var before = Volatile.Read(ref max); value > before; before = Volatile.Read(ref max))
            Interlocked.CompareExchange(ref max, value, before);
    }
}
