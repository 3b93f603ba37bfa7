using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Server;

/// <summary>The configuration is taken up anew while traffic flows: all of it, or nothing.</summary>
internal sealed class ReloadTests
{
    private const string Head = """
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "127.0.0.1:9" }

        """;

    private SampleBackend _a = null!;
    private SampleBackend _b = null!;
    private LiveGateway _gateway = null!;

    [SetUp]
    public async Task Start()
    {
        _a = SampleBackend.Start(new() { Bind = "127.0.0.1:0", Name = "a" }, NullLoggerFactory.Instance);
        _b = SampleBackend.Start(new() { Bind = "127.0.0.1:0", Name = "b" }, NullLoggerFactory.Instance);
        _gateway = await LiveGateway.StartAsync(Head + Cluster(_a.Address));
    }

    [TearDown]
    public async Task End()
    {
        await _gateway.DisposeAsync();
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Test]
    public async Task What_came_and_went_serves_and_is_told()
    {
        Assert.That(await BodyAsync(), Does.Contain("from a"));
        _gateway.Text = Head + Cluster(_b.Address);

        var (status, json, _) = await _gateway.AskAsync("POST", "/admin/reload", "");

        Assert.That((status, json.GetProperty("applied").GetBoolean(), json.GetProperty("generation").GetInt32()),
            Is.EqualTo((200, true, 2)));
        Assert.That(json.GetProperty("added")[0].GetString(), Is.EqualTo($"backend web/{_b.Address}"));
        Assert.That(json.GetProperty("removed")[0].GetString(), Is.EqualTo($"backend web/{_a.Address}"));
        Assert.That(await BodyAsync(), Does.Contain("from b"));
    }

    [Test]
    public async Task Where_all_backends_are_replaced_or_the_cluster_is_renamed_nobody_is_refused_meanwhile()
    {
        foreach (var (name, backend) in ((string, SampleBackend)[])[("web", _a), ("web", _b), ("app", _b), ("api", _a)])
        {
            _gateway.Text = Head
                + $"clusters: {{ {name}: {{ backends: [ \"{backend.Address}\", \"127.0.0.1:9\" ] }} }}\n";

            Assert.That((await _gateway.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(200));

            // In force, and nobody has asked the backend since.
            var cluster = _gateway.Server.Store.Current.Clusters.Single();
            Assert.That((cluster.Name, cluster.Eligible.Length), Is.EqualTo((name, 1)));
            Assert.That(await BodyAsync(), Does.Contain(backend == _a ? "from a" : "from b"));
        }
    }

    [Test]
    public async Task Traces_begin_and_end_with_a_reload_also_on_connections_that_are_open()
    {
        using var trap = new SpanTrap();
        using var client = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 });
        var traces = new List<string>();
        foreach (var section in (string[])["", "tracing: { sample: 100% }", "", "tracing: { sample: 100% }"])
        {
            _gateway.Text = Head + Cluster(_a.Address) + section;
            Assert.That((await _gateway.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(200));
            traces.Add(System.Diagnostics.ActivityTraceId.CreateRandom().ToHexString());
            using var request = new HttpRequestMessage(
                HttpMethod.Get, $"http://{_gateway.Server.TrafficAddresses[0]}/");
            request.Headers.Add("traceparent", $"00-{traces[^1]}-00f067aa0ba902b7-00");
            using var response = await client.SendAsync(request);
            Assert.That((int)response.StatusCode, Is.EqualTo(200));
        }

        // The last exchange is over, and so are those before it on its connection.
        await Eventually.HoldsAsync(() => trap.Of(traces[3]).Length == 2, () => "the last trace is there");
        Assert.That(traces.Select(trace => trap.Of(trace).Length), Is.EqualTo((int[])[0, 2, 0, 2]));
    }

    [Test]
    public async Task A_bad_file_changes_nothing_and_every_error_is_told()
    {
        var before = _gateway.Server.Store.Current;
        _gateway.Text = Head + Cluster(_b.Address) + "limit: 3\nlogging: { access: xml }\n";

        var (status, json, _) = await _gateway.AskAsync("POST", "/admin/reload", "");

        Assert.That((status, json.GetProperty("errors").GetArrayLength()), Is.EqualTo((422, 2)));
        Assert.That(json.GetProperty("errors")[0].GetProperty("message").GetString(),
            Does.StartWith("live.yaml:4:1: unknown key `limit`; did you mean `limits`?"));
        Assert.That(_gateway.Server.Store.Current, Is.SameAs(before));
        Assert.That(_gateway.Lines.All, Has.Some.StartsWith("E Not reloaded, and nothing has changed: 2 errors"));
        Assert.That(await BodyAsync(), Does.Contain("from a"));
    }

