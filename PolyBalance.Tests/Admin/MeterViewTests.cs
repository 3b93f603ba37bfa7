using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Admin;

/// <summary>What a listener to meters sees is what a scrape shows.</summary>
internal sealed class MeterViewTests
{
    // What the operating system says of the process is another number at every look.
    private static readonly string[] Restless = ["process_", "dotnet_"];

    [Test]
    public async Task A_listener_sees_every_figure_of_a_scrape_under_the_same_name_and_labels()
    {
        await using var backend = SampleBackend.Start(
            new() { Bind = "127.0.0.1:0", Name = "a" }, NullLoggerFactory.Instance);
        await using var gateway = await LiveGateway.StartAsync(
            $$"""
            listeners: [ { bind: "127.0.0.1:1" } ]
            admin: { bind: "127.0.0.1:9" }
            clusters: { web: { health: off, backends: [ { address: "{{backend.Address}}", name: "a" } ] } }
            routes: [ { match: { path: /a }, cluster: web } ]
            """);
        for (var count = 0; count < 5; count++)
            (await gateway.GetAsync(count == 0 ? "/other" : "/a")).Dispose();
        await Eventually.HoldsAsync(
            () => gateway.Server.Store.Current.Routes.Routes[0].Requests.Counts().Sum(one => one.Count) == 4,
            () => "every exchange is counted");

        // The gateway lives in this process, whose garbage is collected when it likes.
        static Dictionary<string, double> Steady(Dictionary<string, double> samples) => samples
            .Where(sample => !sample.Key.StartsWith("polybalance_gc_", StringComparison.Ordinal))
            .ToDictionary();
        var (_, _, response) = await gateway.AskAsync("GET", "/metrics");
        var scraped = Samples(await response.Content.ReadAsStringAsync());
        var first = Collect(gateway.Server);
        var second = Collect(gateway.Server);

        Assert.That(scraped, Has.Count.GreaterThan(100));
        Assert.That(scraped, Does.ContainKey("polybalance_requests_total{cluster=\"web\",route=\"/a\",code=\"200\","
            + "method=\"GET\"}").WithValue(4));
        Assert.That(first.Keys, Is.EquivalentTo(scraped.Keys));
        Assert.That(Steady(first), Is.EquivalentTo(Steady(scraped)));
        Assert.That(Steady(second), Is.EquivalentTo(Steady(scraped)), "read anew");
    }

    [Test]
    public async Task A_gateway_that_has_ended_shows_nothing()
    {
        var gateway = await LiveGateway.StartAsync(
            "listeners: [ { bind: \"127.0.0.1:1\" } ]\nadmin: off\nclusters: { web: { backends: [] } }");
        Assert.That(Collect(gateway.Server), Is.Not.Empty);

        await gateway.DisposeAsync();

        Assert.That(Collect(gateway.Server), Is.Empty);
    }

    private static Dictionary<string, double> Collect(ProxyServer server)
    {
        var seen = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (server.Meter.Has(instrument))
                listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            var labels = new List<string>();
            foreach (var tag in tags)
                labels.Add($"{tag.Key}=\"{tag.Value}\"");
            var name = instrument.Name + (labels.Count > 0 ? $"{{{string.Join(',', labels)}}}" : "");
            Assert.That(seen.TryAdd(name, value), $"{name} is there twice");
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return seen.Where(one => !IsRestless(one.Key)).ToDictionary();
    }

    private static Dictionary<string, double> Samples(string page)
        => page.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#' && !IsRestless(line))
            .Select(line => (Name: line[..line.LastIndexOf(' ')], Value: line[(line.LastIndexOf(' ') + 1)..]))
            .Where(one => one.Value != "NaN")
            .ToDictionary(one => one.Name, one => double.Parse(one.Value, CultureInfo.InvariantCulture));

    private static bool IsRestless(string name)
        => Array.Exists(Restless, start => name.StartsWith(start, StringComparison.Ordinal));
}
