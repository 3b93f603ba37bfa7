using System.Buffers;
using System.Net;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>What only the transport for tests can do: faults at any byte, a window, no surprises.</summary>
[Inline]
internal sealed class MemoryTransportTests
{
    private static readonly TransportCase Memory = TransportCase.Named("memory");

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(50)]
    [TestCase(100)]
    public async Task A_cut_is_an_orderly_end_behind_its_byte(int at)
    {
        await using var rig = new TransportRig(Memory);
        var (near, far) = await rig.ConnectAsync();
        ((MemoryConnection)near).Outgoing.CutAt(at);

        var sent = await near.WriteAsync(ConnectionBytes.Some(100));
        var more = await near.WriteAsync(ConnectionBytes.Some(100));

        Assert.That(await far.TakeAllAsync(), Is.EqualTo(ConnectionBytes.Some(100)[..at]));
        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
        Assert.That((sent.IsCompleted, more.IsCompleted), Is.EqualTo((false, false)));
        Assert.That((await far.WriteAsync(ConnectionBytes.Some(10))).IsCompleted, Is.False);
        Assert.That(await near.TakeAsync(10), Is.EqualTo(ConnectionBytes.Some(10)));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(50)]
    [TestCase(100)]
    public async Task A_reset_behind_a_byte_reaches_both_ends(int at)
    {
        await using var rig = new TransportRig(Memory);
        var (near, far) = await rig.ConnectAsync();
        var line = ((MemoryConnection)near).Outgoing;
        line.ResetAt(at);

        await near.WriteAsync(ConnectionBytes.Some(100));

        Assert.That((await near.WriteAsync(ConnectionBytes.Some(1))).IsCompleted, Is.True);
        Assert.That(await far.TakeAllAsync(), Is.EqualTo(ConnectionBytes.Some(100)[..at]));
        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.PeerReset));
        Assert.That(line.BytesDelivered, Is.EqualTo(at));
        Assert.That(await near.TakeAllAsync(), Is.Empty);
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.PeerReset));
        Assert.That((await far.WriteAsync(ConnectionBytes.Some(1))).IsCompleted, Is.True);
    }

    [Test]
    public async Task A_close_with_unread_input_is_a_reset()
    {
        await using var rig = new TransportRig(Memory);
        var (near, far) = await rig.ConnectAsync();

        await far.WriteAsync(ConnectionBytes.Some(100));
        near.Close();
        await far.TakeAllAsync();

        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.PeerReset));
    }

    [Test]
    public async Task A_stall_holds_back_bytes_and_the_end_until_it_is_over()
    {
        await using var rig = new TransportRig(Memory);
        var (near, far) = await rig.ConnectAsync();
        var line = ((MemoryConnection)far).Incoming;
        line.StallAt(30);

        await near.WriteAsync(ConnectionBytes.Some(100));
        near.ShutdownOutput();
        Assert.That(await far.TakeAsync(30), Is.EqualTo(ConnectionBytes.Some(100)[..30]));
        var reading = far.Input.ReadAsync().AsTask();
        Assert.That(reading.IsCompleted || far.HasUnreportedInput(), Is.False);

        line.Resume();
        var read = await reading.InTime();
        Assert.That(read.Buffer.ToArray(), Is.EqualTo(ConnectionBytes.Some(100)[30..]));
        far.Input.AdvanceTo(read.Buffer.End);
        Assert.That(await far.TakeAllAsync(), Is.Empty);
    }

    [Test]
    public async Task A_stalled_line_fills_its_window_and_no_more()
    {
        var clock = new ManualClock();
        await using var memory = new MemoryTransport(clock) { WindowBytes = 1_000 };
        memory.Connecting = (near, _) => near.Outgoing.StallAt(0);
        await using var listener = memory.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var near = (MemoryConnection)(await memory.ConnectAsync(listener.LocalEndPoint, timeout: 1)).Connection!;
        var far = (await listener.AcceptAsync())!;

        near.Attach(ConnectionBytes.Some(2_500));
        var sending = near.Output.FlushAsync().AsTask();
        Assert.That((sending.IsCompleted, near.Outgoing.BytesSent), Is.EqualTo((false, 1_000L)));

        near.Outgoing.Resume();
        Assert.That(await far.TakeAsync(2_500), Is.EqualTo(ConnectionBytes.Some(2_500)));
        Assert.That((await sending.InTime()).IsCompleted, Is.False);
        near.Close();
        far.Close();
    }

    [Test]
    public async Task Everything_happens_on_the_thread_that_sends()
    {
        await using var rig = new TransportRig(Memory);
        var (near, far) = await rig.ConnectAsync();
        var echo = EchoAsync(far, rounds: 100_000);

        // As deep as the stack if each answer ran inside the send that caused it.
        var thread = Environment.CurrentManagedThreadId;
        for (var round = 0; round < 100_000; round++)
        {
            near.Output.Write(BitConverter.GetBytes(round));
            await near.Output.FlushAsync();
            var read = await near.Input.ReadAsync();
            Assert.That(BitConverter.ToInt32(read.Buffer.FirstSpan), Is.EqualTo(round));
            near.Input.AdvanceTo(read.Buffer.End);
        }

        Assert.That(Environment.CurrentManagedThreadId, Is.EqualTo(thread));
        Assert.That(echo.IsCompletedSuccessfully, Is.True);
    }

    [Test]
    public async Task A_client_waits_for_room_in_the_backlog()
    {
        await using var rig = new TransportRig(Memory);
        var memory = (MemoryTransport)rig.Transport;
        memory.Backlog = 1;
        await using var listener = memory.Listen(new IPEndPoint(IPAddress.Loopback, 0));

        var first = memory.ConnectAsync(listener.LocalEndPoint, rig.Seconds(5)).AsTask();
        var second = memory.ConnectAsync(listener.LocalEndPoint, rig.Seconds(5)).AsTask();
        Assert.That((first.IsCompleted, second.IsCompleted), Is.EqualTo((true, false)));

        var accepted = await listener.AcceptAsync().InTime();
        Assert.That(second.IsCompleted, Is.True);
        Assert.That((await second).Failure, Is.EqualTo(FailureKind.None));
        accepted!.Close();
    }

    [Test]
    public async Task A_listener_on_every_address_hears_all_of_them()
    {
        await using var rig = new TransportRig(Memory);
        var memory = (MemoryTransport)rig.Transport;
        await using var everywhere = memory.Listen(new IPEndPoint(IPAddress.IPv6Any, 8000));

        foreach (var address in (string[])["127.0.0.1", "::1", "10.0.0.7"])
        {
            var client = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 4711);
            var to = new IPEndPoint(IPAddress.Parse(address), 8000);
            var near = (await memory.ConnectFromAsync(client, to, rig.Seconds(1)).InTime()).Connection!;
            var far = (await everywhere.AcceptAsync().InTime())!;

            Assert.That(far.RemoteEndPoint, Is.EqualTo(client));
            near.Close();
            far.Close();
        }
    }

    [Test]
    public async Task Sends_and_receives_are_counted()
    {
        await using var rig = new TransportRig(Memory);
        var memory = (MemoryTransport)rig.Transport;
        var (near, far) = await rig.ConnectAsync();

        for (var round = 0; round < 10; round++)
        {
            await near.WriteAsync(ConnectionBytes.Some(100));
            await far.TakeAsync(100);
        }

        Assert.That((memory.Sends, memory.Receives), Is.EqualTo((10L, 10L)));
    }

    private static async Task EchoAsync(Connection connection, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            var read = await connection.Input.ReadAsync();
            await connection.SendAsync(read.Buffer);
            connection.Input.AdvanceTo(read.Buffer.End);
        }
    }
}
