using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Admin;

/// <summary>The stream of states that dashboards read: <c>GET /admin/events</c>.</summary>
internal sealed class EventsTests
{
    private const string One = """
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "127.0.0.1:9" }
        clusters: { web: { health: off, backends: [ { address: "127.0.0.1:2", name: a } ] } }
        """;

    private LiveGateway _gateway = null!;
    private HttpClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _gateway = await LiveGateway.StartAsync(One);
        _client = new();
    }

    [TearDown]
    public async Task End()
    {
        _client.Dispose();
        await _gateway.DisposeAsync();
    }

    [Test]
    public async Task The_first_state_comes_at_once_and_rates_with_the_second()
    {
        using var viewer = await JoinAsync();
        Assert.That(viewer.Type, Is.EqualTo("text/event-stream"));

        var first = await viewer.ReadAsync();
        using var refused = await _gateway.GetAsync("/");
        Assert.That((int)refused.StatusCode, Is.EqualTo(502));
        var second = await viewer.ReadAsync();

        Assert.That(first.GetProperty("traffic").GetProperty("per_second").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(second.GetProperty("traffic").GetProperty("per_second").GetDouble(), Is.GreaterThan(0));
        Assert.That(second.GetProperty("traffic").GetProperty("failures_per_second").GetDouble(), Is.GreaterThan(0));
        var cluster = second.GetProperty("clusters")[0];
        Assert.That(cluster.GetProperty("name").GetString(), Is.EqualTo("web"));
        var backend = cluster.GetProperty("backends")[0];
        Assert.That(backend.GetProperty("backend").GetProperty("id").GetString(), Is.EqualTo("a"));
        Assert.That(backend.GetProperty("traffic").GetProperty("failures_per_second").GetDouble(), Is.GreaterThan(0));
    }

    [Test]
    public async Task Only_so_many_may_watch_and_a_place_is_free_again_when_one_leaves()
    {
        var viewers = new List<Viewer>();
        for (var viewer = 0; viewer < Limits.ViewersMax; viewer++)
            viewers.Add(await JoinAsync());
        var (status, json, _) = await _gateway.AskAsync("GET", "/admin/events");
        Assert.That((status, json.GetProperty("reason").GetString()), Is.EqualTo((503, "too_many_viewers")));

        // Each of them is served, and who leaves is noticed with what is sent next.
        Assert.That((await viewers[^1].ReadAsync()).GetProperty("generation").GetInt32(), Is.EqualTo(1));
        foreach (var viewer in viewers)
            viewer.Dispose();
        for (var asked = 0; ; asked++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, At("/admin/events"));
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if ((int)response.StatusCode == 200)
                break;

            Assert.That(asked, Is.LessThan(200), "no place became free");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    [Test]
    public async Task The_stream_ends_with_the_gateway()
    {
        using var viewer = await JoinAsync();
        await viewer.ReadAsync();

        var rest = viewer.ReadToEndAsync();
        await _gateway.DisposeAsync();
        await rest.InTime();
        _gateway = await LiveGateway.StartAsync(One);
    }

    [Test]
    public async Task HEAD_gets_the_head_and_other_methods_get_nothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, At("/admin/events"));
        using var response = await _client.SendAsync(request).InTime();
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That(response.Content.Headers.ContentType?.MediaType, Is.EqualTo("text/event-stream"));

        var (status, _, refusal) = await _gateway.AskAsync("POST", "/admin/events", "{}");
        Assert.That(status, Is.EqualTo(405));
        Assert.That(refusal.Content.Headers.Allow, Is.EquivalentTo(new[] { "GET", "HEAD" }));
    }

    [TestCase("/admin", 308)]
    [TestCase("/admin/", 200)]
    [TestCase("/admin/dashboard.js", 200)]
    [TestCase("/admin/dashboard.css", 200)]
    [TestCase("/admin/icon.svg", 200)]
    public async Task The_dashboard_is_read_only_and_needs_no_token(string path, int expected)
    {
        const string Token = "a-token-that-nobody-guesses";
        await using var gateway = await LiveGateway.StartAsync(
            One.Replace("127.0.0.1:9\"", "127.0.0.1:9\", token_file: t", StringComparison.Ordinal), Token);
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler);

        var place = new Uri($"http://{gateway.Server.AdminAddress}{path}");
        using var response = await client.GetAsync(place);
        Assert.That((int)response.StatusCode, Is.EqualTo(expected));
        if (expected == 308)
        {
            Assert.That(response.Headers.Location?.ToString(), Is.EqualTo("/admin/"));
        }
        else
        {
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.That(policy, Does.StartWith("default-src 'none'; ").And.EndsWith("frame-ancestors 'none'"));
            Assert.That(await response.Content.ReadAsStringAsync(), Is.Not.Empty);
        }

        using var content = new StringContent("{}");
        using var refused = await client.PostAsync(place, content);
        Assert.That((int)refused.StatusCode, Is.EqualTo(405));
        Assert.That((await gateway.AskAsync("GET", "/admin/events")).Status, Is.EqualTo(401));
    }

    private Uri At(string path) => new($"http://{_gateway.Server.AdminAddress}{path}");

    private async Task<Viewer> JoinAsync()
    {
        var response = await _client.GetAsync(At("/admin/events"), HttpCompletionOption.ResponseHeadersRead).InTime();
        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        return new(response, new(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>Who watches.</summary>
    private sealed class Viewer(HttpResponseMessage response, StreamReader reader) : IDisposable
    {
        public string? Type => response.Content.Headers.ContentType?.MediaType;

        public async Task<JsonElement> ReadAsync()
        {
            Assert.That(await reader.ReadLineAsync().InTime(), Is.EqualTo("event: state"));
            var data = await reader.ReadLineAsync().InTime();
            Assert.That(data, Does.StartWith("data: {"));
            Assert.That(await reader.ReadLineAsync().InTime(), Is.Empty);
            return JsonDocument.Parse(data![6..]).RootElement;
        }

        // The connection may be cut off where it is.
        public async Task ReadToEndAsync()
        {
            try
            {
                await reader.ReadToEndAsync();
            }
            catch (IOException)
            {
            }
        }

        public void Dispose()
        {
            reader.Dispose();
            response.Dispose();
        }
    }
}
