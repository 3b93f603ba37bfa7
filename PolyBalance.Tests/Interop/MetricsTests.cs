using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>Metrics under real load: what load programs count, and what Prometheus' tool thinks of it.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class MetricsTests(string transport)
{
    private const int LooksMax = 10_000;
    private const string Served = "requests_total{cluster=\"web\",route=\"/\",code=\"200\",method=\"GET\"}";

    private NginxBackend _backend = null!;
    private Gateway _gateway = null!;

    [SetUp]
    public async Task Start()
    {
        _backend = await NginxBackend.StartAsync("nginx-1");
        _gateway = await Gateway.StartAsync(transport, [_backend.Address], expose: "metrics");
    }

    [TearDown]
    public async Task Stop()
    {
        foreach (var started in (IAsyncDisposable?[])[_gateway, _backend])
        {
            if (started is not null)
                await started.DisposeAsync();
        }
    }

    [Test]
    public async Task Wrk_and_the_gateway_count_the_same()
    {
        const int Connections = 64;
        var wrk = await RunningProgram.RunAsync(
            Programs.Find("wrk"), $"-c{Connections}", "-t2", "-d2s", "--timeout", "30s", _gateway.At("/"));
        LoadProgramTests.AssertWrkIsContent(wrk);
        var counted = int.Parse(Regex.Match(wrk.Output, @"(\d+) requests in").Groups[1].Value);

        var scrape = await ScrapeAsync(isOver: true);

        // wrk leaves when its time is over, with a request on each connection that it does not count.
        var all = scrape.Sum("polybalance_requests_total", "cluster=\"web\"");
        Assert.That(scrape[Served], Is.InRange(counted, counted + Connections));
        Assert.That(all, Is.InRange(counted, counted + Connections));
        Assert.That(scrape.Sum("polybalance_backend_requests_total"), Is.EqualTo(all));
        Assert.That(scrape.Sum("polybalance_backend_request_duration_seconds_count"), Is.EqualTo(all));
    }

    [Test]
    public async Task H2load_and_the_gateway_count_the_same_to_the_last_request()
    {
        const int Requests = 12_800;
        var h2Load = await RunningProgram.RunAsync(
            Programs.Find("h2load"), "--h1", "-c", "64", "-n", $"{Requests}", _gateway.At("/"));
        Assert.That(h2Load.Output, Does.Contain($"{Requests} succeeded"), h2Load.Everything);

        var scrape = await ScrapeAsync(isOver: true);

        Assert.That(scrape[Served], Is.EqualTo(Requests));
        Assert.That(scrape.Sum("polybalance_requests_total", "cluster=\"web\""), Is.EqualTo(Requests));
        Assert.That(scrape.Sum("polybalance_backend_ttfb_seconds_count"), Is.EqualTo(Requests));
        Assert.That(scrape.Sum("polybalance_pool_opened_total") + scrape.Sum("polybalance_pool_reused_total"),
            Is.EqualTo(Requests));
    }

    [Test]
    public async Task Scrapes_under_load_are_whole_and_counters_never_fall()
    {
        var load = RunningProgram.RunAsync(
            Programs.Find("wrk"), "-c32", "-t2", "-d2s", "--timeout", "30s", _gateway.At("/"));
        var before = await ScrapeAsync(isOver: false);
        while (!load.IsCompleted)
        {
            var now = await ScrapeAsync(isOver: false);
            now.AssertHistogramsAreWhole();
            foreach (var (series, value) in before.Samples)
            {
                if (series.Contains("_total", StringComparison.Ordinal))
                    Assert.That(now.Samples[series], Is.AtLeast(value), series);
            }

            before = now;
        }

        LoadProgramTests.AssertWrkIsContent(await load);
        _gateway.AssertHealthy();
    }

    /// <summary>A second of waiting for a backend, of which hardly any is ours, however busy the machine is.</summary>
    [Test]
    public async Task Time_in_which_a_backend_is_waited_for_is_no_overhead()
    {
        var slow = new SampleBackendOptions { Delay = TimeSpan.FromMilliseconds(200) };
        await using var backend = SampleBackend.Start(slow, NullLoggerFactory.Instance);
        await using var gateway = await Gateway.StartAsync(transport, [backend.Address], expose: "metrics");
        for (var request = 0; request < 5; request++)
            await gateway.GetAsync("/");

        var scrape = new Scrape(await gateway.GetAsync("/metrics"));

        Assert.That(scrape["request_duration_seconds_sum"], Is.AtLeast(1));
        Assert.That(scrape.Sum("polybalance_backend_ttfb_seconds_sum"), Is.AtLeast(1));
        Assert.That(scrape["proxy_overhead_seconds_sum"], Is.GreaterThan(0).And.LessThan(0.5));
    }

    [Test]
    public async Task Promtool_finds_nothing_to_complain_of()
    {
        await _gateway.GetAsync("/");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, await _gateway.GetAsync("/metrics"));

        var promtool = await RunningProgram.RunAsync(Programs.Find("promtool"), ["check", "metrics"], file);
        File.Delete(file);

        Assert.That((promtool.ExitCode, promtool.Output, promtool.Errors), Is.EqualTo((0, "", "")),
            promtool.Everything);
    }

    // An exchange is counted when its response has been sent, which may be after its client has it.
    private async Task<Scrape> ScrapeAsync(bool isOver)
    {
        var last = default(Scrape)!;
        for (var look = 0; look < LooksMax; look++)
        {
            last = new(await _gateway.GetAsync("/metrics"));
            if (!isOver || (last.Sum("polybalance_backend_in_flight") == 0 && last["client_connections"] <= 1))
                return last;
        }

        Assert.Fail($"{last["client_connections"]} clients are still there");
        return last;
    }
}
