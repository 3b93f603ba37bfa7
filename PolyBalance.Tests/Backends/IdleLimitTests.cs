using System.Text;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

internal sealed class IdleLimitTests
{
    private readonly ManualClock _clock = new();
    private Heartbeat _heartbeat = null!;
    private IdleLimit _limit = null!;

    [SetUp]
    public void Begin()
    {
        _heartbeat = new(_clock);
        _limit = new(_heartbeat);
    }

    [TearDown]
    public void End() => _heartbeat.Dispose();

    [Test]
    public void Nothing_is_known_at_first_and_only_what_cannot_be_sent_twice_is_careful()
    {
        Assert.That(_limit.Known, Is.Null);
        Assert.That(Trusts(3_999, mustBeSure: true), Is.True);
        Assert.That(Trusts(4_000, mustBeSure: true), Is.False);
        Assert.That(Trusts(3_600_000, mustBeSure: false), Is.True);
    }

    [TestCase(200, 154, 156)]
    [TestCase(2_000, 1_774, 1_776)]
    [TestCase(5_000, 4_474, 4_476)]
    [TestCase(20, -1, 0)]
    public void Two_closes_at_one_age_teach_a_limit_with_a_margin(int closed, int trusted, int untrusted)
    {
        Close(closed);
        Assert.That(_limit.Known, Is.Null, "one close may have any cause");

        Close(closed);
        Assert.That(_limit.Known?.TotalMilliseconds, Is.EqualTo(closed).Within(0.1));
        foreach (var mustBeSure in (bool[])[true, false])
        {
            if (trusted >= 0)
                Assert.That(Trusts(trusted, mustBeSure), Is.True);
            Assert.That(Trusts(untrusted, mustBeSure), Is.False);
        }
    }

    [Test]
    public void A_restart_closes_connections_of_any_age_and_teaches_nothing()
    {
        foreach (var age in (int[])[1, 3, 3, 30, 31, 500, 505, 2_000])
            Close(age, elapsed: 1);

        Assert.That(_limit.Known, Is.Null);
    }

    [Test]
    public void Closes_of_different_ages_at_different_times_teach_nothing()
    {
        foreach (var age in (int[])[50, 300, 700, 1_500, 4_000])
            Close(age);

        Assert.That(_limit.Known, Is.Null);
    }

    [Test]
    public void A_limit_that_the_backend_raises_is_learned_anew()
    {
        Close(200);
        Close(201);
        Close(5_000);
        Assert.That(_limit.Known?.TotalMilliseconds, Is.EqualTo(200).Within(0.1), "one exception is no rule");

        Close(5_001);
        Assert.That(_limit.Known?.TotalMilliseconds, Is.EqualTo(5_000).Within(0.1));
    }

    [Test]
    public void A_witness_that_outlives_the_limit_ends_it()
    {
        Close(1_000);
        Close(1_000);

        _limit.ObserveOpen(Ticks(2_900));
        Assert.That(_limit.Known, Is.Not.Null, "its close may be on its way");
        _limit.ObserveOpen(Ticks(3_100));

        Assert.That(_limit.Known, Is.Null);
        Assert.That(Trusts(3_000, mustBeSure: true), Is.True);
    }

    [TestCase("timeout=5", 5)]
    [TestCase("timeout=5, max=100", 5)]
    [TestCase("max=100 , Timeout=60", 60)]
    [TestCase("max=timeout=5", null)]
    [TestCase("timeout=", null)]
    [TestCase("timeout=-1", null)]
    [TestCase("timeout=5s", null)]
    [TestCase("timeout=99999999999999999999", null)]
    [TestCase("timeout=100000", null)]
    [TestCase("300", null)]
    [TestCase("", null)]
    public void A_promise_counts_at_once_and_anything_else_is_ignored(string value, int? seconds)
    {
        _limit.ObservePromise(Encoding.ASCII.GetBytes(value));

        Assert.That(_limit.Known?.TotalSeconds, Is.EqualTo(seconds));
    }

    [Test]
    public void The_earlier_of_promise_and_experience_counts()
    {
        _limit.ObservePromise("timeout=5"u8);
        Assert.That((Trusts(4_474, true), Trusts(4_476, false)), Is.EqualTo((true, false)));

        Close(1_000);
        Close(1_000);
        Assert.That(_limit.Known?.TotalSeconds, Is.EqualTo(1).Within(0.001));

        _limit.ObserveOpen(Ticks(3_100));
        Assert.That(_limit.Known?.TotalSeconds, Is.EqualTo(5));
    }

    [Test]
    public void A_backend_that_keeps_no_connection_open_gets_fresh_ones()
    {
        _limit.ObservePromise("timeout=0"u8);

        Assert.That(Trusts(0, mustBeSure: false), Is.False);
    }

    [Test]
    public void Trusting_allocates_nothing_and_neither_does_a_promise_that_is_repeated()
    {
        _limit.ObservePromise("timeout=5"u8);
        var trusted = _limit.Trusts(1, mustBeSure: true);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1_000; round++)
        {
            _limit.ObservePromise("timeout=5, max=1000"u8);
            trusted &= _limit.Trusts(round, mustBeSure: false);
        }

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(trusted, Is.True);
    }

    private bool Trusts(int milliseconds, bool mustBeSure) => _limit.Trusts(Ticks(milliseconds), mustBeSure);

    private long Ticks(int milliseconds) => _heartbeat.Ticks(TimeSpan.FromMilliseconds(milliseconds));

    private void Close(int age, int elapsed = 1_000)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(elapsed));
        _limit.ObserveClose(Ticks(age), _heartbeat.Now);
    }
}