    [Test]
    public async Task An_address_that_cannot_be_had_and_an_obstacle_outside_change_nothing()
    {
        var before = _gateway.Server.Store.Current;
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        _gateway.Text = Head.Replace("} ]", $"}}, {{ bind: \"{taken.LocalEndpoint}\" }} ]", StringComparison.Ordinal)
            + Cluster(_b.Address);
        var refused = await _gateway.AskAsync("POST", "/admin/reload", "");
        Assert.That(refused.Status, Is.EqualTo(422));
        Assert.That(refused.Json.GetProperty("error").GetString(), Does.Contain("Cannot listen on"));

        _gateway.Text = Head.Replace("} ]", "}, { bind: \"127.0.0.1:2\" } ]", StringComparison.Ordinal)
            + Cluster(_b.Address);
        _gateway.Obstacle = new("live.yaml", 0, 0, "the log is full", "empty it");
        Assert.That((await _gateway.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(422));
        Assert.That(_gateway.Server.Store.Current, Is.SameAs(before));
        Assert.That(_gateway.Adopted, Is.Null);
        Assert.That(_gateway.Server.TrafficAddresses, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Listeners_come_and_go_and_the_others_keep_their_clients()
    {
        var first = _gateway.Server.TrafficAddresses[0];
        using var stays = new TcpClient();
        await stays.ConnectAsync(IPEndPoint.Parse(first));
        await AskOverAsync(stays, "/", "200");
        _gateway.Text = Head.Replace("} ]", "}, { bind: \"127.0.0.1:2\" } ]", StringComparison.Ordinal)
            + Cluster(_a.Address);
        await _gateway.Server.ReloadConfigurationAsync();
        Assert.That(_gateway.Server.TrafficAddresses[0], Is.EqualTo(first));
        var second = _gateway.Server.TrafficAddresses[1];
        using var leaves = new TcpClient();
        await leaves.ConnectAsync(IPEndPoint.Parse(second));
        await AskOverAsync(leaves, "/", "200");

        _gateway.Text = Head + Cluster(_a.Address);
        await _gateway.Server.ReloadConfigurationAsync();

        Assert.That(await leaves.GetStream().ReadAsync(new byte[1]).AsTask().InTime(), Is.Zero, "it is closed");
        using var late = new TcpClient();
        Assert.That(async () => await late.ConnectAsync(IPEndPoint.Parse(second)),
            Throws.InstanceOf<SocketException>());
        await AskOverAsync(stays, "/", "200");
    }

    [Test]
    public async Task What_a_listener_exposes_and_allows_changes_for_clients_that_are_there_already()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(_gateway.Server.TrafficAddresses[0]));
        await AskOverAsync(client, "/healthz", "hello from a");
        _gateway.Text = Head
            .Replace("127.0.0.1:1\" }", "127.0.0.1:1\", expose: [ healthz ] }", StringComparison.Ordinal)
            + Cluster(_a.Address) + "limits: { fields: 1 }\n";
        await _gateway.Server.ReloadConfigurationAsync();

        await AskOverAsync(client, "/healthz", "alive");
        await AskOverAsync(client, "/", "431", "X-One: 1\r\n");
    }

    [Test]
    public async Task Unchanged_backends_keep_their_connections_and_counters_through_a_hundred_reloads()
    {
        await BodyAsync();
        var backend = _gateway.Server.Store.Current.Backends().Single();
        for (var round = 0; round < 100; round++)
        {
            _gateway.Text = Head + Cluster(_a.Address)
                + (round % 3 == 0 ? "nonsense" : $"limits: {{ fields: {100 + round} }}\n");
            await _gateway.Server.ReloadConfigurationAsync();
            Assert.That(await BodyAsync(), Does.Contain("from a"));
        }

        Assert.That(_gateway.Server.Store.Current.Backends().Single(), Is.SameAs(backend));
        Assert.That((backend.Pool.Opened, backend.Requests), Is.EqualTo((1, 101)));
    }

    [Test]
    public async Task What_was_changed_at_run_time_survives_unless_the_file_changes_it_too()
    {
        var id = Uri.EscapeDataString(_a.Address);
        await _gateway.AskAsync("PATCH", $"/admin/backends/{id}", """{"weight":5}""");
        await _gateway.AskAsync("POST", "/admin/algorithm", """{"algorithm":"random"}""");
        _gateway.Text = Head + Cluster(_a.Address, "least_connections");

        var (_, json, _) = await _gateway.AskAsync("POST", "/admin/reload", "");

        Assert.That(json.GetProperty("runtime_kept").ToString(), Does.Contain("weight 5"));
        Assert.That(json.GetProperty("runtime_superseded").ToString(), Does.Contain("algorithm random"));
        var options = _gateway.Server.Store.Current.Options.Clusters[0];
        Assert.That((options.Algorithm, options.Backends[0].Weight), Is.EqualTo(("least_connections", 5)));
    }

    [Test]
    public async Task Two_hundred_sessions_stay_where_they_are_through_reloads_good_and_bad()
    {
        _gateway.Text = Head + Sticky();
        await _gateway.Server.ReloadConfigurationAsync();
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        var sessions = new List<(string Cookie, string Home)>();
        for (var session = 0; session < 200; session++)
        {
            using var first = await AskAsync(client, cookie: null);
            var cookie = first.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
            sessions.Add((cookie, await first.Content.ReadAsStringAsync()));
        }

        Assert.That(sessions.Select(session => session.Home).Distinct().Count(), Is.EqualTo(2));
        for (var round = 0; round < 10; round++)
        {
            // Other limits, another backend without weight, a bad file, and back.
            var other = round % 2 == 0 ? ", { address: \"127.0.0.1:5\", weight: 0 }" : "";
            _gateway.Text = Head + Sticky(other) + (round % 3 == 2 ? "nonsense: 1\n" : "");
            await _gateway.Server.ReloadConfigurationAsync();
            foreach (var (cookie, home) in sessions)
            {
                using var response = await AskAsync(client, cookie);
                Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(home));
                Assert.That(response.Headers.Contains("Set-Cookie"), Is.False);
            }
        }
    }

