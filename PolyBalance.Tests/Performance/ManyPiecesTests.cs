using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Transport;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// One flush of many pieces over a socket: both transports send eight per call, so it is several calls. The runtime
/// would allocate for more, and a ring pins no more at a time.
/// </summary>
[TestFixture("sockets")]
[TestFixture("io_uring")]
internal sealed class ManyPiecesTests(string transport)
{
    private ITransport _transport = null!;
    private Socket _peer = null!;
    private Connection _connection = null!;

    [SetUp]
    public async Task Start()
    {
        _transport = TransportCase.Named(transport).Make(TimeProvider.System);
        var listener = _transport.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        // With a small buffer of its own the peer makes a sender wait, which by itself could hold some megabytes.
        _peer = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024 };
        await _peer.ConnectAsync(listener.LocalEndPoint);
        _connection = (await listener.AcceptAsync())!;
        await listener.DisposeAsync();
    }

    [TearDown]
    public async Task Stop()
    {
        _connection.Abort(CloseReason.Aborted);
        _peer.Dispose();
        await _transport.DisposeAsync();
    }

    [TestCase(2)]
    [TestCase(8)]
    [TestCase(9)]
    [TestCase(4_000, Description = "far more than the peer takes at once")]
    public async Task All_pieces_arrive_in_their_order(int count)
    {
        var content = new byte[count * 4_000];
        new Random(count).NextBytes(content);
        var received = new byte[content.Length];
        var reading = Task.Run(() => ReceiveAll(_peer, received));

        for (var piece = 0; piece < count; piece++)
            _connection.Attach(content.AsMemory(piece * 4_000, 4_000));
        var flushed = await _connection.Output.FlushAsync();
        await reading;

        Assert.That(flushed.IsCompleted, Is.False);
        Assert.That(_connection.BytesSent, Is.EqualTo(content.Length));
        Assert.That(received.AsSpan().SequenceEqual(content));
    }

    [Test]
    public async Task A_peer_that_goes_in_between_is_a_failed_send_and_what_it_took_is_counted()
    {
        const int Length = 10_000 * 4_000;
        var content = new byte[4_000];
        for (var piece = 0; piece < 10_000; piece++)
            _connection.Attach(content);

        var flushing = _connection.Output.FlushAsync();
        Assert.That(flushing.IsCompleted, Is.False, "more than fits on the way");
        _peer.LingerState = new(enable: true, seconds: 0);
        _peer.Dispose();

        Assert.That((await flushing).IsCompleted, Is.True);
        Assert.That(_connection.BytesSent, Is.Positive.And.LessThan(Length));
    }

    [Test]
    public void Twenty_pieces_allocate_nothing()
    {
        var piece = new byte[10];
        Send(rounds: 50, piece);

        // Something may happen once, such as a better compilation of a method; what every flush does, each part shows.
        var least = long.MaxValue;
        for (var part = 0; part < 4; part++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Send(rounds: 50, piece);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(least, Is.Zero);
    }

    private static void ReceiveAll(Socket peer, byte[] into)
    {
        for (var filled = 0; filled < into.Length;)
            filled += peer.Receive(into.AsSpan(filled));
    }

    // Few bytes in all: they fit on the way, so no flush waits and everything happens on this thread.
    private void Send(int rounds, byte[] piece)
    {
        for (var round = 0; round < rounds; round++)
        {
            for (var count = 0; count < 20; count++)
                _connection.Attach(piece);
            var flushing = _connection.Output.FlushAsync();
            if (!flushing.IsCompleted || flushing.GetAwaiter().GetResult().IsCompleted)
                throw new InvalidOperationException("a small flush waits, or fails");
        }
    }
}
