using System.IO.Pipelines;
using System.Net;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>Content that passes from one connection to another inside the kernel.</summary>
/// <remarks>A relay belongs to a loop, so the middle of each test runs on its thread.</remarks>
[Inline]
internal sealed class RingRelayTests
{
    private RingTransport _transport = null!;
    private IConnectionListener _listener = null!;
    private Connection _client = null!;     // far end of the sink
    private Connection _sink = null!;
    private Connection _source = null!;
    private Connection _backend = null!;    // far end of the source

    [SetUp]
    public async Task Start()
    {
        _transport = RingOrNone.Start(TimeProvider.System, loops: 1, files: new(4_096));
        _listener = _transport.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        (_client, _sink) = await ConnectAsync();
        (_backend, _source) = await ConnectAsync();
    }

    [TearDown]
    public async Task End()
    {
        foreach (var connection in (Connection[])[_client, _sink, _source, _backend])
        {
            connection.Abort(CloseReason.Aborted);
            await connection.Input.CompleteAsync();
            await connection.Output.CompleteAsync();
        }

        await _listener.DisposeAsync();
        await _transport.DisposeAsync();
        await Eventually.HoldsAsync(
            () => _transport.Blocks.Rented == 0, () => $"{_transport.Blocks.Rented} blocks come back");
    }

    [Test]
    public async Task Content_arrives_as_it_was_sent_and_no_more_than_is_wanted()
    {
        var content = ConnectionBytes.Some(3_000_000);
        var behind = ConnectionBytes.Some(50, seed: 2);
        var sending = SendAsync(_backend, [.. content, .. behind]);
        var receiving = _client.TakeAsync(content.Length);

        var end = await PassAsync(content.Length).InTime();

        Assert.That(end, Is.Null);
        Assert.That(await receiving.InTime(), Is.EqualTo(content));
        Assert.That(await _source.TakeAsync(behind.Length), Is.EqualTo(behind));
        Assert.That(_sink.BytesSent, Is.EqualTo(content.Length));
        await sending.InTime();
    }

