using System.Buffers;
using System.IO.Pipelines;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>
/// Aborts, wake-ups and deadlines race with reads and sends on every transport; the books must balance all the same.
/// </summary>
[TestFixtureSource(typeof(TransportCase), nameof(TransportCase.All))]
internal sealed class TransportStormTests(TransportCase transport)
{
    private const int Pairs = 24;

    [Test]
    public async Task Wake_ups_and_deadlines_lose_and_double_no_byte()
    {
        await using var rig = new TransportRig(transport);
        var pairs = await ConnectAsync(rig, Pairs);
        using var rogues = new Rogues(rig, pairs);
        var flows = new List<Task>();
        foreach (var (index, (near, far)) in pairs.Index())
        {
            flows.Add(Task.Run(() => SendAsync(near, 300_000, index)));
            flows.Add(Task.Run(() => ReceiveAsync(far, 300_000, index)));
            flows.Add(Task.Run(() => SendAsync(far, 50_000, index + 1)));
            flows.Add(Task.Run(() => ReceiveAsync(near, 50_000, index + 1)));
        }

        await Task.WhenAll(flows).InTime();
        Assert.That(rogues.Disturbances, Is.Positive);
    }

    [Test]
    public async Task Aborts_in_the_middle_end_every_flow_with_a_prefix_of_what_was_sent()
    {
        await using var rig = new TransportRig(transport);
        var pairs = await ConnectAsync(rig, Pairs * 4);
        using var rogues = new Rogues(rig, pairs);
        var random = new Random(4);
        var flows = new List<Task>();
        foreach (var (index, (near, far)) in pairs.Index())
        {
            near.IsIdle = far.IsIdle = index % 2 == 0;
            var victim = index % 3 == 0 ? near : far;
            var after = random.Next(1, 200_000);
            flows.Add(Task.Run(() => SendUntilAbortAsync(near, index)));
            flows.Add(Task.Run(() => ReceiveAsync(far, int.MaxValue, index, victim, after)));
        }

        await Task.WhenAll(flows).InTime();
        Assert.That(flows.TrueForAll(flow => flow.IsCompletedSuccessfully), Is.True);
    }

    [Test]
    public async Task Aborts_from_outside_race_with_idle_reads_and_first_bytes()
    {
        await using var rig = new TransportRig(transport);
        for (var round = 0; round < 300; round++)
        {
            var (near, far) = await rig.ConnectAsync();
            far.IsIdle = true;
            using var start = new Barrier(3);
            var reading = Task.Run(async () =>
            {
                start.SignalAndWait();
                await EmptyAsync(far);
            });
            var sending = Task.Run(async () =>
            {
                start.SignalAndWait();
                near.Output.Write(ConnectionBytes.Some(100));
                await near.Output.FlushAsync();
            });
            start.SignalAndWait();
            far.Abort(CloseReason.ShutDown);
            await Task.WhenAll(reading, sending).InTime();

            Assert.That(far.CloseReason, Is.EqualTo(CloseReason.ShutDown));
            near.Close();
        }
    }

    [Test]
    public async Task A_watched_connection_that_is_taken_into_use_loses_nothing()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        var echo = Task.Run(() => EchoAsync(far));

        for (var round = 0; round < 2_000; round++)
        {
            near.IsIdle = round % 2 == 0;
            near.Watch(watcher);
            var sending = near.WriteAsync(BitConverter.GetBytes(round));
            if (round % 3 == 0)
                near.Unwatch();
            Assert.That(BitConverter.ToInt32(await near.TakeAsync(4)), Is.EqualTo(round));
            await sending;
        }

