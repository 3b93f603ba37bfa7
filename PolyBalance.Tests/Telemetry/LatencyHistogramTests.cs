using NUnit.Framework;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Telemetry;

internal sealed class LatencyHistogramTests
{
    private static readonly double[] Shares = [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

    [Test]
    public void A_quantile_is_one_percent_off_at_most([Range(1, 20)] int seed)
    {
        var random = new Random(seed);
        var histogram = new LatencyHistogram();
        var exact = new List<long>();
        for (var count = random.Next(1, 20_000); count > 0; count--)
        {
            // Evenly over the decades from 1 µs to 120 s, in runs as long as real latencies have them.
            var ticks = (long)Math.Pow(10, 1 + (random.NextDouble() * 8.079));
            for (var run = random.Next(1, 4); run > 0; run--)
            {
                exact.Add(ticks);
                histogram.Record(TimeSpan.FromTicks(ticks));
            }
        }

        exact.Sort();
        var fold = histogram.Fold();

        Assert.That(fold.Count, Is.EqualTo(exact.Count));
        Assert.That(fold.Seconds, Is.EqualTo(exact.Sum() / (double)TimeSpan.TicksPerSecond).Within(1e-6));
        foreach (var share in Shares)
        {
            double wanted = exact[Math.Max((int)Math.Ceiling(share * exact.Count), 1) - 1];
            double found = fold.Quantile(share)!.Value.Ticks;
            Assert.That(found, Is.EqualTo(wanted).Within(Math.Max(wanted * 0.01, 0.5)));
        }
    }

    [Test]
    public void Every_bound_that_operators_see_ends_a_bucket()
    {
        for (var bound = 0; bound < LatencyScale.Bounds.Length; bound++)
        {
            var ticks = (long)Math.Round(LatencyScale.Bounds[bound] * TimeSpan.TicksPerSecond);
            var histogram = new LatencyHistogram();
            histogram.Record(TimeSpan.FromTicks(ticks - 1));
            histogram.Record(TimeSpan.FromTicks(ticks));
            histogram.Record(TimeSpan.FromTicks(ticks + 1));

            var counts = new long[LatencyScale.Bounds.Length];
            histogram.Fold().CountAtBounds(counts);

            var expected = Enumerable.Range(0, counts.Length)
                .Select(index => index < bound ? 0L : index == bound ? 2 : 3);
            Assert.That(counts, Is.EqualTo(expected), $"around {LatencyScale.Bounds[bound]} s");
        }
    }

    [Test]
    public void Counts_at_bounds_are_those_of_sorting_for_values_anywhere([Range(1, 5)] int seed)
    {
        var random = new Random(seed);
        var histogram = new LatencyHistogram();
        var values = new List<long>();
        for (var count = 0; count < 5_000; count++)
        {
            values.Add((long)Math.Pow(10, random.NextDouble() * 9.5));
            histogram.Record(TimeSpan.FromTicks(values[^1]));
        }

        var counts = new long[LatencyScale.Bounds.Length];
        histogram.Fold().CountAtBounds(counts);

        var expected = LatencyScale.Bounds.ToArray()
            .Select(bound => values.LongCount(ticks => ticks <= Math.Round(bound * TimeSpan.TicksPerSecond)));
        Assert.That(counts, Is.EqualTo(expected));
    }

    [Test]
    public void Buckets_follow_each_other_without_gap_or_overlap()
    {
        var before = -1;
        for (var ticks = 1L; ticks < 3_000_000_000; ticks += Math.Max(1, ticks / 500))
        {
            var segment = LatencyScale.SegmentOf(ticks, out var bucket);
            var index = LatencyScale.OffsetOf(segment) + bucket;

            Assert.That(bucket, Is.InRange(0, LatencyScale.CountOf(segment) - 1));
            Assert.That(index, Is.InRange(before, before + 1), $"{ticks} ticks");
            Assert.That(LatencyScale.SegmentOf(LatencyScale.MiddleOf(index), out var again), Is.EqualTo(segment));
            Assert.That(again, Is.EqualTo(bucket));
            before = index;
        }

        Assert.That(before, Is.EqualTo(LatencyScale.BucketCount - 1));
    }

    [Test]
    public void What_is_beyond_the_scale_is_counted_at_its_ends()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromSeconds(-1));
        histogram.Record(TimeSpan.Zero);
        histogram.Record(TimeSpan.FromDays(3));

        var fold = histogram.Fold();

        Assert.That((fold.Count, fold.Seconds), Is.EqualTo((3L, TimeSpan.FromDays(3).TotalSeconds)));
        Assert.That(fold.Quantile(0.5), Is.EqualTo(TimeSpan.FromTicks(1)));
        Assert.That(fold.Quantile(1)!.Value.TotalSeconds, Is.InRange(245, 250));
    }

    [Test]
    public void Where_nothing_was_counted_there_is_no_quantile()
    {
        var fold = new LatencyHistogram().Fold();

        Assert.That((fold.Count, fold.Seconds, fold.Quantile(0.5)), Is.EqualTo((0L, 0.0, (TimeSpan?)null)));
    }

    [Test]
    public void A_fold_is_cleared_for_the_next_look()
    {
        var fold = new LatencyFold();
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(3));
        histogram.FoldInto(fold);
        histogram.FoldInto(fold);
        Assert.That((fold.Count, fold.Seconds), Is.EqualTo((2L, 0.006)));

        fold.Clear();
        histogram.FoldInto(fold);

        Assert.That((fold.Count, fold.Seconds), Is.EqualTo((1L, 0.003)));
    }

    [Test]
    public void Eight_threads_lose_nothing()
    {
        const int Threads = 8;
        const int EachThread = 50_000;
        var histogram = new LatencyHistogram();
        var requests = new RequestCounters();
        using var start = new Barrier(Threads);
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() =>
        {
            start.SignalAndWait();
            for (var count = 0; count < EachThread; count++)
            {
                histogram.Record(TimeSpan.FromTicks(1 + (count * 37L)));
                requests.Add(number % 2, 200 + (count % 3));
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        var fold = histogram.Fold();

        var ticks = Enumerable.Range(0, EachThread).Sum(count => 1 + (count * 37L)) * Threads;
        Assert.That(fold.Count, Is.EqualTo(Threads * EachThread));
        Assert.That(fold.Seconds, Is.EqualTo((double)ticks / TimeSpan.TicksPerSecond));
        Assert.That(requests.Counts().Sum(entry => entry.Count), Is.EqualTo(Threads * EachThread));
        Assert.That(requests.Counts().Select(entry => (entry.Method, entry.Status)),
            Is.EqualTo((List<(int, int)>)[(0, 200), (0, 201), (0, 202), (1, 200), (1, 201), (1, 202)]));
    }
}