    [Test]
    public async Task A_sink_that_takes_nothing_stops_the_source_until_it_does()
    {
        const int Length = 32 * 1024 * 1024;
        var chunk = ConnectionBytes.Some(Length);
        var sending = SendAsync(_backend, chunk);
        var passing = PassAsync(Length);
        var before = -1L;
        var quiet = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                quiet = _backend.BytesSent == before ? quiet + 1 : 0;
                before = _backend.BytesSent;
                return quiet > 20;
            },
            () => "everything is full");
        Assert.That(sending.IsCompleted || passing.IsCompleted, Is.False);

        var received = await _client.TakeAsync(Length).InTime();

        Assert.That(received.AsSpan().SequenceEqual(chunk), Is.True);
        Assert.That(await passing.InTime(), Is.Null);
        await sending.InTime();
    }

    [Test]
    public async Task The_end_of_the_source_comes_after_what_it_has_sent()
    {
        var content = ConnectionBytes.Some(200_000);
        await SendAsync(_backend, content).InTime();
        _backend.Close();

        var end = await PassAsync(content.Length + 1).InTime();

        Assert.That(end, Is.EqualTo("source"));
        Assert.That(_source.CloseReason, Is.EqualTo(CloseReason.PeerClosed));
        Assert.That(await _client.TakeAsync(content.Length), Is.EqualTo(content));
    }

    [Test]
    public async Task A_sink_that_is_gone_ends_the_passing()
    {
        var sending = SendAsync(_backend, ConnectionBytes.Some(16 * 1024 * 1024));
        _client.Abort(CloseReason.Aborted);

        var end = await PassAsync(16 * 1024 * 1024).InTime();

        Assert.That(end, Is.EqualTo("sink"));
        _source.Abort(CloseReason.Aborted);
        Assert.That((await sending.InTime()).IsCompleted, Is.True);
    }

    [Test]
    public async Task A_wake_up_ends_the_wait_for_the_source_and_loses_nothing()
    {
        var passing = PassAsync(10);
        _source.Wake();
        Assert.That(await passing.InTime(), Is.EqualTo("woken"));

        // The receive that the woken wait has left pending ends the usual way.
        await SendAsync(_backend, ConnectionBytes.Some(10)).InTime();
        Assert.That(await _source.TakeAsync(10), Is.EqualTo(ConnectionBytes.Some(10)));
    }

    [Test]
    public async Task A_pipe_counts_as_two_files_and_there_is_none_while_files_are_short()
    {
        var files = _transport.Files;
        var before = files.Open;
        var others = files.ClientsMax - before - RingRelay.Files;
        files.Add(others);
        var (opened, refused) = await _transport.Loops[0].RunAsync(() =>
        {
            var first = _source.TryOpenRelay(_sink)!;
            var open = files.Open - others - before;
            var second = _sink.TryOpenRelay(_source);
            first.Close();
            return Task.FromResult((open, second is null));
        });
        files.Return(others);
        Assert.That((opened, refused), Is.EqualTo((RingRelay.Files, true)));

        // Kept for reuse it still counts; the loop closes it at its end.
        Assert.That(files.Open, Is.EqualTo(before + RingRelay.Files));
        await End();
        Assert.That(files.Open, Is.EqualTo(before + RingRelay.Files - 4 - 1 - RingRelay.Files));
        await Start();
    }

    [Test]
    public async Task Pipes_are_used_again_but_never_with_what_was_left_in_them()
    {
        await SendAsync(_backend, ConnectionBytes.Some(1_000, seed: 3)).InTime();
        var left = await _transport.Loops[0].RunAsync(async () =>
        {
            var relay = _source.TryOpenRelay(_sink)!;
            relay.Wanted = 1_000;
            await _source.Input.ReadAsync();
            relay.Close();
            return relay.Held;
        });
        Assert.That(left, Is.Zero, "what was held is thrown away with its pipe");

        for (var round = 0; round < 50; round++)
        {
            var content = ConnectionBytes.Some(5_000, round);
            await SendAsync(_backend, content).InTime();
            Assert.That(await PassAsync(content.Length).InTime(), Is.Null);
            Assert.That(await _client.TakeAsync(content.Length), Is.EqualTo(content));
        }
    }

    [Test]
    public async Task A_loop_opens_no_more_relays_than_it_may_and_again_when_some_are_closed()
    {
        var (opened, beyond, again) = await _transport.Loops[0].RunAsync(() =>
        {
            var relays = new List<Relay>();
            while (relays.Count <= Limits.RelaysMax && _source.TryOpenRelay(_sink) is { } relay)
                relays.Add(relay);
            var isRefused = _source.TryOpenRelay(_sink) is null;
            relays.ForEach(relay => relay.Close());
            var last = _source.TryOpenRelay(_sink);
            last?.Close();
            return Task.FromResult((relays.Count, isRefused, last is not null));
        });

        Assert.That((opened, beyond, again), Is.EqualTo((Limits.RelaysMax, true, true)));
    }

    [Test]
    public async Task Connections_of_different_transports_offer_no_relay()
    {
        await using var other = new MemoryTransport(TimeProvider.System);
        await using var listener = other.Listen(new IPEndPoint(IPAddress.Loopback, 1));
        var accepting = listener.AcceptAsync();
        var near = (await other.ConnectAsync(listener.LocalEndPoint, other.Heartbeat.Ticks(TimeSpan.FromSeconds(5))))
            .Connection!;
        var far = (await accepting)!;

        var relays = await _transport.Loops[0].RunAsync(
            () => Task.FromResult((_source.TryOpenRelay(near), near.TryOpenRelay(_sink))));
        Assert.That(relays, Is.EqualTo((default(Relay), default(Relay))));
        near.Abort(CloseReason.Aborted);
        far.Abort(CloseReason.Aborted);
    }

    private static async Task<FlushResult> SendAsync(Connection connection, byte[] bytes)
    {
        connection.Attach(bytes);
        return await connection.Output.FlushAsync();
    }

    // As a pump does. Null: everything has passed; else what ended it.
    private Task<string?> PassAsync(long length) => _transport.Loops[0].RunAsync(() => PassHereAsync(length));

    private async Task<string?> PassHereAsync(long length)
    {
        var relay = _source.TryOpenRelay(_sink)!;
        try
        {
            relay.Wanted = length;
            while (length > 0)
            {
                var read = await _source.Input.ReadAsync();
                if (relay.Held is var held and > 0)
                {
                    if ((await _sink.SendAsync(relay)).IsCompleted)
                        return "sink";
                    length -= held;
                }
                else if (read.IsCompleted)
                    return "source";
                else if (read.IsCanceled)
                    return "woken";
            }

            return null;
        }
        finally
        {
            relay.Close();
        }
    }

    private async Task<(Connection Near, Connection Far)> ConnectAsync()
    {
        var accepting = _listener.AcceptAsync();
        var timeout = _transport.Heartbeat.Ticks(TimeSpan.FromSeconds(5));
        var near = (await _transport.ConnectAsync(_listener.LocalEndPoint, timeout).InTime()).Connection!;
        return (near, (await accepting.InTime())!);
    }
}
