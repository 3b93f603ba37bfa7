using System.Xml.Linq;
using NUnit.Framework;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Tests.Performance;

/// <summary>How a comparison is written down.</summary>
internal sealed class CompareOutputTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [TestCase(0.123, "0.12")]
    [TestCase(9.94, "9.94")]
    [TestCase(15.94, "15.9")]
    [TestCase(61_234.5, "61235")]
    public void A_number_has_the_digits_that_mean_something(double value, string text)
        => Assert.That(Numbers.Of(value), Is.EqualTo(text));

    [Test]
    public void A_median_of_several_rounds_shows_how_far_they_lie_apart_and_marks_noise()
    {
        Assert.That(Numbers.Of(Spread.Of([15, 16, 16.5])!.Value), Is.EqualTo("16.0 (15.0–16.5)"));
        Assert.That(Numbers.Of(Spread.Of([12, 16, 16.5])!.Value), Is.EqualTo("16.0 (12.0–16.5) ~"));
        Assert.That(Numbers.Of(Spread.Of([16])!.Value), Is.EqualTo("16.0"));
    }

    [Test]
    public void A_table_of_a_load_has_a_row_for_each_proxy_with_peers_first_and_errors_last()
    {
        var lines = ComparisonTable.OfLoad(Sample(), LoadNames.Small64)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.That(lines, Has.Length.EqualTo(5));
        Assert.That(lines.Select(line => line.Length).Distinct().Count(), Is.EqualTo(1), "columns are aligned");
        Assert.That(lines.Select(FirstCell).Skip(2), Is.EqualTo(new[] { "nginx", "HAProxy", "PolyBalance sockets" }));
        Assert.That(lines[0], Does.Match(@"\| errors +\|$"));
        Assert.That(lines[2], Does.Contain("none"));
        Assert.That(lines[4], Does.Contain("0.50 ×").And.Contain("2 timeout"));
    }

    [Test]
    public void A_figure_that_no_proxy_has_gets_no_column()
        => Assert.That(
            ComparisonTable.OfLoad(Sample(), LoadNames.Small64), Does.Not.Contain(Figure.IdleMemory.Title));

    [Test]
    public void The_table_of_goals_names_goal_peer_ratio_and_verdict()
    {
        var table = ComparisonTable.OfGoals(Goals.Judge(Sample()));

        var line = table.Split('\n').Single(one => one.StartsWith("| 49b-64: CPU", StringComparison.Ordinal));
        Assert.That(
            line.Split('|', StringSplitOptions.TrimEntries)[1..8],
            Is.EqualTo(new[]
            {
                "49b-64: CPU µs/request", "≤ 0.80 ×", "nginx 20.0", "PolyBalance sockets", "10.0", "0.50", "met",
            }));
    }

    [Test]
    public void A_verdict_that_rests_on_noise_says_so()
    {
        var comparison = new Comparison([.. Sample().Runs, Run("nginx", cpu: 30, round: 2)]);

        var result = Goals.Judge(comparison).First(one => one.Goal.StartsWith("49b-64: CPU", StringComparison.Ordinal));

        Assert.That(ComparisonTable.VerdictOf(result), Is.EqualTo("met ~"));
    }

    [Test]
    public void The_plot_is_well_formed_and_has_a_bar_for_each_ratio()
    {
        var plot = XDocument.Parse(ComparisonPlot.Draw(Sample(), "a < b & c"));

        var bars = plot.Descendants(Svg + "rect").Where(rect => rect.Element(Svg + "title") is not null).ToList();
        Assert.That(bars, Has.Count.EqualTo(9), "three proxies, three figures");
        Assert.That(bars.Select(bar => (double)bar.Attribute("height")!), Is.All.Positive);
        Assert.That(bars[2].Element(Svg + "title")!.Value, Is.EqualTo("49b-64, PolyBalance sockets: 0.50"));
        Assert.That(plot.Descendants(Svg + "text").First().Value, Is.EqualTo("a < b & c"));
    }

    [Test]
    public void A_bar_beyond_the_scale_is_cut_and_says_its_ratio()
    {
        var comparison = new Comparison([Run("nginx", cpu: 10), Run("PolyBalance sockets", cpu: 70)]);

        var plot = XDocument.Parse(ComparisonPlot.Draw(comparison, "x"));

        Assert.That(plot.Descendants(Svg + "text").Select(text => text.Value), Does.Contain("7.0"));
        Assert.That(
            plot.Descendants(Svg + "rect").Select(bar => (double)bar.Attribute("y")!), Is.All.GreaterThanOrEqualTo(0));
    }

    private static string FirstCell(string line) => line.Split('|', StringSplitOptions.TrimEntries)[1];

    private static Comparison Sample()
        => new(
        [
            Run("PolyBalance sockets", cpu: 10) with { Errors = new(Timeout: 2) },
            Run("HAProxy", cpu: 25),
            Run("nginx", cpu: 20),
        ]);

    private static Measurement Run(string proxy, double cpu, int round = 1)
        => new(proxy, LoadNames.Small64, round)
        {
            Requests = 1_000_000,
            Seconds = 10,
            UserSeconds = cpu / 2,
            SystemSeconds = cpu / 2,
            Latency = new(100, 200, 300, 400, 500),
            MemoryMib = 20,
        };
}
