using System.Buffers;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>What every transport does: noticing what arrives while nobody reads.</summary>
[TestFixtureSource(typeof(TransportCase), nameof(TransportCase.All))]
internal sealed class TransportWatchTests(TransportCase transport)
{
    [Test]
    public async Task Bytes_are_reported_once_and_can_be_read_afterwards([Values] bool idle)
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        near.IsIdle = idle;
        near.Watch(watcher);
        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((0, 0)));

        await far.WriteAsync(ConnectionBytes.Some(20));
        await Eventually.HoldsAsync(() => watcher.Bytes > 0, () => "bytes are reported");
        await far.WriteAsync(ConnectionBytes.Some(20, seed: 2));

        Assert.That(
            await near.TakeAsync(40), Is.EqualTo([.. ConnectionBytes.Some(20), .. ConnectionBytes.Some(20, seed: 2)]));
        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task The_end_is_reported([Values] bool idle)
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        near.IsIdle = idle;
        near.Watch(watcher);

        far.Close();
        await Eventually.HoldsAsync(() => watcher.Ends > 0, () => "the end is reported");

        Assert.That((await near.Input.ReadAsync().InTime()).IsCompleted, Is.True);
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task A_reset_is_reported_as_an_end([Values] bool idle)
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        near.IsIdle = idle;
        near.Watch(watcher);

        far.Abort(CloseReason.Aborted);
        await Eventually.HoldsAsync(() => watcher.Ends > 0, () => "the end is reported");
        await near.TakeAllAsync();

        Assert.That(near.CloseReason, Is.EqualTo(transport.HasReset ? CloseReason.PeerReset : CloseReason.PeerClosed));
        Assert.That(watcher.Bytes, Is.Zero);
    }

    [Test]
    public async Task Our_own_abort_ends_the_watch()
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        near.Watch(watcher);

        near.Abort(CloseReason.Aborted);

        await Eventually.HoldsAsync(() => watcher.Ends > 0, () => "the end is reported");
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.Aborted));
    }

    [Test]
    public async Task What_arrived_before_the_watch_began_is_reported_too()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        await far.WriteAsync(ConnectionBytes.Some(20));
        await Eventually.HoldsAsync(near.HasUnreportedInput, () => "bytes arrive");

        var watcher = new CountingWatcher();
        near.Watch(watcher);

        await Eventually.HoldsAsync(() => watcher.Bytes > 0, () => "bytes are reported");
        Assert.That(await near.TakeAsync(20), Is.EqualTo(ConnectionBytes.Some(20)));
    }

    [Test]
    public async Task What_a_woken_read_left_pending_is_reported()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var reading = near.Input.ReadAsync().AsTask();
        near.Wake();
        await reading.InTime();

        var watcher = new CountingWatcher();
        near.Watch(watcher);
        await far.WriteAsync(ConnectionBytes.Some(20));

        await Eventually.HoldsAsync(() => watcher.Bytes > 0, () => "bytes are reported");
        Assert.That(await near.TakeAsync(20), Is.EqualTo(ConnectionBytes.Some(20)));
    }

    [Test]
    public async Task The_end_of_a_connection_whose_end_was_read_is_reported_at_once()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        far.Close();
        await near.TakeAllAsync();

        var watcher = new CountingWatcher();
        near.Watch(watcher);

        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((0, 1)));
    }

    [Test]
    public async Task A_watch_behind_unread_bytes_reports_what_comes_after_them()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(30);
        await far.WriteAsync(bytes);
        await near.TakeAsync(10);
        await Eventually.HoldsAsync(
            () => near.Input.TryRead(out var left) && left.Buffer.Length == 20, () => "20 bytes are left");

        var watcher = new CountingWatcher();
        near.Watch(watcher);
        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((0, 0)));
        far.Close();
        await Eventually.HoldsAsync(() => watcher.Ends > 0, () => "the end is reported");

        Assert.That(await near.TakeAllAsync(), Is.EqualTo(bytes[10..]));
    }

    [Test]
    public async Task Nothing_is_reported_after_the_watch_has_ended()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        near.Watch(watcher);
        near.Unwatch();

        await far.WriteAsync(ConnectionBytes.Some(20));
        Assert.That(await near.TakeAsync(20), Is.EqualTo(ConnectionBytes.Some(20)));
        far.Close();
        await near.TakeAllAsync();

        Assert.That((watcher.Bytes, watcher.Ends), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task Reads_work_as_ever_while_a_connection_is_watched()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var watcher = new CountingWatcher();
        near.Watch(watcher);

        for (var round = 0; round < 100; round++)
        {
            var reading = near.TakeAsync(300);
            await far.WriteAsync(ConnectionBytes.Some(300, round));
            Assert.That(await reading, Is.EqualTo(ConnectionBytes.Some(300, round)));
        }

        Assert.That(watcher.Ends, Is.Zero);
    }

    [Test]
    public async Task Unreported_input_is_noticed_without_reading()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        Assert.That(near.HasUnreportedInput(), Is.False);

        await far.WriteAsync(ConnectionBytes.Some(20));
        await Eventually.HoldsAsync(near.HasUnreportedInput, () => "bytes arrive");
        await near.TakeAsync(20);
        Assert.That(near.HasUnreportedInput(), Is.False);

        far.Close();
        await Eventually.HoldsAsync(near.HasUnreportedInput, () => "the end arrives");
        Assert.That((await near.Input.ReadAsync().InTime()).IsCompleted, Is.True);
    }
}
