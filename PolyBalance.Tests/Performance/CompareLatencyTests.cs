using NUnit.Framework;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Tests.Performance;

/// <summary>How a comparison counts latencies, and from when.</summary>
internal sealed class CompareLatencyTests
{
    private const long Millisecond = 1_000_000;

    [Test]
    public void A_percentile_is_known_to_better_than_1_percent()
    {
        var random = new Random(4711);
        var values = Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 23)).ToArray();
        var histogram = new LatencyHistogram();
        foreach (var value in values)
            histogram.Record(value);
        Array.Sort(values);

        foreach (var percent in (double[])[1, 10, 50, 90, 99, 99.9])
        {
            var exact = values[(int)Math.Ceiling(values.Length * percent / 100) - 1];
            Assert.That(histogram.Percentile(percent), Is.InRange(exact, exact + exact / 100), $"{percent} %");
        }

        Assert.That(histogram.Percentile(100), Is.EqualTo(values[^1]));
        Assert.That(histogram.Max, Is.EqualTo(values[^1]));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(127)]
    [TestCase(128)]
    [TestCase(255)]
    public void Small_values_are_kept_exactly(long nanos)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(nanos);
        histogram.Record(1_000_000);

        Assert.That(histogram.Percentile(50), Is.EqualTo(nanos));
    }

    [Test]
    public void What_takes_forever_and_what_took_less_than_nothing_have_a_bucket_too()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(long.MaxValue);
        histogram.Record(-5);

        Assert.That(histogram.Count, Is.EqualTo(2));
        Assert.That(histogram.Percentile(50), Is.Zero);
        Assert.That(histogram.Percentile(100), Is.GreaterThan(TimeSpan.FromMinutes(15).TotalNanoseconds));
    }

    [Test]
    public void Requests_are_due_at_even_distances()
    {
        var schedule = new OpenLoopSchedule(rate: 1000, seconds: 2);

        Assert.That(schedule.Count, Is.EqualTo(2000));
        Assert.That(schedule.DueAt(0), Is.Zero);
        Assert.That(schedule.DueAt(1999), Is.EqualTo(1999 * Millisecond));
        Assert.That(schedule.IsDue(5, 5 * Millisecond), Is.True);
        Assert.That(schedule.IsDue(5, 5 * Millisecond - 1), Is.False);
        Assert.That(schedule.IsDue(2000, long.MaxValue), Is.False, "there are only 2000");
    }

    /// <summary>A closed loop would have seen one slow request; the clients of a fixed rate see a thousand.</summary>
    [Test]
    public void A_stall_is_charged_to_every_request_that_was_due_meanwhile()
    {
        var schedule = new OpenLoopSchedule(rate: 1000, seconds: 2);
        var histogram = new LatencyHistogram();
        const long StallEnd = 1000 * Millisecond;
        for (var request = 0L; request < schedule.Count; request++)
        {
            var answered = Math.Max(schedule.DueAt(request), StallEnd);
            histogram.Record(schedule.LatencyOf(request, answered));
        }

        Assert.That(histogram.Max, Is.EqualTo(StallEnd));
        Assert.That(histogram.Percentile(75), Is.EqualTo(500 * Millisecond).Within(1).Percent);
        Assert.That(histogram.Percentile(50), Is.Zero);
    }
}
