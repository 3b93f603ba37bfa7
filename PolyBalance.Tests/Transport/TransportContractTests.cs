using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>What every transport does: moving bytes, and how connections end.</summary>
[TestFixtureSource(typeof(TransportCase), nameof(TransportCase.All))]
internal sealed class TransportContractTests(TransportCase transport)
{
    [Test]
    public async Task Bytes_come_back_as_they_were_sent()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(10_000);

        await near.WriteAsync(bytes);
        var there = await far.TakeAsync(bytes.Length);
        await far.WriteAsync(there);
        var back = await near.TakeAsync(bytes.Length);

        Assert.That(back, Is.EqualTo(bytes));
        Assert.That(near.BytesSent, Is.EqualTo(bytes.Length));
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.None));
        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.None));
    }

    [Test]
    public async Task Much_in_both_directions_at_once_arrives_whole()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        var sent = new[] { SendMuchAsync(near, 1), SendMuchAsync(far, 2) };
        var received = new[] { HashAllAsync(far), HashAllAsync(near) };

        var hashes = await Task.WhenAll(received).InTime();
        Assert.That(hashes, Is.EqualTo(await Task.WhenAll(sent).InTime()));
        Assert.That(hashes[0], Is.Not.EqualTo(hashes[1]));
    }

    [Test]
    public async Task After_a_half_close_the_other_direction_goes_on()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var question = ConnectionBytes.Some(300);
        var answer = ConnectionBytes.Some(3_000, seed: 2);

        await near.WriteAsync(question);
        near.ShutdownOutput();
        Assert.That(await far.TakeAllAsync(), Is.EqualTo(question));
        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.None));

        await far.WriteAsync(answer);
        far.Close();
        Assert.That(await near.TakeAllAsync(), Is.EqualTo(answer));
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
    }

    [Test]
    public async Task Nothing_can_be_sent_after_a_half_close()
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();

        near.ShutdownOutput();
        var flush = await near.WriteAsync(ConnectionBytes.Some(10));

        Assert.That(flush.IsCompleted, Is.True);
        Assert.That(near.BytesSent, Is.Zero);
    }

    [Test]
    public async Task What_was_flushed_before_a_close_arrives()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var bytes = ConnectionBytes.Some(20_000);

        await near.WriteAsync(bytes);
        near.Close();

        Assert.That(await far.TakeAllAsync(), Is.EqualTo(bytes));
        Assert.That(far.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.Closed));
    }

    [Test]
    public async Task An_abort_is_a_visible_reset()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var reading = far.Input.ReadAsync().InTime();

        near.Abort(CloseReason.Aborted);
        var read = await reading;

        Assert.That(read.IsCompleted, Is.True);
        Assert.That(far.CloseReason, Is.EqualTo(transport.HasReset ? CloseReason.PeerReset : CloseReason.PeerClosed));
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.Aborted));
    }

    [Test]
    public async Task The_first_reason_wins()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        near.Abort(CloseReason.ShutDown);
        near.Abort(CloseReason.Aborted);
        near.Close();
        await far.TakeAllAsync();
        var seen = far.CloseReason;
        far.Close();

        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.ShutDown));
        Assert.That(far.CloseReason, Is.EqualTo(seen));
        Assert.That(seen, Is.Not.EqualTo(CloseReason.None));
    }

    [Test]
    public async Task The_end_is_told_again_to_whoever_reads_again()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();

        near.Close();
        for (var again = 0; again < 3; again++)
        {
            var read = await far.Input.ReadAsync().InTime();
            Assert.That((read.IsCompleted, read.Buffer.Length), Is.EqualTo((true, 0L)));
            far.Input.AdvanceTo(read.Buffer.End);
        }

        Assert.That(far.Input.TryRead(out var last) && last.IsCompleted, Is.True);
    }

    [Test]
    public async Task After_our_own_abort_everything_ends_at_once_and_nothing_throws([Values] bool idle)
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();
        near.IsIdle = idle;
        near.Abort(CloseReason.Aborted);

        var read = await near.Input.ReadAsync().InTime();
        var flush = await near.WriteAsync(ConnectionBytes.Some(10));
        near.ShutdownOutput();
        near.Wake();
        near.Close();

        Assert.That(read.IsCompleted, Is.True);
        Assert.That(flush.IsCompleted, Is.True);
        Assert.That(near.HasUnreportedInput(), Is.True);
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.Aborted));
    }

    [Test]
    public async Task Our_own_abort_ends_a_pending_read_and_a_pending_flush([Values] bool idle)
    {
        await using var rig = new TransportRig(transport);
        var (near, _) = await rig.ConnectAsync();
        near.IsIdle = idle;
        var reading = near.Input.ReadAsync().AsTask();
        var (sending, _) = near.FillUp(ConnectionBytes.Some(64 * 1024));
        Assert.That(reading.IsCompleted, Is.False);

        near.Abort(CloseReason.Aborted);

        Assert.That((await reading.InTime()).IsCompleted, Is.True);
        Assert.That((await sending.InTime()).IsCompleted, Is.True);
        Assert.That(near.CloseReason, Is.EqualTo(CloseReason.Aborted));
    }

    [Test]
    public async Task Reading_goes_on_after_a_send_has_failed()
    {
        await using var rig = new TransportRig(transport);
        var (near, far) = await rig.ConnectAsync();
        var answer = ConnectionBytes.Some(1_000);
        await far.WriteAsync(answer);
        far.Close();

        // The first sends to a peer that is gone may still look like a success.
        await SendUntilItFailsAsync(near).InTime();

        Assert.That((await near.WriteAsync(ConnectionBytes.Some(10))).IsCompleted, Is.True);
        Assert.That(await near.TakeAllAsync(), Is.EqualTo(answer));
    }

    private static async Task SendUntilItFailsAsync(Connection connection)
    {
        var flush = default(FlushResult);
        while (!flush.IsCompleted)
        {
            flush = await connection.WriteAsync(ConnectionBytes.Some(10));
            await Task.Yield();
        }
    }

    private static async Task<string> SendMuchAsync(Connection connection, int seed)
    {
        const int Total = 3 * 1024 * 1024;
        var random = new Random(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var sent = 0; sent < Total;)
        {
            var bytes = new byte[Math.Min(Total - sent, random.Next(1, 200_000))];
            random.NextBytes(bytes);
            hash.AppendData(bytes);
            sent += bytes.Length;
            if (random.Next(2) == 0)
                connection.Output.Write(bytes);
            else
                connection.Attach(bytes);
            Assert.That((await connection.Output.FlushAsync().InTime()).IsCompleted, Is.False);
        }

        connection.ShutdownOutput();
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<string> HashAllAsync(Connection connection)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (true)
        {
            var read = await connection.Input.ReadAsync().InTime();
            foreach (var memory in read.Buffer)
                hash.AppendData(memory.Span);
            connection.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                break;
        }

        Assert.That(connection.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
