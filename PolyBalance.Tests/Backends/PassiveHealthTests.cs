using System.Text;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

internal sealed class PassiveHealthTests
{
    private readonly ManualClock _clock = new();
    private MemoryTransport _memory = null!;

    [SetUp]
    public void MakeTransport() => _memory = new(_clock);

    [TearDown]
    public ValueTask DisposeTransport() => _memory.DisposeAsync();

    // '+' an answer, '-' a failure of the backend, '4' an answer of 404, '5' one of 503, 'a' a client that left,
    // 's' a stale connection, 'r' a refusal of ours. Below each: '!' when the backend ought to be ejected from here on.
    [TestCase("----+", "     ", TestName = "four failures in a row are not five")]
    [TestCase("-----", "    !", TestName = "the fifth failure in a row is enough")]
    [TestCase("----+----", "         ", TestName = "one answer breaks the run")]
    [TestCase("--a-s-r-", "       !", TestName = "what says nothing neither breaks the run nor adds to it")]
    [TestCase("aaaaaaaaaa", "          ", TestName = "clients that leave never count")]
    [TestCase("4444444444", "          ", TestName = "answers of 4xx never count")]
    [TestCase("5555555555", "          ", TestName = "answers of 5xx do not count unless configured")]
    public void A_run_of_failures_marks_the_backend(string ends, string expected)
        => Assert.That(Marks(new(), ends), Is.EqualTo(expected));

    [TestCase("55555", "    !")]
    [TestCase("5-5-5", "    !")]
    [TestCase("5555+5555", "         ")]
    public void Configured_statuses_count_as_failures(string ends, string expected)
        => Assert.That(Marks(new() { Statuses = [new StatusRange(500, 599)] }, ends), Is.EqualTo(expected));

    [Test]
    public void A_run_does_not_outlast_the_rules_that_it_was_counted_by()
    {
        var passive = Make(new());
        for (var attempt = 0; attempt < 4; attempt++)
            passive.Observe(passive.Era, Outcome('-'));

        passive.Rules = null;
        passive.Observe(passive.Era, Outcome('+'));
        passive.Rules = new(new(), _memory.Heartbeat);

        Assert.That((passive.Observe(passive.Era, Outcome('-')), passive.Cause), Is.EqualTo((false, (string?)null)));
    }

    [Test]
    public void Without_rules_nothing_is_looked_at()
    {
        var passive = new PassiveHealth();

        for (var attempt = 0; attempt < 100; attempt++)
            Assert.That(passive.Observe(passive.Era, Outcome('-')), Is.False);
        Assert.That((passive.Cause, passive.ObserveShare(0, 100)), Is.EqualTo(((string?)null, false)));
    }

    [Test]
    public void The_mark_says_how_many_failed_and_how_the_last_did()
    {
        var passive = Make(new() { ConsecutiveFailures = 2 });
        passive.Observe(0, Outcome('-'));
        passive.Observe(0, new(FailureKind.ResponseTimedOut, Status: 0, ResponseTime: 0, Now: 0));

        Assert.That(passive.Cause, Is.EqualTo("2 attempts in a row failed, the last with response_timed_out"));
    }

    [Test]
    public void What_was_in_flight_when_the_stage_changed_says_nothing_of_the_next()
    {
        var passive = Make(new());
        var before = passive.Era;
        passive.Eject(0);
        passive.BeginTrials();

        Assert.That(passive.Observe(before, Outcome('-')), Is.False);
        Assert.That(passive.Observe(before, Outcome('+')), Is.False);
        Assert.That((passive.Cause, passive.HasPassed), Is.EqualTo(((string?)null, false)));
        Assert.That(passive.Observe(passive.Era, Outcome('+')), Is.True);
        Assert.That(passive.HasPassed, Is.True);
    }

    [TestCase(1, "+", true)]
    [TestCase(3, "++", false)]
    [TestCase(3, "+++", true)]
    [TestCase(3, "+a+s+", true)]
    [TestCase(1, "aaa", false)]
    public void Trials_that_go_well_are_counted_and_silent_ones_are_not(int trials, string ends, bool expected)
    {
        var passive = Make(new() { Trials = trials });
        passive.Eject(0);
        passive.BeginTrials();
        foreach (var end in ends)
            passive.Observe(passive.Era, Outcome(end));

        Assert.That(passive.HasPassed, Is.EqualTo(expected));
    }

    [Test]
    public void One_failed_trial_is_enough()
    {
        var passive = Make(new());
        passive.Eject(0);
        passive.BeginTrials();

        Assert.That(passive.Observe(passive.Era, Outcome('-')), Is.True);
        Assert.That(passive.Cause, Is.EqualTo("a trial failed with connect_refused"));
    }

    // Ten samples of so many attempts and failures, one a second.
    [TestCase(2, 1, true)]
    [TestCase(100, 50, true)]
    [TestCase(100, 49, false)]
    [TestCase(1, 1, false, TestName = "ten attempts are too few, whatever became of them")]
    public void Half_of_at_least_twenty_attempts_in_ten_seconds_mark_the_backend(
        int attempts, int failures, bool expected)
    {
        var passive = Make(new());
        var (ended, isMarked) = (0L, false);
        for (var second = 0; second <= 10; second++)
        {
            isMarked |= passive.ObserveShare(Ticks(second), ended);
            for (var attempt = 0; attempt < attempts; attempt++)
                passive.Observe(0, Outcome(attempt % 2 == 0 && attempt / 2 < failures ? '-' : '+'));
            ended += attempts;
        }

        Assert.That(isMarked, Is.EqualTo(expected));
    }

    [Test]
    public void A_backend_that_was_spared_is_left_in_peace_for_a_second_and_mentioned_once_a_minute()
    {
        var passive = Make(new() { ConsecutiveFailures = 1 });
        passive.Observe(0, Outcome('-'));
        Assert.That(passive.Spare(Ticks(10)), Is.True);

        Assert.That(passive.Observe(0, Outcome('-', Ticks(10.9))), Is.False);
        Assert.That(passive.Observe(0, Outcome('-', Ticks(11))), Is.True);
        Assert.That(passive.Spare(Ticks(11)), Is.False);
        Assert.That(passive.Spare(Ticks(70)), Is.True);
    }

    private PassiveHealth Make(EjectionOptions options) => new() { Rules = new(options, _memory.Heartbeat) };

    private long Ticks(double seconds) => _memory.Heartbeat.Ticks(TimeSpan.FromSeconds(seconds));

    private string Marks(EjectionOptions options, string ends)
    {
        var passive = Make(options);
        var marks = new StringBuilder();
        foreach (var end in ends)
        {
            passive.Observe(passive.Era, Outcome(end));
            marks.Append(passive.Cause is null ? ' ' : '!');
        }

        return marks.ToString();
    }

    private static AttemptOutcome Outcome(char end, long now = 0) => end switch
    {
        '+' => new(FailureKind.None, 200, 0, now),
        '4' => new(FailureKind.None, 404, 0, now),
        '5' => new(FailureKind.None, 503, 0, now),
        'a' => new(FailureKind.ClientClosed, 0, 0, now),
        's' => new(FailureKind.StaleConnection, 0, 0, now),
        'r' => new(FailureKind.PoolExhausted, 0, 0, now),
        _ => new(FailureKind.ConnectRefused, 0, 0, now),
    };
}
