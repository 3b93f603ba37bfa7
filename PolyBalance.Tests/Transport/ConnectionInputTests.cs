using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>
/// Races of the reading half, each one played exactly: the medium does on command what else only bad luck does.
/// </summary>
[Inline]
internal sealed class ConnectionInputTests
{
    private BlockPool _blocks = null!;
    private ScriptedMedium _medium = null!;

    [SetUp]
    public void Begin()
    {
        _blocks = new(smallBytes: 64, largeBytes: 256);
        _medium = new(_blocks);
    }

    [TearDown]
    public void Nothing_leaks()
    {
        _medium.Reader.Complete();
        if (_medium.IsReceiving)
            _medium.End(CloseReason.PeerReset);
        Assert.That(_blocks.Rented, Is.Zero);
    }

    [Test]
    public async Task A_receive_may_end_before_it_was_said_to_be_pending()
    {
        _medium.OnReceive = () => _medium.Deliver(10);

        var reading = _medium.Reader.ReadAsync();

        Assert.That(reading.IsCompleted, Is.True);
        Assert.That((await reading).Buffer.Length, Is.EqualTo(10));
    }

    [Test]
    public async Task A_wake_up_may_come_while_the_receive_begins()
    {
        _medium.OnReceive = _medium.Reader.CancelPendingRead;

        var woken = await _medium.Reader.ReadAsync().InTime();
        _medium.OnReceive = null;
        var reading = _medium.Reader.ReadAsync().AsTask();
        _medium.Deliver(10);

        Assert.That((woken.IsCanceled, woken.Buffer.IsEmpty), Is.EqualTo((true, true)));
        Assert.That((await reading.InTime()).Buffer.Length, Is.EqualTo(10));
        Assert.That(_medium.Receives, Is.EqualTo(1));
    }

    [Test]
    public async Task A_wake_up_and_bytes_may_come_while_the_receive_begins()
    {
        _medium.OnReceive = () =>
        {
            _medium.Reader.CancelPendingRead();
            _medium.Deliver(10);
        };

        var first = await _medium.Reader.ReadAsync().InTime();
        Assert.That(first.Buffer.Length, Is.EqualTo(10));
        _medium.Reader.AdvanceTo(first.Buffer.End);
        if (first.IsCanceled)
            return;

        Assert.That((await _medium.Reader.ReadAsync().InTime()).IsCanceled, Is.True);
    }

    [Test]
    public async Task Bytes_that_come_while_a_woken_read_leaves_are_not_lost()
    {
        var reading = _medium.Reader.ReadAsync().AsTask();
        _medium.Reader.CancelPendingRead();
        _medium.Deliver(10);

        var read = await reading.InTime();
        var length = read.Buffer.Length;
        _medium.Reader.AdvanceTo(read.Buffer.End);
        if (length == 0)
            length = (await _medium.Reader.ReadAsync().InTime()).Buffer.Length;

        Assert.That(read.IsCanceled, Is.True);
        Assert.That(length, Is.EqualTo(10));
    }

    [Test]
    public async Task A_wake_up_after_bytes_came_is_kept_for_the_next_read()
    {
        var reading = _medium.Reader.ReadAsync().AsTask();
        _medium.Deliver(10);
        _medium.Reader.CancelPendingRead();
        var read = await reading.InTime();
        _medium.Reader.AdvanceTo(read.Buffer.End);

        var next = read.IsCanceled ? read : await _medium.Reader.ReadAsync().InTime();

        Assert.That(next.IsCanceled, Is.True);
    }

    [Test]
    public void A_receive_that_ends_after_the_release_returns_its_block()
    {
        _ = _medium.Reader.ReadAsync().AsTask();
        _medium.Reader.CancelPendingRead();
        _medium.Reader.Complete();

        _medium.Deliver(10);

        Assert.That(_blocks.Rented, Is.Zero);
    }

    [Test]
    public void A_watched_receive_that_ends_after_the_release_returns_its_block()
    {
        var watcher = new CountingWatcher();
        _medium.Reader.Watch(watcher);
        _medium.Reader.Complete();

        _medium.Deliver(10);

        Assert.That(_blocks.Rented, Is.Zero);
        Assert.That(watcher.Bytes, Is.EqualTo(1));
    }

    [Test]
    public void A_watcher_may_release_what_it_is_told_of()
    {
        _medium.Reader.Watch(new ReleasingWatcher(_medium.Reader));

        _medium.Deliver(10);

        Assert.That(_blocks.Rented, Is.Zero);
    }

    // The pool may close an idle connection while its last user still puts it to rest.
    [Test]
    public void A_release_may_come_while_a_watch_begins([Values] bool atOnce)
    {
        _medium.EndsAtOnce = atOnce;
        _medium.OnReceive = () =>
        {
            _medium.Reader.Release();
            _medium.Deliver(10);
        };

        _medium.Reader.Watch(new CountingWatcher());

        Assert.That(_blocks.Rented, Is.Zero);
    }

    [Test]
    public void A_report_may_come_before_the_watch_has_begun_to_wait()
    {
        var watcher = new CountingWatcher();
        _medium.OnReceive = () => _medium.Deliver(10);

        _medium.Reader.Watch(watcher);

        Assert.That(watcher.Bytes, Is.GreaterThanOrEqualTo(1));
        Assert.That(_medium.Reader.HasOutcome, Is.True);
        Assert.That(_medium.Reader.TryRead(out var read) && read.Buffer.Length == 10, Is.True);
    }

