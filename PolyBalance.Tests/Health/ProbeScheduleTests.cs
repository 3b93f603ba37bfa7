using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Health;

namespace PolyBalance.Tests.Health;

internal sealed class ProbeScheduleTests
{
    private static readonly HealthOptions Check = HealthOptions.Default;

    // Chi-square with 19 degrees of freedom: 43.8 is passed by chance once in a thousand; the seed is fixed.
    [Test]
    public void Intervals_are_spread_evenly_over_twenty_percent_in_either_direction()
    {
        const int Count = 10_000;
        const int Buckets = 20;
        var schedule = new ProbeSchedule(new Random(4));
        var found = new int[Buckets];
        for (var turn = 0; turn < Count; turn++)
        {
            var next = schedule.Next(Check, isInTransition: false) / Check.Interval;
            Assert.That(next, Is.InRange(0.8, 1.2));
            found[Math.Min(Buckets - 1, (int)((next - 0.8) / 0.4 * Buckets))]++;
        }

        const double Expected = (double)Count / Buckets;
        Assert.That(found.Sum(count => (count - Expected) * (count - Expected) / Expected), Is.LessThan(43.8));
    }

    [TestCase(10, 1_000)]
    [TestCase(1, 1_000)]
    [TestCase(0.2, 200)]
    public void While_a_verdict_may_change_the_next_probe_comes_within_a_second(double interval, int milliseconds)
        => Assert.That(
            new ProbeSchedule(new Random(1)).Next(
                Check with { Interval = TimeSpan.FromSeconds(interval) }, isInTransition: true),
            Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));

    [Test]
    public void Without_jitter_intervals_are_exact()
        => Assert.That(
            new ProbeSchedule(new Random(1)).Next(Check with { JitterPercent = 0 }, isInTransition: false),
            Is.EqualTo(Check.Interval));

    [TestCase(1)]
    [TestCase(10)]
    public void A_thousand_backends_make_no_burst_after_the_first_round(int seconds)
    {
        var check = Check with { Interval = TimeSpan.FromSeconds(seconds) };
        var schedule = new ProbeSchedule(new Random(7));
        var buckets = new int[seconds * 10];
        for (var backend = 0; backend < 1_000; backend++)
            buckets[(int)(schedule.FirstOffset(check).TotalSeconds * 10)]++;

        Assert.That(buckets.Max(), Is.LessThanOrEqualTo(2 * 1_000 / buckets.Length));
        Assert.That(buckets.Min(), Is.GreaterThan(0));
    }

    [Test]
    public void A_thousand_backends_probed_every_second_stay_spread()
    {
        var check = Check with { Interval = TimeSpan.FromSeconds(1) };
        var schedule = new ProbeSchedule(new Random(7));
        var buckets = new int[600];
        for (var backend = 0; backend < 1_000; backend++)
        {
            for (var at = schedule.FirstOffset(check); at < TimeSpan.FromMinutes(1); at += schedule.Next(check, false))
                buckets[(int)(at.TotalSeconds * 10)]++;
        }

        Assert.That(buckets.Max(), Is.LessThanOrEqualTo(2 * buckets.Average()));
    }
}
