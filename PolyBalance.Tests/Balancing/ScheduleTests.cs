using System.Diagnostics;
using NUnit.Framework;
using PolyBalance.Balancing;
using PolyBalance.Tests.Backends;

namespace PolyBalance.Tests.Balancing;

internal sealed class ScheduleTests
{
    [TestCase(new[] { 1 }, "1")]
    [TestCase(new[] { 7, 7, 7 }, "1 2 3")]
    [TestCase(new[] { 3, 1 }, "1 1 2 1")]
    [TestCase(new[] { 2, 4 }, "2 1 2")]
    [TestCase(new[] { 5, 1, 1 }, "1 2 1 1 1 3 1")]
    [TestCase(new[] { 3, 3, 1 }, "1 2 1 3 2 1 2")]
    public void Turns_are_spread_evenly(int[] weights, string expected)
        => Assert.That(string.Join(' ', Round(weights).Select(index => index + 1)), Is.EqualTo(expected));

    [Test]
    public void Everybody_has_exactly_as_many_turns_as_the_weights_in_lowest_terms()
    {
        var random = new Random(11);
        for (var round = 0; round < 300; round++)
        {
            var weights = Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(1, 1_001)).ToArray();
            var factor = random.Next(1, 100);
            var turns = Round([.. weights.Select(weight => weight * factor)]).CountBy(index => index).ToDictionary();

            var share = (double)weights[0] / turns[0];
            for (var index = 0; index < weights.Length; index++)
                Assert.That(turns[index] * share, Is.EqualTo(weights[index]).Within(1e-9), string.Join(' ', weights));
        }
    }

    [Test]
    public void No_run_is_longer_than_the_ratio_of_the_two_heaviest_even_from_round_to_round()
    {
        var random = new Random(12);
        for (var round = 0; round < 300; round++)
        {
            var weights = Enumerable.Range(0, random.Next(2, 8)).Select(_ => random.Next(1, 40)).ToArray();
            var heaviest = weights.OrderDescending().Take(2).ToArray();
            var turns = Round(weights);

            var run = LongestRun([.. turns, .. turns]);
            Assert.That(run, Is.LessThanOrEqualTo((heaviest[0] + heaviest[1] - 1) / heaviest[1]),
                string.Join(' ', weights));
        }
    }

    [Test]
    public void A_thousand_weights_from_1_to_1000_fit_and_everybody_has_a_turn()
    {
        var backends = SomeBackends.Make(1_000);
        var candidates = Picks.Weighted(backends, [.. Enumerable.Range(1, 1_000)]);
        Schedule.Of(candidates);

        var started = Stopwatch.GetTimestamp();
        var turns = Schedule.Of(candidates).CountBy(backend => backend).ToDictionary();
        TestContext.Out.WriteLine($"{Stopwatch.GetElapsedTime(started).TotalMilliseconds:F1} ms with counting");

        Assert.That(turns.Values.Sum(), Is.InRange(Schedule.TurnsMax - 1_000, Schedule.TurnsMax + 1_000));
        Assert.That(turns, Has.Count.EqualTo(1_000));
        // 1000 of 500,500 in 65,536: the heavy ones are within half a turn, the lightest have at least one.
        Assert.That(turns[backends[999]], Is.EqualTo(131));
        Assert.That(turns[backends[499]], Is.EqualTo(65));
        Assert.That(turns[backends[0]], Is.EqualTo(1));
    }

    private static int[] Round(int[] weights)
    {
        var backends = SomeBackends.Make(weights.Length);
        return [.. Schedule.Of(Picks.Weighted(backends, weights)).Select(backend => backends.IndexOf(backend))];
    }

    private static int LongestRun(int[] turns)
    {
        var longest = 1;
        var run = 1;
        for (var turn = 1; turn < turns.Length; turn++)
        {
            run = turns[turn] == turns[turn - 1] ? run + 1 : 1;
            longest = Math.Max(longest, run);
        }

        return longest;
    }
}
