using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Deploy;

/// <summary>The dashboard and the alerts: they ask for metrics that exist, and alerts fire when they should.</summary>
internal sealed class MonitoringTests
{
    private const string Alerts = "prometheus/alerts.yaml";
    private const string AlertTests = "prometheus/alerts.test.yaml";
    private const string DashboardFile = "grafana/polybalance.json";

    /// <summary>Labels that Prometheus itself adds, or that a histogram's buckets have.</summary>
    private static readonly string[] ForeignLabels = ["job", "instance", "le"];

    private static readonly JsonElement Dashboard = JsonDocument.Parse(DeployFiles.Text(DashboardFile)).RootElement;

    private static List<JsonElement> Panels => [.. Dashboard.GetProperty("panels").EnumerateArray()];

    private static List<JsonElement> Targets
        => [.. Panels.Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())];

    [Test]
    public void Every_metric_and_label_in_the_dashboard_exists()
    {
        var queries = Targets.Select(target => target.GetProperty("expr").GetString()!).ToList();
        Assert.That(queries, Has.Count.AtLeast(40));

        var lists = Variables().Select(variable => variable.GetProperty("definition").GetString()!);
        AssertAllExist([.. queries, .. lists]);
    }

    [Test]
    public void Every_metric_and_label_in_the_alerts_exists()
        => AssertAllExist([.. Rules().Select(rule => rule.Expression)]);

    [Test]
    public void Panels_have_numbers_of_their_own_a_place_and_a_data_source_to_choose()
    {
        const int Columns = 24;
        Assert.That(Panels.Select(panel => panel.GetProperty("id").GetInt32()), Is.Unique.And.All.GreaterThan(0));
        Assert.That(Dashboard.GetProperty("templating").GetProperty("list")[0].GetProperty("type").GetString(),
            Is.EqualTo("datasource"));
        Assert.That(Targets.Select(target => target.GetProperty("datasource").GetProperty("uid").GetString()),
            Is.All.EqualTo("${datasource}"));

        var taken = new HashSet<(int, int)>();
        foreach (var place in Panels.Select(panel => panel.GetProperty("gridPos")))
        {
            var (x, y) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32());
            var (width, height) = (place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32());
            Assert.That(x + width, Is.AtMost(Columns));
            for (var cell = 0; cell < width * height; cell++)
                Assert.That(taken.Add((x + (cell % width), y + (cell / width))), $"two panels at {x}, {y}");
        }
    }

    [Test]
    public void Errors_by_side_are_those_of_the_failure_table()
    {
        var sides = Panels.Single(panel => panel.GetProperty("title").GetString() == "Failed exchanges by side")
            .GetProperty("targets").EnumerateArray()
            .ToDictionary(
                target => target.GetProperty("legendFormat").GetString()!,
                target => Regex.Match(target.GetProperty("expr").GetString()!, "reason=~\"([^\"]+)\"").Groups[1].Value
                    .Split('|'));

        var table = Failure.All.ToArray().Where(failure => failure.Label.Length > 0).ToLookup(
            failure => failure.SideLabel, failure => failure.Label);
        Assert.That(sides.Keys, Is.EquivalentTo(table.Select(side => side.Key)));
        foreach (var side in table)
            Assert.That(sides[side.Key], Is.EquivalentTo(side), side.Key);
    }

    [Test]
    public async Task Promtool_takes_the_rules_and_every_unit_test_of_them_passes()
    {
        var promtool = Programs.Find("promtool");
        var rules = await RunningProgram.RunAsync(promtool, "check", "rules", DeployFiles.PathOf(Alerts));
        Assert.That(rules.ExitCode, Is.Zero, rules.Everything);

        var tests = await RunningProgram.RunAsync(promtool, "test", "rules", DeployFiles.PathOf(AlertTests));
        Assert.That(tests.ExitCode, Is.Zero, tests.Everything);
        Assert.That(tests.Output, Does.Contain("SUCCESS"));
    }

    [Test]
    public void Every_alert_is_tested_for_firing_and_for_silence()
    {
        var tested = DeployFiles.Documents(AlertTests)[0].List("tests")
            .SelectMany(test => test.List("alert_rule_test"))
            .ToLookup(test => test.Text("alertname")!, test => test.List("exp_alerts").Any());

        Assert.That(tested.Select(alert => alert.Key), Is.EquivalentTo(Rules().Select(rule => rule.Name)));
        foreach (var alert in tested)
            Assert.That(alert, Does.Contain(true).And.Contain(false), alert.Key);
    }

    [Test]
    public async Task Prometheus_of_compose_is_configured_as_promtool_wants_it()
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-");
        try
        {
            var file = Path.Combine(folder.FullName, "prometheus.yaml");
            await File.WriteAllTextAsync(file, DeployFiles.Text("compose/prometheus.yaml")
                .Replace("/etc/prometheus/alerts.yaml", DeployFiles.PathOf(Alerts), StringComparison.Ordinal));

            var promtool = await RunningProgram.RunAsync(Programs.Find("promtool"), "check", "config", file);
            Assert.That(promtool.ExitCode, Is.Zero, promtool.Everything);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        var job = DeployFiles.Documents("compose/prometheus.yaml")[0].At("scrape_configs/0")!;
        Assert.That(job.Text("job_name"), Is.EqualTo("polybalance"), "alerts go by it");
        var listeners = DeployFiles.Documents("compose/polybalance.yaml")[0].List("listeners");
        var exposing = listeners.Single(listener => listener.Texts("expose").Contains("metrics"));
        Assert.That(job.Text("static_configs/0/targets/0"), Is.EqualTo($"polybalance{exposing.Text("bind")}"));
    }

    private static void AssertAllExist(IReadOnlyList<string> queries)
    {
        var metrics = Metrics();
        foreach (var query in queries)
        {
            var uses = Regex.Matches(query, @"\b((?:polybalance|process)_\w+)(?:\{([^}]*)\})?");
            var known = new HashSet<string>(ForeignLabels);
            foreach (Match use in uses)
            {
                var name = metrics.ContainsKey(use.Groups[1].Value)
                    ? use.Groups[1].Value
                    : Regex.Replace(use.Groups[1].Value, "_(bucket|count|sum)$", "");
                Assert.That(metrics.Keys, Does.Contain(name), query);
                known.UnionWith(metrics[name]);
                var matched = Regex.Matches(use.Groups[2].Value, @"(\w+)(?:=~|!~|!=|=)");
                Assert.That(matched.Select(label => label.Groups[1].Value),
                    Is.SubsetOf(metrics[name].Concat(ForeignLabels)), query);
            }

            Assert.That(uses.Count > 0 || query.StartsWith("up{", StringComparison.Ordinal), query);
            var grouped = Regex.Matches(query, @"\bby \(([^)]*)\)").SelectMany(by => by.Groups[1].Value.Split(", "))
                .Distinct();
            Assert.That(grouped, Is.SubsetOf(known), query);
        }
    }

    private static IEnumerable<JsonElement> Variables()
        => Dashboard.GetProperty("templating").GetProperty("list").EnumerateArray().Skip(1);

    private static IEnumerable<(string Name, string Expression)> Rules()
        => DeployFiles.Documents(Alerts)[0].List("groups/0/rules")
            .Select(rule => (rule.Text("alert")!, rule.Text("expr")!));

    /// <summary>Name and labels of every metric, as surface/metrics.txt has them.</summary>
    private static Dictionary<string, string[]> Metrics()
        => File.ReadLines(Repository.PathOf("PolyBalance.Host", "surface", "metrics.txt"))
            .Select(line => Regex.Match(line, @"^(\w+)(?:\{([^}]*)\})? (?:counter|gauge|histogram|summary):"))
            .Where(match => match.Success)
            .ToDictionary(
                match => match.Groups[1].Value,
                match => match.Groups[2].Value.Split(',', StringSplitOptions.RemoveEmptyEntries));
}