    [Test]
    public async Task Nothing_is_received_ahead_of_what_was_asked_for()
    {
        var reading = _medium.Reader.ReadAsync().AsTask();
        _medium.Deliver(64);
        var read = await reading.InTime();
        _medium.Reader.AdvanceTo(read.Buffer.GetPosition(1));
        await _medium.Reader.ReadAsync().InTime();

        Assert.That(_medium.Receives, Is.EqualTo(1));
        Assert.That(_medium.Reader.TryRead(out _), Is.True);
    }

    [Test]
    public async Task A_full_block_asks_for_a_large_one_next_time()
    {
        foreach (var (bytes, expectsMuch) in ((int, bool)[])[(64, false), (256, true), (10, true), (64, false)])
        {
            var reading = _medium.Reader.ReadAsync().AsTask();
            Assert.That(_medium.WasLarge, Is.EqualTo(expectsMuch));
            _medium.Deliver(bytes);
            _medium.Reader.AdvanceTo((await reading.InTime()).Buffer.End);
        }
    }

    [Test]
    public async Task Threads_that_deliver_and_wake_lose_nothing()
    {
        const int Total = 30_000;
        var (received, wakes, isOver) = (0, 0, 0);
        var delivering = Task.Run(() =>
        {
            for (var sent = 0; Volatile.Read(ref isOver) == 0;)
            {
                if (_medium.IsReceiving)
                    _medium.Deliver(1, (byte)sent++);
                else
                    Thread.Yield();
            }
        });
        var waking = Task.Run(() =>
        {
            // One at a time: who is woken again and again gets nothing else done.
            for (var before = -1; Volatile.Read(ref isOver) == 0;)
            {
                if (Volatile.Read(ref wakes) == before)
                {
                    Thread.Yield();
                    continue;
                }

                before = wakes;
                _medium.Reader.CancelPendingRead();
            }
        });

        while (received < Total || wakes < 100)
        {
            var read = await _medium.Reader.ReadAsync();
            wakes += read.IsCanceled ? 1 : 0;
            foreach (var memory in read.Buffer)
            {
                foreach (var value in memory.Span)
                {
                    if (value != (byte)received++)
                        Assert.Fail($"byte {received - 1} is {value}");
                }
            }

            _medium.Reader.AdvanceTo(read.Buffer.End);
        }

        Volatile.Write(ref isOver, 1);
        await Task.WhenAll(delivering, waking).InTime();
        Assert.That(received, Is.GreaterThanOrEqualTo(Total));
    }

    private sealed class ReleasingWatcher(ConnectionInput input) : IConnectionWatcher
    {
        public void OnInput(bool ended) => input.Release();
    }

    /// <summary>A medium that receives what and when a test says.</summary>
    private sealed class ScriptedMedium : Connection, IReceiver
    {
        private readonly BlockPool _blocks;
        private int _isReceiving;
        private Received? _atOnce;

        public ScriptedMedium(BlockPool blocks)
        {
            _blocks = blocks;
            Reader = new(this, this, blocks);
        }

        public ConnectionInput Reader { get; }

        public override PipeReader Input => Reader;

        public Action? OnReceive { get; set; }

        public bool EndsAtOnce { get; set; }

        public bool IsReceiving => Volatile.Read(ref _isReceiving) == 1;

        public bool WasLarge { get; private set; }

        public int Receives { get; private set; }

        public override PipeWriter Output => throw new NotSupportedException();

        public override EndPoint? RemoteEndPoint => null;

        public override long ReadDeadline { get; set; }

        public override long BytesSent => 0;

        public void Deliver(int count, byte first = 0)
        {
            var block = WasLarge ? _blocks.RentLarge() : _blocks.RentSmall();
            for (var index = 0; index < count; index++)
                block.Array[index] = (byte)(first + index);
            block.Fill(count);
            Finish(new(block, CloseReason.None));
        }

        public void End(CloseReason reason) => Finish(new(null, reason));

        public bool TryReceive(bool large, bool idle, out Received received)
        {
            Receives++;
            WasLarge = large;
            Volatile.Write(ref _isReceiving, 1);
            OnReceive?.Invoke();
            received = _atOnce.GetValueOrDefault();
            return _atOnce is not null;
        }

        public override void Attach(in ReadOnlySequence<byte> content) => throw new NotSupportedException();

        public override void Attach(ReadOnlyMemory<byte> content) => throw new NotSupportedException();

        public override void Reread() => Reader.Reread();

        public override void Watch(IConnectionWatcher watcher) => Reader.Watch(watcher);

        public override void Unwatch() => Reader.Unwatch();

        public override bool HasUnreportedInput() => Reader.HasOutcome;

        public override void ShutdownOutput() => throw new NotSupportedException();

        protected override void Release(bool abortive)
        {
        }

        private void Finish(Received received)
        {
            Volatile.Write(ref _isReceiving, 0);
            if (EndsAtOnce)
                _atOnce = received;
            else
                Reader.OnReceived(received);
        }
    }
}
