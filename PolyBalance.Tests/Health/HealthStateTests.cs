using System.Text;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Health;

namespace PolyBalance.Tests.Health;

internal sealed class HealthStateTests
{
    // '+' is a passed probe or a healthy verdict, '-' a failed probe or an unhealthy verdict.
    [TestCase("", ExpectedResult = "", TestName = "Nothing is known before the first result")]
    [TestCase("+", ExpectedResult = "+", TestName = "The first pass decides alone")]
    [TestCase("-", ExpectedResult = "-", TestName = "The first failure decides alone")]
    [TestCase("+--", ExpectedResult = "+++", TestName = "Two failures are not a run of three")]
    [TestCase("+---", ExpectedResult = "+++-", TestName = "The third failure in a row is")]
    [TestCase("+--+--", ExpectedResult = "++++++", TestName = "One pass breaks the run")]
    [TestCase("-+", ExpectedResult = "--", TestName = "One pass is not a run of two")]
    [TestCase("-++", ExpectedResult = "--+", TestName = "Two passes bring it back")]
    [TestCase("-+-++", ExpectedResult = "----+", TestName = "One failure breaks the way back")]
    [TestCase("+---++---", ExpectedResult = "+++--+++-", TestName = "It goes down and up and down again")]
    public string Verdict_after_each_probe(string probes)
    {
        var state = new HealthState(healthyAfter: 2, unhealthyAfter: 3);
        var verdicts = new StringBuilder();
        var before = Verdict.Unknown;
        foreach (var probe in probes)
        {
            var changed = state.Observe(Result(probe == '+', "x"));
            Assert.That(changed, Is.EqualTo(state.Verdict != before));
            before = state.Verdict;
            verdicts.Append(before == Verdict.Healthy ? '+' : '-');
        }

        return verdicts.ToString();
    }

    [TestCase("+", false)]
    [TestCase("+-", true)]
    [TestCase("+--", true)]
    [TestCase("+---", false)]
    [TestCase("+---+", true)]
    [TestCase("+---++", false)]
    [TestCase("-", false)]
    public void A_verdict_is_in_transition_while_the_latest_results_contradict_it(string probes, bool expected)
    {
        var state = new HealthState(healthyAfter: 2, unhealthyAfter: 3);
        foreach (var probe in probes)
            state.Observe(Result(probe == '+', "x"));

        Assert.That(state.IsInTransition, Is.EqualTo(expected));
    }

    [Test]
    public void Operators_see_the_runs_the_last_error_and_the_last_ten_results()
    {
        var state = new HealthState(healthyAfter: 2, unhealthyAfter: 3);
        Assert.That(state.History(), Is.Empty);
        for (var number = 1; number <= 13; number++)
            state.Observe(Result(passed: number != 11, $"{number}"));

        Assert.That((state.ConsecutivePasses, state.ConsecutiveFailures, state.LastError), Is.EqualTo((2, 0, "11")));
        Assert.That(state.Last!.Value.Answer.Reason, Is.EqualTo("13"));
        Assert.That(state.History().Select(result => int.Parse(result.Answer.Reason, provider: null)),
            Is.EqualTo(Enumerable.Range(4, 10)));
    }

    private static ProbeResult Result(bool passed, string reason)
        => new(new(passed, reason), DateTimeOffset.UnixEpoch, TimeSpan.Zero);
}
