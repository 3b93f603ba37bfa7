using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Support;

/// <summary>One answer of <c>/metrics</c>, read line by line as Prometheus reads it.</summary>
internal sealed class Scrape
{
    private static readonly Regex Line = new(
        """^(?<series>[a-z_]+(\{([a-z]+="([^"\\]|\\["\\n])*",?)+\})?) (?<value>[0-9.E+-]+|NaN)$""");

    private readonly Dictionary<string, double> _samples = [];

    /// <summary>Reads an answer; a line that is not in the format fails the test.</summary>
    public Scrape(string text)
    {
        Assert.That(text, Does.EndWith("\n"));
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
                Families.Add(line.Split(' ')[2]);
            if (line.StartsWith('#'))
                continue;

            var match = Line.Match(line);
            Assert.That(match.Success, line);
            var value = match.Groups["value"].Value;
            _samples.Add(match.Groups["series"].Value, double.Parse(value, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The families, in their order.</summary>
    public List<string> Families { get; } = [];

    /// <summary>Every series with its value.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    /// <summary>The value of a series as it is written; 0 when it is not there, as for who asks Prometheus.</summary>
    public double this[string series]
        => _samples.GetValueOrDefault(series.StartsWith("polybalance", StringComparison.Ordinal)
            ? series
            : $"polybalance_{series}");

    /// <summary>The sum over all series of a metric that hold a text.</summary>
    public double Sum(string metric, string holding = "")
        => _samples.Where(sample => NameOf(sample.Key) == metric)
            .Where(sample => sample.Key.Contains(holding, StringComparison.Ordinal))
            .Sum(sample => sample.Value);

    /// <summary>Checks what every histogram promises: buckets that never fall, the last of them the count.</summary>
    public void AssertHistogramsAreWhole()
    {
        var counted = 0;
        var all = _samples.Where(sample => NameOf(sample.Key).EndsWith("_bucket", StringComparison.Ordinal));
        foreach (var buckets in all.GroupBy(sample => WithoutBound(sample.Key)))
        {
            counted++;
            Assert.That(buckets.Select(bucket => bucket.Value), Is.Ordered, buckets.Key);
            var count = buckets.Key.Replace("_bucket", "_count", StringComparison.Ordinal);
            Assert.That(buckets.Last().Value, Is.EqualTo(_samples[count]), count);
            Assert.That(buckets.Count(), Is.EqualTo(15), buckets.Key);
        }

        Assert.That(counted, Is.AtLeast(2));
    }

    private static string WithoutBound(string series)
        => Regex.Replace(series, ",?le=\"[^\"]*\"", "").Replace("{}", "", StringComparison.Ordinal);

    private static string NameOf(string series) => series.Split('{')[0];
}