        near.Close();
        await echo.InTime();
        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((watcher.Bytes, 0)));
        Assert.That(watcher.Bytes, Is.LessThanOrEqualTo(2_000 * 2));
    }

    // Before the clock runs away.
    private static async Task<List<(Connection Near, Connection Far)>> ConnectAsync(TransportRig rig, int count)
    {
        var pairs = new List<(Connection, Connection)>();
        while (pairs.Count < count)
            pairs.Add(await rig.ConnectAsync());
        return pairs;
    }

    private static byte Byte(int seed, long at) => (byte)((at * 31) ^ (at >> 8) ^ seed);

    private static byte[] Bytes(int seed, long from, int count)
    {
        var bytes = new byte[count];
        for (var index = 0; index < count; index++)
            bytes[index] = Byte(seed, from + index);
        return bytes;
    }

    private static async Task SendAsync(Connection connection, int count, int seed)
    {
        var random = new Random(seed);
        for (var sent = 0; sent < count;)
        {
            var bytes = Bytes(seed, sent, Math.Min(count - sent, random.Next(1, 20_000)));
            connection.Attach(bytes);
            Assert.That((await connection.Output.FlushAsync()).IsCompleted, Is.False);
            sent += bytes.Length;
        }

        Assert.That(connection.BytesSent, Is.EqualTo(count));
        connection.ShutdownOutput();
    }

    private static async Task SendUntilAbortAsync(Connection connection, int seed)
    {
        var chunk = Bytes(seed, 0, 1 << 20);
        for (var sent = 0L; ; sent = (sent + 10_000) % (1 << 18))
        {
            connection.Attach(chunk.AsMemory(0, 10_000));
            if ((await connection.Output.FlushAsync()).IsCompleted)
                return;
        }
    }

    // Reads to the end; on the way aborts a victim, if there is one.
    private static async Task ReceiveAsync(
        Connection connection, int count, int seed, Connection? victim = null, int abortAfter = 0)
    {
        var at = 0L;
        while (true)
        {
            var read = await connection.Input.ReadAsync();
            foreach (var memory in read.Buffer)
            {
                foreach (var value in memory.Span)
                {
                    var expected = victim is null ? Byte(seed, at) : Byte(seed, at % 10_000);
                    if (value != expected)
                        Assert.Fail($"byte {at} is {value}, not {expected}");
                    at++;
                }
            }

            connection.Input.AdvanceTo(read.Buffer.End);
            if (victim is not null && at >= abortAfter)
                victim.Abort(CloseReason.Aborted);
            if (read.IsCompleted)
                break;
        }

        Assert.That(connection.CloseReason, Is.Not.EqualTo(CloseReason.None));
        if (victim is null)
            Assert.That((at, connection.CloseReason), Is.EqualTo(((long)count, CloseReason.PeerClosed)));
    }

    private static async Task EmptyAsync(Connection connection)
    {
        var read = default(ReadResult);
        while (!read.IsCompleted)
        {
            read = await connection.Input.ReadAsync();
            connection.Input.AdvanceTo(read.Buffer.End);
        }
    }

    private static async Task EchoAsync(Connection connection)
    {
        var read = default(ReadResult);
        while (!read.IsCompleted)
        {
            read = await connection.Input.ReadAsync();
            await connection.SendAsync(read.Buffer);
            connection.Input.AdvanceTo(read.Buffer.End);
        }
    }

    /// <summary>Threads that wake reads and let deadlines pass for as long as they live.</summary>
    private sealed class Rogues : IDisposable
    {
        private readonly List<Connection> _victims = [];
        private readonly List<Thread> _threads = [];
        private readonly TransportRig _rig;
        private volatile bool _isOver;
        private int _disturbances;

        public Rogues(TransportRig rig, List<(Connection Near, Connection Far)> pairs)
        {
            _rig = rig;
            foreach (var (near, far) in pairs)
                _victims.AddRange([near, far]);
            foreach (var run in (Action[])[() => WakeAll(1), () => WakeAll(2), PassDeadlines])
            {
                var thread = new Thread(() => run());
                _threads.Add(thread);
                thread.Start();
            }
        }

        public int Disturbances => Volatile.Read(ref _disturbances);

        public void Dispose()
        {
            _isOver = true;
            foreach (var thread in _threads)
                thread.Join();
        }

        private void WakeAll(int seed)
        {
            var random = new Random(seed);
            while (!_isOver)
            {
                foreach (var victim in _victims)
                {
                    if (random.Next(3) == 0)
                        victim.Wake();
                    Interlocked.Increment(ref _disturbances);
                }

                Thread.Yield();
            }
        }

        private void PassDeadlines()
        {
            while (!_isOver)
            {
                foreach (var victim in _victims)
                    victim.ReadDeadline = _rig.Transport.Heartbeat.Now;
                _rig.Clock.Advance(Heartbeat.Period);
                Thread.Yield();
            }
        }
    }
}
