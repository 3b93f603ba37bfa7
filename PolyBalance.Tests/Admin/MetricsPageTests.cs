using System.Buffers;
using System.Text;
using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Admin;

internal sealed class MetricsPageTests
{
    private static readonly MetricFamily Requests = new(
        "requests_total", MetricKind.Counter, "Counts \"all\"\nof C:\\", "cluster", "code");

    private static readonly MetricFamily Time = new("time_seconds", MetricKind.Histogram, "Time", "cluster");

    [Test]
    public void A_family_begins_with_its_help_and_type()
        => Assert.That(Write(page => page.Begin(Requests)),
            Is.EqualTo("# HELP requests_total Counts \"all\"\\nof C:\\\\\n# TYPE requests_total counter\n"));

    [TestCase("web", "web")]
    [TestCase("a\"b", "a\\\"b")]
    [TestCase("a\\b", "a\\\\b")]
    [TestCase("a\nb", "a\\nb")]
    [TestCase("\\\"\n", "\\\\\\\"\\n")]
    [TestCase("", "")]
    [TestCase("größe→", "größe→")]
    public void Label_values_are_escaped(string value, string written)
        => Assert.That(Samples(Requests, page => page.Sample(7, value, "200")),
            Is.EqualTo($"requests_total{{cluster=\"{written}\",code=\"200\"}} 7\n"));

    [TestCase(0, "0")]
    [TestCase(0.0025, "0.0025")]
    [TestCase(1e-7, "1E-07")]
    [TestCase(1790000000.123, "1790000000.123")]
    [TestCase(double.PositiveInfinity, "+Inf")]
    [TestCase(double.NaN, "NaN")]
    public void Measures_are_written_as_they_are(double value, string written)
        => Assert.That(Samples(Time with { Labels = [] }, page => page.Sample(value)),
            Is.EqualTo($"time_seconds {written}\n"));

    [Test]
    public void A_histogram_has_the_required_buckets_a_sum_and_a_count()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(TimeSpan.FromMilliseconds(2.5));
        histogram.Record(TimeSpan.FromMilliseconds(7));
        histogram.Record(TimeSpan.FromSeconds(31));

        var lines = Samples(Time, page => page.Histogram(histogram.Fold(), "web")).TrimEnd('\n').Split('\n');

        var bounds = "0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 30 +Inf".Split(' ');
        int[] counts = [0, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3];
        var expected = bounds
            .Zip(counts, (bound, count) => $"time_seconds_bucket{{cluster=\"web\",le=\"{bound}\"}} {count}")
            .Append("time_seconds_sum{cluster=\"web\"} 31.0095")
            .Append("time_seconds_count{cluster=\"web\"} 3");
        Assert.That(lines, Is.EqualTo(expected));
    }

    [Test]
    public void A_summary_without_values_says_so()
        => Assert.That(Samples(Time, page => page.Summary(new LatencyHistogram().Fold(), "web")), Is.EqualTo("""
            time_seconds{cluster="web",quantile="0.5"} NaN
            time_seconds{cluster="web",quantile="0.9"} NaN
            time_seconds{cluster="web",quantile="0.99"} NaN
            time_seconds{cluster="web",quantile="0.999"} NaN
            time_seconds_sum{cluster="web"} 0
            time_seconds_count{cluster="web"} 0

            """.ReplaceLineEndings("\n")));

    [Test]
    public void Pages_hold_whatever_is_written_in_its_order()
    {
        using var content = new PagedContent();
        var expected = new StringBuilder();
        for (var number = 0; number < 40_000; number++)
        {
            var piece = new string((char)('a' + (number % 26)), 1 + (number % 97));
            content.Write(Encoding.ASCII.GetBytes(piece));
            expected.Append(piece);
        }

        Assert.That(content.Content.IsSingleSegment, Is.False);
        Assert.That(Encoding.ASCII.GetString(content.Content), Is.EqualTo(expected.ToString()));
    }

    private static string Samples(MetricFamily family, Action<MetricsPage> write)
        => Write(page =>
        {
            page.Begin(family);
            write(page);
        }).Split('\n', 3)[2];

    private static string Write(Action<MetricsPage> write)
    {
        using var content = new PagedContent();
        write(new(content));
        return Encoding.UTF8.GetString(content.Content);
    }
}
