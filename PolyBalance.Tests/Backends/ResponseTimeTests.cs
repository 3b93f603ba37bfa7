using NUnit.Framework;
using PolyBalance.Backends;

namespace PolyBalance.Tests.Backends;

internal sealed class ResponseTimeTests
{
    private const long Second = 10_000_000;
    private const long Millisecond = Second / 1_000;

    [Test]
    public void Nothing_is_known_before_the_first_answer()
    {
        var time = new ResponseTime(Second);
        Assert.That((time.IsKnown, time.EstimateAt(5 * Second)), Is.EqualTo((false, 0f)));

        time.Observe(new(FailureKind.ClientClosed, 0, 0, Second));
        Assert.That(time.IsKnown, Is.False, "a client that leaves says nothing of the backend");
    }

    [Test]
    public void A_peak_counts_at_once_and_falls_with_time_whether_or_not_anybody_asks()
    {
        var time = new ResponseTime(Second);
        Observe(time, 10, at: 0);
        Observe(time, 400, at: Millisecond);

        Assert.That(time.EstimateAt(Millisecond), Is.EqualTo(400).Within(0.1));
        Assert.That(time.EstimateAt(Millisecond + 10 * Second), Is.EqualTo(400 / Math.E).Within(0.1));
        Assert.That(time.EstimateAt(Millisecond + 100 * Second), Is.LessThan(0.1));
    }

    [Test]
    public void A_thousand_fast_answers_in_no_time_do_not_wipe_out_a_peak()
    {
        var time = new ResponseTime(Second);
        Observe(time, 400, at: 0);
        for (var answer = 0; answer < 1_000; answer++)
            Observe(time, 10, at: answer * Second / 1_000);

        // A second has passed: a tenth of the way down, no more.
        Assert.That(time.EstimateAt(Second), Is.EqualTo(10 + 390 * Math.Exp(-0.1)).Within(2));
    }

    [Test]
    public void Steady_answers_lead_to_what_they_are()
    {
        var time = new ResponseTime(Second);
        Observe(time, 500, at: 0);
        for (var answer = 1; answer <= 1_000; answer++)
            Observe(time, 20, at: answer * Second / 10);

        Assert.That(time.EstimateAt(100 * Second), Is.EqualTo(20).Within(0.5));
    }

    [Test]
    public void After_a_silence_a_fast_answer_counts_for_as_much_as_the_estimate()
    {
        var time = new ResponseTime(Second);
        Observe(time, 1_000, at: 0);
        var before = time.EstimateAt(Second);
        Observe(time, 10, at: Second);

        Assert.That(time.EstimateAt(Second), Is.EqualTo(Math.Sqrt(before * 10)).Within(0.1));
    }

    [Test]
    public void An_explored_answer_that_is_much_faster_counts_for_as_much_as_the_estimate()
    {
        var time = new ResponseTime(Second);
        Observe(time, 1_000, at: 0);
        double[] expected = [Math.Sqrt(1_000 * 20), Math.Pow(1_000, 0.25) * Math.Pow(20, 0.75)];
        foreach (var estimate in expected)
        {
            Explore(time);
            Observe(time, 20, at: 0);
            Observe(time, 20, at: 0);
            Assert.That(time.EstimateAt(0), Is.EqualTo(estimate).Within(0.1), "the second one was not asked for");
        }

        Explore(time);
        Observe(time, 20, at: 0);
        Assert.That(time.EstimateAt(0), Is.LessThan(40));
    }

    [Test]
    public void An_explored_answer_that_is_a_little_faster_says_nothing_new()
    {
        var time = new ResponseTime(Second);
        Observe(time, 300, at: 0);
        Explore(time);
        Observe(time, 200, at: 0);

        Assert.That(time.EstimateAt(0), Is.EqualTo(300));
        Assert.That(Explore(time), Is.EqualTo(2 * Exploration.IntervalMin));
    }

    [Test]
    public void What_the_backend_got_wrong_adds_a_penalty_and_a_fast_500_is_not_fast()
    {
        foreach (var outcome in (AttemptOutcome[])
            [new(FailureKind.ConnectRefused, 0, 0, Second), new(FailureKind.None, 503, Millisecond, Second)])
        {
            var time = new ResponseTime(Second);
            Observe(time, 10, at: Second);
            time.Observe(outcome);
            Assert.That(time.EstimateAt(Second), Is.EqualTo(10 + ResponseTime.PenaltyMilliseconds).Within(0.1));
        }
    }

    [Test]
    public void Penalties_have_an_end()
    {
        var time = new ResponseTime(Second);
        for (var failure = 0; failure < 10_000; failure++)
            time.Observe(new(FailureKind.ConnectRefused, 0, 0, Second));

        Assert.That(time.EstimateAt(Second), Is.EqualTo(30_000));
        Assert.That(time.EstimateAt(101 * Second), Is.LessThan(2));
    }

    [Test]
    public void A_clock_that_is_behind_by_a_little_takes_nothing_back()
    {
        var time = new ResponseTime(Second);
        Observe(time, 100, at: 5 * Second);
        Observe(time, 10, at: 5 * Second - 3 * Millisecond);

        Assert.That(time.EstimateAt(4 * Second), Is.EqualTo(100));
        Assert.That(time.EstimateAt(6 * Second), Is.EqualTo(100 * Math.Exp(-0.1)).Within(0.1));
    }

    [Test]
    public async Task Many_threads_at_once_keep_the_peak()
    {
        var time = new ResponseTime(Second);
        await Task.WhenAll(Enumerable.Range(1, 8).Select(thread => Task.Run(() =>
        {
            for (var answer = 1; answer <= 5_000; answer++)
                Observe(time, answer % 1_000 == thread ? 100 * thread : thread, at: Second);
        })));

        Assert.That(time.EstimateAt(Second), Is.EqualTo(800));
    }

    private static int Explore(ResponseTime time)
    {
        var passedOver = 1;
        while (!time.Exploration.IsDueWhenPassedOver())
            passedOver++;
        return passedOver;
    }

    private static void Observe(ResponseTime time, int milliseconds, long at)
        => time.Observe(new(FailureKind.None, 200, milliseconds * Millisecond, at));
}