    [Test]
    public async Task A_plan_tells_the_same_and_does_nothing()
    {
        var before = _gateway.Server.Store.Current;
        var text = (Head + Cluster(_b.Address) + "transport: sockets\n").Replace("\n", "\\n", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal);

        var (status, json, _) = await _gateway.AskAsync("POST", "/admin/plan", $"{{\"config\":\"{text}\"}}");

        Assert.That((status, json.GetProperty("applied").GetBoolean()), Is.EqualTo((200, false)));
        Assert.That(json.GetProperty("added").ToString(), Does.Contain(_b.Address));
        Assert.That(json.GetProperty("needs_restart").ToString(), Does.Contain("transport auto → sockets"));
        Assert.That(_gateway.Server.Store.Current, Is.SameAs(before));
    }

    [Test]
    public async Task Nothing_is_taken_up_any_more_once_the_end_has_begun()
    {
        _gateway.Server.AnnounceDrain();

        Assert.That((await _gateway.AskAsync("POST", "/admin/reload", "")).Status, Is.EqualTo(422));
    }

    [Test]
    public async Task A_reload_under_way_leaves_no_listener_behind_when_the_end_begins()
    {
        using var isPreparing = new SemaphoreSlim(0);
        using var mayGoOn = new SemaphoreSlim(0);
        _gateway.Preparing = () =>
        {
            isPreparing.Release();
            mayGoOn.Wait();
        };
        _gateway.Text = Head.Replace("} ]", "}, { bind: \"127.0.0.1:2\" } ]", StringComparison.Ordinal)
            + Cluster(_a.Address);
        var reload = Task.Run(_gateway.Server.ReloadConfigurationAsync);
        await isPreparing.WaitAsync().InTime();
        var drain = _gateway.Server.DrainAsync(TimeSpan.FromSeconds(10));
        mayGoOn.Release();
        await Task.WhenAll(reload, drain).InTime();

        foreach (var address in _gateway.Server.TrafficAddresses)
        {
            using var late = new TcpClient();
            Assert.That(async () => await late.ConnectAsync(IPEndPoint.Parse(address)),
                Throws.InstanceOf<SocketException>(), address);
        }
    }

    [Test]
    public async Task Variables_of_a_text_that_is_planned_are_those_of_the_configuration_and_not_of_the_order()
    {
        var text = (Head + Cluster("${NOWHERE}")).Replace("\n", "\\n", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal);

        var (status, json, _) = await _gateway.AskAsync(
            "POST", "/admin/plan", $"{{\"config\":\"{text}\",\"name\":\"new.yaml\"}}");

        Assert.That(status, Is.EqualTo(422));
        Assert.That(json.GetProperty("errors")[0].GetProperty("message").GetString(),
            Does.StartWith("new.yaml:3:").And.Contains("`NOWHERE` is not set"));
    }

    private static string Cluster(string address, string algorithm = "round_robin")
        => $"clusters: {{ web: {{ algorithm: {algorithm}, health: off, backends: [ \"{address}\" ] }} }}\n";

    private string Sticky(string more = "")
        => "clusters: { web: { health: off, sticky: { max_age: 1h }, backends: [ "
            + $"\"{_a.Address}\", \"{_b.Address}\"{more} ] }} }}\n";

    private async Task<HttpResponseMessage> AskAsync(HttpClient client, string? cookie)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri($"http://{_gateway.Server.TrafficAddresses[0]}/"));
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        return await client.SendAsync(request);
    }

    private static async Task AskOverAsync(TcpClient client, string path, string expected, string fields = "")
    {
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
        var buffer = new byte[4096];
        var text = "";
        while (!text.Contains(expected, StringComparison.Ordinal))
        {
            var length = await stream.ReadAsync(buffer).AsTask().InTime();
            Assert.That(length, Is.Positive, $"{expected} is missing in {text}");
            text += Encoding.ASCII.GetString(buffer, 0, length);
        }
    }

    private async Task<string> BodyAsync() => await (await _gateway.GetAsync("/")).Content.ReadAsStringAsync();
}
