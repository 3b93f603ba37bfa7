using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Discovery;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Support;
using PolyBalance.Tests.Topology;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Admin;

internal sealed class MetricsTextTests
{
    private readonly Worlds _worlds = new();
    private readonly GatewayMetrics _metrics = new();
    private readonly EventCounters _lookUps = new(LookUpOutcomes.Labels.Length);

    [OneTimeTearDown]
    public async Task End() => await _worlds.DisposeAsync();

    [Test]
    public void Every_family_is_written_once_and_in_its_order()
    {
        var scrape = Write(_worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }"));

        Assert.That(scrape.Families, Is.EqualTo(MetricFamilies.All.Select(family => family.Name)));
        Assert.That(scrape.Families, Is.Unique);
    }

    [Test]
    public void Every_way_to_fail_has_a_label_of_its_own()
    {
        var snapshot = _worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }");
        var metrics = new GatewayMetrics();
        foreach (ref readonly var failure in Failure.All)
            metrics.Errors.Add((int)failure.Kind);

        var series = Write(snapshot, metrics).Samples.Keys;

        Assert.That(series.Count(one => one.Contains("_request_errors_total{", StringComparison.Ordinal)),
            Is.EqualTo(Failure.All.Length));
    }

    [Test]
    public void Look_ups_are_counted_by_name_and_by_what_came_of_them()
    {
        var before = _lookUps[(int)LookUpOutcome.TimedOut];
        _lookUps.Add((int)LookUpOutcome.TimedOut);

        var scrape = Write(_worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }"));

        Assert.That(scrape["dns_lookups_total{name=\"app.example.\",result=\"timed_out\"}"], Is.EqualTo(before + 1));
        Assert.That(scrape["dns_answer_age_seconds{name=\"app.example.\"}"], Is.EqualTo(2));
        Assert.That(LookUpOutcomes.Labels, Has.Length.EqualTo(Enum.GetValues<LookUpOutcome>().Length));
    }

    [Test]
    public void A_reload_keeps_what_was_counted_of_what_it_keeps()
    {
        const string Routes = "routes: [ { match: { path: /api }, cluster: api }, { cluster: web } ]";
        var first = _worlds.Build(
            "clusters: { web: { backends: [ \"10.0.0.1:80\" ] }, api: { backends: [ \"10.0.0.2:80\" ] } }\n" + Routes);
        first.Routes.Routes[0].Requests.Add(1, 200);
        first.Routes.Routes[1].Requests.Add(1, 404);
        first.Clusters[0].Backends[0].Metrics.Statuses.Add(404);

        var next = _worlds.Build(
            "clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.3:80\" ] }, "
            + "api: { backends: [ \"10.0.0.2:80\" ] } }\n"
            + Routes.Replace("[ {", "[ { match: { path: /new }, cluster: web }, {", StringComparison.Ordinal), first);
        var scrape = Write(next);

        Assert.That(scrape[Requests("api", "/api", "200")], Is.EqualTo(1));
        Assert.That(scrape[Requests("web", "/", "404")], Is.EqualTo(1));
        Assert.That(scrape["backend_requests_total{cluster=\"web\",backend=\"10.0.0.1:80\",code=\"404\"}"],
            Is.EqualTo(1));
        Assert.That(scrape["config_generation"], Is.EqualTo(2));
    }

    [Test]
    public void Another_verdict_is_another_snapshot_and_no_other_generation()
    {
        var first = _worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\", \"10.0.0.2:80\" ] } }");
        first.Routes.Routes[0].Requests.Add(1, 200);
        first.Clusters[0].Backends[0].Judge(Verdict.Unhealthy);

        var next = SnapshotBuilder.Refresh(first);
        var scrape = Write(next);

        Assert.That((next.Version, next.Config), Is.EqualTo((2L, first.Config)));
        Assert.That(scrape[Requests("web", "/", "200")], Is.EqualTo(1));
        Assert.That(scrape["backends{cluster=\"web\",state=\"unhealthy\"}"], Is.EqualTo(1));
        Assert.That(scrape["backends{cluster=\"web\",state=\"healthy\"}"], Is.EqualTo(1));
        Assert.That(scrape["backend_healthy{cluster=\"web\",backend=\"10.0.0.1:80\"}"], Is.Zero);
        Assert.That(scrape["backend_healthy{cluster=\"web\",backend=\"10.0.0.2:80\"}"], Is.EqualTo(1));
    }

    [Test]
    public void Two_routes_that_are_written_the_same_way_count_together()
    {
        var snapshot = _worlds.Build("clusters: { web: { backends: [ \"10.0.0.1:80\" ] } }\nroutes: "
            + "[ { match: { host: a.example }, cluster: web }, { match: { host: a.example }, cluster: web } ]");
        snapshot.Routes.Routes[0].Requests.Add(1, 200);
        snapshot.Routes.Routes[1].Requests.Add(1, 200);

        var scrape = Write(snapshot);

        Assert.That(scrape.Sum("polybalance_requests_total"), Is.EqualTo(2));
        Assert.That(scrape[Requests("web", "a.example/", "200")], Is.EqualTo(2));
    }

    /// <summary>The time is told and not held to anything: machines differ.</summary>
    [Test]
    public void A_thousand_backends_are_written_and_the_time_is_told()
    {
        var addresses = Enumerable.Range(0, 1000).Select(number => $"\"10.0.{number / 250}.{number % 250 + 1}:80\"");
        var backends = string.Join(", ", addresses);
        var snapshot = _worlds.Build($"clusters: {{ web: {{ backends: [ {backends} ] }} }}");
        var random = new Random(1);
        foreach (var backend in snapshot.Backends())
        {
            for (var count = 0; count < 100; count++)
            {
                backend.Metrics.Duration.Record(TimeSpan.FromMilliseconds(0.2 + (random.NextDouble() * 20)));
                backend.Metrics.FirstByte.Record(TimeSpan.FromMilliseconds(0.2 + (random.NextDouble() * 10)));
                backend.Metrics.Statuses.Add(200);
            }
        }

        var scrape = Write(snapshot);
        var started = TimeProvider.System.GetTimestamp();
        Write(snapshot, _metrics, out var length);
        var time = TimeProvider.System.GetElapsedTime(started);
        TestContext.Out.WriteLine($"{time.TotalMilliseconds:0.0} ms, {length} bytes");

        Assert.That(scrape.Sum("polybalance_backend_requests_total"), Is.EqualTo(100_000));
        scrape.AssertHistogramsAreWhole();
    }

    private static string Requests(string cluster, string route, string code)
        => $"requests_total{{cluster=\"{cluster}\",route=\"{route}\",code=\"{code}\",method=\"GET\"}}";

    private Scrape Write(Snapshot snapshot, GatewayMetrics? metrics = null)
        => new(Write(snapshot, metrics ?? _metrics, out _));

    private string Write(Snapshot snapshot, GatewayMetrics metrics, out long length)
    {
        var view = new GatewayView(
            new(snapshot), null!, static () => [], metrics, _worlds.Memory, NullLogger.Instance)
        {
            Names = () => [new(new(LookUpKind.Addresses, "app.example."), _lookUps, TimeSpan.FromSeconds(2), null)],
            Clock = TimeProvider.System,
            ClientConnections = () => 3,
            IsHandingOver = static () => false,
            UpgradeAsync = static () => Task.FromResult(UpgradeOutcome.Impossible),
            IsLeaving = () => false,
            LinesDropped = () => 0,
            SpansDropped = () => 0,
            ReloadAsync = () => throw new NotSupportedException(),
            PlanAsync = (_, _) => throw new NotSupportedException(),
            Stop = CancellationToken.None,
        };
        using var content = new PagedContent();
        new MetricsText(view).Write(new MetricsPage(content));
        length = content.Content.Length;
        return Encoding.UTF8.GetString(content.Content);
    }
}
