using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Discovery;

/// <summary>A gateway whose backends are found by name: what clients get, what operators see and may do.</summary>
internal sealed class FoundBackendsTests
{
    private readonly List<SampleBackend> _backends = [];
    private ScriptedNameServer _names = null!;
    private LiveGateway _gateway = null!;
    private int _port;

    private string Head => $$"""
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "127.0.0.1:9" }
        dns: { servers: [ "{{_names.Address}}" ] }

        """;

    private string App => $"{{ dns: \"app.example.:{_port}\" }}";

    [SetUp]
    public async Task Start()
    {
        _port = FreePort.Next();
        for (var last = 2; last <= 3; last++)
        {
            _backends.Add(SampleBackend.Start(
                new() { Bind = $"127.0.0.{last}:{_port}", Name = $"{last}" }, NullLoggerFactory.Instance));
        }

        _names = new() { Answer = question => question.With("127.0.0.2", "127.0.0.3") };
        _gateway = await LiveGateway.StartAsync(Head + $"clusters: {{ web: {{ backends: [ {App} ] }} }}\n");
    }

    [TearDown]
    public async Task End()
    {
        await _gateway.DisposeAsync();
        _names.Dispose();
        foreach (var backend in _backends)
            await backend.DisposeAsync();
        _backends.Clear();
    }

    [Test]
    public async Task They_are_found_and_probed_before_anybody_listens()
    {
        Assert.That((int)(await _gateway.GetAsync("/")).StatusCode, Is.EqualTo(200));
        Assert.That(_gateway.Lines.All, Has.Some.EqualTo(
            "I Probed before listening: of 2 backends 2 are healthy, 0 not, 0 unknown"));
    }

    [Test]
    public async Task Operators_see_what_they_were_found_by()
    {
        var (_, list, _) = await _gateway.AskAsync("GET", "/admin/backends");
        Assert.That(list.GetProperty("backends").EnumerateArray().Select(one => $"{one.GetProperty("source")}"),
            Is.EqualTo(["dns app.example.", "dns app.example."]));

        var (_, config, _) = await _gateway.AskAsync("GET", "/admin/config");
        var groups = config.GetProperty("config");
        Assert.That($"{groups.GetProperty($"backend web/127.0.0.2:{_port}").GetProperty("source")}",
            Is.EqualTo("dns app.example."));
        Assert.That($"{groups.GetProperty($"backends web/dns app.example.:{_port}").GetProperty("dns")}",
            Is.EqualTo($"app.example.:{_port}"));

        using var client = new HttpClient();
        var metrics = await client.GetStringAsync(new Uri($"http://{_gateway.Server.AdminAddress}/metrics"));
        Assert.That(metrics, Does.Contain(
            "polybalance_dns_lookups_total{name=\"app.example.\",result=\"found\"} 1"));
        Assert.That(metrics, Does.Contain("polybalance_dns_answer_age_seconds{name=\"app.example.\"} "));
    }

    [Test]
    public async Task They_can_be_drained_and_weighted_and_only_that_is_drift()
    {
        Assert.That((await DriftAsync()).GetProperty("drifted").GetBoolean(), Is.False);
        Assert.That((await _gateway.AskAsync("POST", $"/admin/backends/127.0.0.2:{_port}/drain", "")).Status,
            Is.EqualTo(200));
        Assert.That((await _gateway.AskAsync("PATCH", $"/admin/backends/127.0.0.3:{_port}", """{"weight":5}""")).Status,
            Is.EqualTo(200));

        var drift = await DriftAsync();
        Assert.That(drift.GetProperty("changes").EnumerateArray().Select(one => $"{one}"), Is.EqualTo((string[])
            [$"backend web/127.0.0.2:{_port}: drain true", $"backend web/127.0.0.3:{_port}: weight 5"]));
        Assert.That((drift.GetProperty("added").GetArrayLength(), drift.GetProperty("removed").GetArrayLength()),
            Is.EqualTo((0, 0)));
        for (var request = 0; request < 10; request++)
            Assert.That(await BodyAsync(), Does.Contain("from 3"));
    }

    [Test]
    public async Task They_cannot_be_removed_since_the_next_answer_would_bring_them_back()
    {
        var (status, json, _) = await _gateway.AskAsync("DELETE", $"/admin/backends/127.0.0.2:{_port}", "");

        Assert.That((status, $"{json.GetProperty("reason")}"), Is.EqualTo((409, "found_by_name")));
        Assert.That($"{json.GetProperty("error")}", Does.Contain("dns app.example."));
        var (added, _, _) = await _gateway.AskAsync(
            "POST", "/admin/backends", $$"""{"address":"127.0.0.2:{{_port}}"}""");
        Assert.That(added, Is.EqualTo(409), "it is there already");
    }

    [Test]
    public async Task Who_moves_from_addresses_to_a_name_and_back_keeps_backends_and_loses_nothing()
    {
        var before = _gateway.Server.Store.Current.Backends().ToList();
        foreach (var backends in (string[])[$"\"127.0.0.2:{_port}\", \"127.0.0.3:{_port}\"", App])
        {
            _gateway.Text = Head + $"clusters: {{ web: {{ backends: [ {backends} ] }} }}\n";
            Assert.That((await _gateway.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(200));
            Assert.That(_gateway.Server.Store.Current.Backends(), Is.EqualTo(before));
            Assert.That((int)(await _gateway.GetAsync("/")).StatusCode, Is.EqualTo(200));
        }
    }

    [Test]
    public async Task A_reload_with_a_name_that_cannot_be_looked_up_is_taken_up_all_the_same()
    {
        _names.Answer = question => question.Name == "app.example"
            ? question.With("127.0.0.2", "127.0.0.3")
            : question.Reply(code: 2);
        _gateway.Text = Head + $"clusters: {{ web: {{ backends: [ {App}, {{ dns: \"new.example.:80\" }} ] }} }}\n";

        Assert.That((await _gateway.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(200));

        Assert.That(_gateway.Server.Store.Current.Backends().Count(), Is.EqualTo(2));
        await Eventually.HoldsAsync(
            () => _gateway.Lines.All.Any(line => line.StartsWith(
                "W dns new.example. cannot be looked up since now, and the 0 places", StringComparison.Ordinal)),
            () => "it is told");
    }

    private async Task<JsonElement> DriftAsync() => (await _gateway.AskAsync("GET", "/admin/config/drift")).Json;

    private async Task<string> BodyAsync() => await (await _gateway.GetAsync("/")).Content.ReadAsStringAsync();
}
