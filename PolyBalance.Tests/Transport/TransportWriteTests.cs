using System.Buffers;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>What every transport does: gathering, back-pressure, write deadlines.</summary>
[TestFixtureSource(typeof(TransportCase), nameof(TransportCase.All))]
internal sealed class TransportWriteTests(TransportCase transport)
{
    [Test]
    public async Task What_was_written_and_what_was_attached_goes_out_in_order()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var expected = new List<byte>();

        for (var round = 0; round < 20; round++)
        {
            foreach (var length in (int[])[1, 70, 0, 300, 17_000, 2])
            {
                var written = ConnectionBytes.Some(length, seed: round);
                near.Output.Write(written);
                expected.AddRange(written);
                var attached = ConnectionBytes.Some(length + 3, seed: round + 100);
                near.Attach(Split(attached, length / 2));
                expected.AddRange(attached);
            }

            Assert.That(near.Output.UnflushedBytes, Is.EqualTo(2 * (1 + 70 + 300 + 17_000 + 2) + 18));
            var flushing = near.Output.FlushAsync().InTime();
            var received = await far.TakeAsync(expected.Count);
            Assert.That((await flushing).IsCompleted, Is.False);
            Assert.That(received, Is.EqualTo(expected));
            Assert.That(near.Output.UnflushedBytes, Is.Zero);
            expected.Clear();
        }
    }

    [Test]
    public async Task Attached_memory_is_free_once_the_flush_has_completed()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(1_000_000);
        var original = bytes.ToArray();

        var flushing = near.SendAsync(new ReadOnlySequence<byte>(bytes)).InTime();
        var receiving = far.TakeAsync(bytes.Length);
        await flushing;
        Array.Clear(bytes);

        Assert.That(await receiving.InTime(), Is.EqualTo(original));
    }

    [Test]
    public async Task Memory_that_cannot_be_sent_is_refused_and_not_lost()
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();

        Assert.Throws<ArgumentException>(() => near.Attach(new ForeignMemory().Memory));
        Assert.That(near.Output.UnflushedBytes, Is.Zero);
    }

    [Test]
    public async Task A_flush_of_nothing_completes_at_once()
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();

        var flush = near.Output.FlushAsync();
        near.Attach(ReadOnlyMemory<byte>.Empty);
        near.Output.GetMemory(10);
        var again = near.Output.FlushAsync();

        Assert.That(flush.IsCompleted && again.IsCompleted, Is.True);
        Assert.That((await flush).IsCompleted || (await again).IsCompleted, Is.False);
    }

    [Test]
    public async Task A_reader_that_stops_makes_the_writer_wait()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var chunk = ConnectionBytes.Some(64 * 1024);

        var (waiting, bytes) = near.FillUp(chunk);
        var received = await far.TakeAsync(bytes);

        Assert.That((await waiting.InTime()).IsCompleted, Is.False);
        Assert.That(received.AsSpan(received.Length - chunk.Length).SequenceEqual(chunk), Is.True);
        Assert.That(near.BytesSent, Is.EqualTo(bytes));
    }

    [Test]
    public async Task A_peer_that_takes_nothing_is_given_up_at_the_write_deadline()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        near.WriteTimeout = rig.Seconds(5);

        var (waiting, bytes) = near.FillUp(ConnectionBytes.Some(64 * 1024));
        rig.Clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.That(waiting.IsCompleted, Is.False);

        rig.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That((await waiting.InTime()).IsCompleted, Is.True);
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.WriteTimedOut));
        Assert.That(near.BytesSent, Is.GreaterThan(0).And.LessThan(bytes));

        var arrived = await far.TakeAllAsync();
        Assert.That(arrived, Has.Length.LessThanOrEqualTo(near.BytesSent));
        Assert.That(far.CloseReason, Is.EqualTo(transport.HasReset ? CloseReason.PeerReset : CloseReason.PeerClosed));
    }

    [Test]
    public async Task A_write_deadline_ends_with_its_flush()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        near.WriteTimeout = rig.Seconds(5);

        var (waiting, bytes) = near.FillUp(ConnectionBytes.Some(64 * 1024));
        await far.TakeAsync(bytes);
        await waiting.InTime();
        rig.Clock.Advance(TimeSpan.FromSeconds(60));
        await near.WriteAsync(ConnectionBytes.Some(10));

        Assert.That(await far.TakeAsync(10), Is.EqualTo(ConnectionBytes.Some(10)));
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.None));
    }

    [Test]
    public async Task Bytes_of_a_send_that_failed_half_way_are_counted()
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();

        var (waiting, bytes) = near.FillUp(ConnectionBytes.Some(200_000));
        var before = near.BytesSent;
        near.Abort(CloseReason.Aborted);
        await waiting.InTime();

        Assert.That(near.BytesSent, Is.InRange(before, bytes - 1));
        Assert.That(near.BytesSent, Is.GreaterThan(0));
    }

    /// <summary>Memory outside of any array.</summary>
    private sealed unsafe class ForeignMemory : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => new((void*)0x1000, 10);

        public override MemoryHandle Pin(int elementIndex = 0) => default;

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }

    private static ReadOnlySequence<byte> Split(byte[] bytes, int at)
    {
        var blocks = new BlockPool(bytes.Length + 1);
        var (first, second) = (blocks.RentSmall(), blocks.RentSmall());
        bytes.AsSpan(0, at).CopyTo(first.Array);
        bytes.AsSpan(at).CopyTo(second.Array);
        first.Fill(at);
        second.Fill(bytes.Length - at);
        second.Follow(first);
        return new(first, 0, second, second.Filled);
    }
}
