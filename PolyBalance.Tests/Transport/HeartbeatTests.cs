using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

internal sealed class HeartbeatTests
{
    private ManualClock _clock = null!;
    private Heartbeat _heartbeat = null!;

    [SetUp]
    public void Begin()
    {
        _clock = new();
        _heartbeat = new(_clock);
    }

    [TearDown]
    public void Stop() => _heartbeat.Dispose();

    [Test]
    public void A_deadline_fires_once_at_most_one_tick_late_and_never_early()
    {
        for (var milliseconds = 1; milliseconds <= 300; milliseconds += 7)
        {
            var owner = new Owner();
            var slot = _heartbeat.Register(owner);
            var started = _clock.Elapsed;
            slot.Read = _heartbeat.Now + _heartbeat.Ticks(TimeSpan.FromMilliseconds(milliseconds));

            while (owner.Reads == 0)
                _clock.Advance(TimeSpan.FromMilliseconds(1));
            var late = (_clock.Elapsed - started).TotalMilliseconds - milliseconds;
            _clock.Advance(TimeSpan.FromSeconds(1));

            Assert.That(late, Is.InRange(0, Heartbeat.Period.TotalMilliseconds), $"after {milliseconds} ms");
            Assert.That((owner.Reads, owner.Writes), Is.EqualTo((1, 0)));
            Assert.That(slot.Read, Is.EqualTo(Heartbeat.Never));
            _heartbeat.Release(slot);
        }
    }

    [Test]
    public void Reading_and_writing_have_deadlines_of_their_own()
    {
        var owner = new Owner();
        var slot = _heartbeat.Register(owner);
        slot.Read = _heartbeat.Now + _heartbeat.Ticks(TimeSpan.FromSeconds(2));
        slot.Write = _heartbeat.Now + _heartbeat.Ticks(TimeSpan.FromSeconds(1));

        _clock.Advance(TimeSpan.FromSeconds(1.5));
        Assert.That((owner.Reads, owner.Writes), Is.EqualTo((0, 1)));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((owner.Reads, owner.Writes), Is.EqualTo((1, 1)));
    }

    [Test]
    public void A_deadline_that_is_moved_or_taken_away_in_time_does_not_fire()
    {
        var owner = new Owner();
        var slot = _heartbeat.Register(owner);
        slot.Read = _heartbeat.Now + _heartbeat.Ticks(TimeSpan.FromSeconds(1));
        slot.Write = slot.Read;

        _clock.Advance(TimeSpan.FromSeconds(0.9));
        slot.Read = _heartbeat.Now + _heartbeat.Ticks(TimeSpan.FromSeconds(10));
        slot.Write = Heartbeat.Unbounded;
        _clock.Advance(TimeSpan.FromSeconds(9));

        Assert.That((owner.Reads, owner.Writes), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Who_was_released_is_left_alone_and_the_place_is_used_again()
    {
        var gone = new Owner();
        var slot = _heartbeat.Register(gone);
        _heartbeat.Release(slot);
        slot.Read = _heartbeat.Now;
        var next = new Owner();
        var reused = _heartbeat.Register(next);
        reused.Read = _heartbeat.Now;

        _clock.Advance(Heartbeat.Period);

        Assert.That((gone.Reads, next.Reads), Is.EqualTo((0, 1)));
        Assert.That(reused.Index, Is.EqualTo(slot.Index));
    }

    [Test]
    public void Thousands_of_owners_are_all_told()
    {
        var owners = new Owner[5_000];
        for (var index = 0; index < owners.Length; index++)
        {
            owners[index] = new();
            _heartbeat.Register(owners[index]).Read = _heartbeat.Now + index;
        }

        _clock.Advance(Heartbeat.Period);

        Assert.That(Array.TrueForAll(owners, owner => owner is { Reads: 1, Writes: 0 }), Is.True);
    }

    [Test]
    public void What_is_to_happen_every_second_happens_every_second()
    {
        var times = new List<double>();
        _heartbeat.Every(TimeSpan.FromSeconds(1), () => times.Add(_clock.Elapsed.TotalSeconds));

        _clock.Advance(TimeSpan.FromSeconds(3.5));

        Assert.That(times, Is.EqualTo(new[] { 1.0, 2.0, 3.0 }).Within(0.05));
    }

    [Test]
    public async Task The_next_tick_can_be_awaited()
    {
        var tick = _heartbeat.NextTickAsync();
        Assert.That(_heartbeat.NextTickAsync(), Is.SameAs(tick));
        Assert.That(tick.IsCompleted, Is.False);

        _clock.Advance(Heartbeat.Period);
        await tick.InTime();

        Assert.That(_heartbeat.NextTickAsync().IsCompleted, Is.False);
    }

    [Test]
    public void A_tick_that_fails_does_not_stop_the_heart()
    {
        var calls = 0;
        _heartbeat.Every(TimeSpan.FromSeconds(1), () => throw new InvalidOperationException($"call {++calls}"));

        Assert.Throws<InvalidOperationException>(() => _clock.Advance(TimeSpan.FromSeconds(1.01)));
        Assert.Throws<InvalidOperationException>(() => _clock.Advance(TimeSpan.FromSeconds(1.01)));

        Assert.That(calls, Is.EqualTo(2));
    }

    [Test]
    public void Moments_are_told_in_the_time_of_the_wall()
    {
        _clock.Advance(TimeSpan.FromSeconds(100));
        var moment = _heartbeat.Now;
        var expected = _clock.GetUtcNow();
        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.That(_heartbeat.UtcAt(moment), Is.EqualTo(expected).Within(TimeSpan.FromMilliseconds(1)));
        Assert.That(_heartbeat.UtcNow, Is.EqualTo(expected + TimeSpan.FromSeconds(10)));
        Assert.That(_heartbeat.Span(_heartbeat.Ticks(TimeSpan.FromSeconds(7))), Is.EqualTo(TimeSpan.FromSeconds(7)));
    }

    [Test]
    public async Task Owners_that_come_and_go_while_it_ticks_are_told_exactly_once()
    {
        const int PerThread = 5_000;
        var isOver = 0;
        var ticking = Task.Run(() =>
        {
            while (Volatile.Read(ref isOver) == 0)
                _heartbeat.Tick();
        });
        var flows = new Task<int>[4];
        for (var flow = 0; flow < flows.Length; flow++)
        {
            flows[flow] = Task.Run(() =>
            {
                var wrong = 0;
                for (var round = 0; round < PerThread; round++)
                {
                    var owner = new Owner();
                    var slot = _heartbeat.Register(owner);
                    slot.Read = _heartbeat.Now;
                    if (round % 16 == 0)
                        SpinWait.SpinUntil(() => owner.Reads > 0);
                    _heartbeat.Release(slot);
                    wrong += owner.Reads > 1 || owner.Writes > 0 ? 1 : 0;
                }

                return wrong;
            });
        }

        var wrongs = await Task.WhenAll(flows).InTime();
        Volatile.Write(ref isOver, 1);
        await ticking.InTime();
        Assert.That(wrongs, Is.All.Zero);
    }

    private sealed class Owner : IDeadlineOwner
    {
        private int _reads;
        private int _writes;

        public int Reads => Volatile.Read(ref _reads);

        public int Writes => Volatile.Read(ref _writes);

        public void OnDeadline(DeadlineKind kind)
            => Interlocked.Increment(ref kind == DeadlineKind.Read ? ref _reads : ref _writes);
    }
}
