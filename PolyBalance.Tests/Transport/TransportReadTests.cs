using System.Buffers;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>What every transport does: wake-ups, read deadlines, and what was not consumed.</summary>
[TestFixtureSource(typeof(TransportCase), nameof(TransportCase.All))]
internal sealed class TransportReadTests(TransportCase transport)
{
    [Test]
    public async Task A_pending_read_can_be_woken_and_the_connection_stays_usable()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        var reading = far.Input.ReadAsync().AsTask();
        Assert.That(reading.IsCompleted, Is.False);
        far.Wake();
        var read = await reading.InTime();

        Assert.That((read.IsCanceled, read.IsCompleted, read.Buffer.Length), Is.EqualTo((true, false, 0L)));
        await near.WriteAsync(ConnectionBytes.Some(100));
        Assert.That(await far.TakeAsync(100), Is.EqualTo(ConnectionBytes.Some(100)));
    }

    [Test]
    public async Task A_wake_up_before_a_read_wakes_that_read_and_only_that()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        far.Wake();
        far.Wake();
        var woken = await far.Input.ReadAsync().InTime();
        var next = far.Input.ReadAsync().AsTask();

        Assert.That(woken.IsCanceled, Is.True);
        Assert.That(next.IsCompleted, Is.False);
        await near.WriteAsync(ConnectionBytes.Some(10));
        Assert.That((await next.InTime()).IsCanceled, Is.False);
    }

    [Test]
    public async Task A_wake_up_loses_no_bytes()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(30);

        await near.WriteAsync(bytes[..10]);
        var first = await far.Input.ReadAsync().InTime();
        Assert.That(first.Buffer.ToArray(), Is.EqualTo(bytes[..10]));
        far.Input.AdvanceTo(first.Buffer.Start, first.Buffer.End);

        var reading = far.Input.ReadAsync().AsTask();
        far.Wake();
        var woken = await reading.InTime();
        Assert.That(woken.IsCanceled, Is.True);
        Assert.That(woken.Buffer.ToArray(), Is.EqualTo(bytes[..10]));
        far.Input.AdvanceTo(woken.Buffer.Start, woken.Buffer.End);

        await near.WriteAsync(bytes[10..]);
        Assert.That(await far.TakeAsync(30), Is.EqualTo(bytes));
    }

    [Test]
    public async Task A_read_deadline_wakes_and_the_connection_stays_usable()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        far.ReadDeadline = rig.Transport.Heartbeat.Now + rig.Seconds(10);
        var reading = far.Input.ReadAsync().AsTask();

        rig.Clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.That(reading.IsCompleted || far.IsReadOverdue, Is.False);
        rig.Clock.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That((await reading.InTime()).IsCanceled, Is.True);
        Assert.That(far.IsReadOverdue, Is.True);
        far.ReadDeadline = Heartbeat.Unbounded;
        var next = far.Input.ReadAsync().AsTask();
        rig.Clock.Advance(TimeSpan.FromHours(1));
        Assert.That(next.IsCompleted || far.IsReadOverdue, Is.False);
        await near.WriteAsync(ConnectionBytes.Some(7));
        Assert.That((await next.InTime()).Buffer.Length, Is.EqualTo(7));
    }

    [Test]
    public async Task A_deadline_of_a_connection_that_is_gone_passes_unnoticed()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        near.ReadDeadline = rig.Transport.Heartbeat.Now + rig.Seconds(1);
        near.Close();
        var (_, other) = await rig.ConnectAsync();
        var reading = other.Input.ReadAsync().AsTask();

        rig.Clock.Advance(TimeSpan.FromSeconds(5));

        Assert.That(reading.IsCompleted, Is.False);
        Assert.That((await far.Input.ReadAsync().InTime()).IsCanceled, Is.False);
    }

    [Test]
    public async Task What_was_examined_is_not_offered_again_before_there_is_more()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        await near.WriteAsync(ConnectionBytes.Some(100));
        await far.TakeAsync(90);
        var read = await far.Input.ReadAsync().InTime();
        Assert.That(read.Buffer.Length, Is.EqualTo(10));
        far.Input.AdvanceTo(read.Buffer.GetPosition(3), read.Buffer.End);

        Assert.That(far.Input.TryRead(out _), Is.False);
        var reading = far.Input.ReadAsync().AsTask();
        Assert.That(reading.IsCompleted, Is.False);
        await near.WriteAsync(ConnectionBytes.Some(5, seed: 2));
        var more = await reading.InTime();
        var expected = ConnectionBytes.Some(100)[93..].Concat(ConnectionBytes.Some(5, seed: 2));
        Assert.That(more.Buffer.ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public async Task What_was_not_examined_is_offered_at_once()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(50);
        await near.WriteAsync(bytes);

        var read = await far.Input.ReadAsync().InTime();
        far.Input.AdvanceTo(read.Buffer.GetPosition(20));
        Assert.That(far.Input.TryRead(out var again), Is.True);
        Assert.That(again.Buffer.ToArray(), Is.EqualTo(bytes[20..]));
        far.Input.AdvanceTo(again.Buffer.Start, again.Buffer.GetPosition(29));
        var reading = far.Input.ReadAsync();
        Assert.That(reading.IsCompleted, Is.True);
        Assert.That((await reading).Buffer.ToArray(), Is.EqualTo(bytes[20..]));
    }

    [Test]
    public async Task Bytes_behind_a_message_stay_for_the_next_one_wherever_the_borders_are()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(5_000);
        await near.WriteAsync(bytes);

        var at = 0;
        foreach (var length in (int[])[1, 62, 1, 64, 128, 127, 1, 1, 4_000, 615])
        {
            Assert.That(await far.TakeAsync(length), Is.EqualTo(bytes[at..(at + length)]));
            at += length;
        }

        Assert.That(at, Is.EqualTo(bytes.Length));
        Assert.That(far.Input.TryRead(out _), Is.False);
    }

    [Test]
    public async Task Reread_offers_again_what_was_not_consumed()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(50);
        await near.WriteAsync(bytes);
        await far.TakeAsync(10);

        var read = await far.Input.ReadAsync().InTime();
        far.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        Assert.That(far.Input.TryRead(out _), Is.False);
        far.Reread();
        Assert.That(far.Input.TryRead(out var again), Is.True);
        Assert.That(again.Buffer.ToArray(), Is.EqualTo(bytes[10..]));

        far.Input.AdvanceTo(again.Buffer.End);
        far.Reread();
        Assert.That(far.Input.TryRead(out _), Is.False);
    }

    [Test]
    public async Task A_trickle_of_bytes_does_not_cost_a_block_each()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        for (var count = 1; count <= 500; count++)
        {
            await near.WriteAsync([(byte)count]);
            var read = await far.Input.ReadAsync().InTime();
            Assert.That(read.Buffer.Length, Is.EqualTo(count));
            far.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }

        Assert.That(rig.Transport.Blocks.Rented, Is.LessThanOrEqualTo(500 / 64 + 3));
        far.Reread();
        Assert.That((await far.TakeAsync(500))[499], Is.EqualTo(unchecked((byte)500)));
    }

    [Test]
    public async Task An_idle_connection_waits_without_a_block()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        near.IsIdle = far.IsIdle = true;

        var reading = far.Input.ReadAsync().AsTask();
        near.Watch(new CountingWatcher());
        Assert.That(rig.Transport.Blocks.Rented, Is.Zero);
        await near.WriteAsync(ConnectionBytes.Some(10));
        Assert.That((await reading.InTime()).Buffer.Length, Is.EqualTo(10));
    }

    [Test]
    public async Task Release_returns_every_block_also_with_operations_pending()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        await near.WriteAsync(ConnectionBytes.Some(1_000));
        var read = await far.Input.ReadAsync().InTime();
        far.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        far.Output.Write(ConnectionBytes.Some(1_000));      // never flushed

        var reading = near.Input.ReadAsync().AsTask();
        near.Output.Write(ConnectionBytes.Some(500));
        var (sending, _) = near.FillUp(ConnectionBytes.Some(64 * 1024));
        Assert.That(rig.Transport.Blocks.Rented, Is.GreaterThanOrEqualTo(2));

        near.Abort(CloseReason.Aborted);
        far.Abort(CloseReason.Aborted);
        foreach (var connection in (Connection[])[near, far])
        {
            await connection.Output.CompleteAsync();
            await connection.Input.CompleteAsync();
        }

        await reading.InTime();
        await sending.InTime();
        await Eventually.HoldsAsync(() => rig.Transport.Blocks.Rented == 0, () => "all blocks are back");
        Assert.That((await near.Input.ReadAsync().InTime()).IsCompleted, Is.True);
    }
}
