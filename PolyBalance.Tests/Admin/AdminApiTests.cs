using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Admin;

/// <summary>What operators ask and order over HTTP: every path, what it wants, and what it refuses.</summary>
internal sealed class AdminApiTests
{
    private const string Token = "a-token-that-nobody-guesses";

    private const string Two = """
        listeners: [ { bind: "127.0.0.1:1" } ]
        admin: { bind: "127.0.0.1:9" }
        clusters:
          web:
            health: off
            backends: [ { address: "127.0.0.1:2", name: a, weight: 2 }, { address: "127.0.0.1:3", name: b } ]
        """;

    // Path, its methods, and content that is right for the first of them that takes any.
    private static readonly (string Path, string Methods, string? Content)[] Paths =
    [
        ("/healthz", "GET HEAD", null),
        ("/readyz", "GET HEAD", null),
        ("/metrics", "GET HEAD", null),
        ("/admin/backends", "GET HEAD POST", """{"address":"127.0.0.1:4"}"""),
        ("/admin/backends/a", "GET HEAD PATCH DELETE", """{"weight":5}"""),
        ("/admin/backends/a/drain", "POST", ""),
        ("/admin/backends/a/resume", "POST", ""),
        ("/admin/algorithm", "GET HEAD POST", """{"algorithm":"p2c"}"""),
        ("/admin/health", "GET HEAD", null),
        ("/admin/errors", "GET HEAD", null),
        ("/admin/config", "GET HEAD", null),
        ("/admin/config/drift", "GET HEAD", null),
        ("/admin/reload", "POST", ""),
        ("/admin/plan", "POST", ""),
        ("/admin/explain", "POST", """{"url":"/"}"""),
    ];

    private LiveGateway _gateway = null!;

    [SetUp]
    public async Task Start() => _gateway = await LiveGateway.StartAsync(Two);

    [TearDown]
    public async Task End() => await _gateway.DisposeAsync();

    [Test]
    public async Task Every_path_refuses_every_method_it_does_not_know_and_names_those_it_does()
    {
        foreach (var (path, methods, _) in Paths)
        {
            foreach (var method in (string[])["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
            {
                if (methods.Split(' ').Contains(method))
                    continue;

                var (status, json, response) = await _gateway.AskAsync(method, path, method == "HEAD" ? null : "{}");
                Assert.That((method, path, status), Is.EqualTo((method, path, 405)));
                Assert.That(response.Content.Headers.Allow, Is.EquivalentTo(methods.Split(' ')), $"{method} {path}");
                if (method != "HEAD")
                    Assert.That(json.GetProperty("reason").GetString(), Is.EqualTo("method_not_allowed"));
            }
        }
    }

    [Test]
    public async Task Every_path_answers_the_methods_it_knows()
    {
        foreach (var (path, methods, content) in Paths)
        {
            foreach (var method in methods.Split(' ').Where(one => one is not ("DELETE" or "HEAD")))
            {
                var (status, json, response) = await _gateway.AskAsync(
                    method, path, method == "GET" ? null : content);
                var expected = path == "/admin/backends" && method == "POST" ? 201 : 200;
                Assert.That((method, path, status), Is.EqualTo((method, path, expected)));
                Assert.That(json.ValueKind == JsonValueKind.Object, Is.EqualTo(path != "/metrics"), path);
                Assert.That(response.Headers.CacheControl?.NoStore, Is.True, path);
            }
        }
    }

    [TestCase("/admin/index")]
    [TestCase("/admin/backend")]
    [TestCase("/admin/backends/")]
    [TestCase("/admin/health/")]
    [TestCase("/other")]
    public async Task A_path_that_is_not_there_is_not_found(string path)
    {
        foreach (var method in (string[])["GET", "POST"])
            Assert.That((await _gateway.AskAsync(method, path, method == "GET" ? null : "{}")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task Content_that_is_missing_no_JSON_no_object_or_unknown_is_refused_with_its_place()
    {
        foreach (var (path, method) in ((string, string)[])
            [("/admin/backends", "POST"), ("/admin/backends/a", "PATCH"), ("/admin/algorithm", "POST")])
        {
            foreach (var (content, problem) in ((string, string)[])
            [
                ("", "request:1:1: the content is missing; send JSON"),
                ("{ weight: 3 }", "request:1:3: the content is no JSON; send JSON"),
                ("[ 1 ]", "request:1:1: the content must be a JSON object; send `{ … }`"),
                ("{\n  \"no\": 1, \"weight\": 3, \"algorithm\": \"rr\", \"address\": \"x:1\" }",
                    "request:2:3: unknown key `no`"),
            ])
            {
                var (status, json, _) = await _gateway.AskAsync(method, path, content);
                Assert.That((path, content, status), Is.EqualTo((path, content, 400)));
                Assert.That(
                    json.GetProperty("errors").EnumerateArray().Select(one => one.GetProperty("message").GetString()),
                    Has.Some.StartsWith(problem), path);
            }
        }
    }

    [TestCase("POST", "/admin/backends", """{"address":"127.0.0.1:9","cluster":"nowhere"}""", 404, "unknown_cluster")]
    [TestCase("POST", "/admin/backends", """{"address":"127.0.0.1:2","name":"c"}""", 409, "duplicate")]
    [TestCase("POST", "/admin/backends", """{"address":"127.0.0.1:9","name":"a"}""", 409, "duplicate")]
    [TestCase("POST", "/admin/backends", """{"address":"127.0.0.1:70000"}""", 400, "bad_request")]
    [TestCase("POST", "/admin/backends", """{"name":"c"}""", 400, "bad_request")]
    [TestCase("PATCH", "/admin/backends/a", """{"weight":1001}""", 400, "bad_request")]
    [TestCase("PATCH", "/admin/backends/a", "{}", 400, "bad_request")]
    [TestCase("PATCH", "/admin/backends/z", """{"weight":1}""", 404, "unknown_backend")]
    [TestCase("DELETE", "/admin/backends/z", null, 404, "unknown_backend")]
    [TestCase("GET", "/admin/backends/z", null, 404, "unknown_backend")]
    [TestCase("POST", "/admin/backends/z/drain", "", 404, "unknown_backend")]
    [TestCase("POST", "/admin/backends/z/resume", "", 404, "unknown_backend")]
    [TestCase("POST", "/admin/algorithm", """{"algorithm":"fastest"}""", 400, "bad_request")]
    [TestCase("POST", "/admin/algorithm", """{"algorithm":"rr","cluster":"nowhere"}""", 404, "unknown_cluster")]
    [TestCase("POST", "/admin/plan", """{"config":"listeners: 1"}""", 422, "invalid_configuration")]
    [TestCase("POST", "/admin/explain", "{}", 400, "bad_request")]
    [TestCase("POST", "/admin/explain", """{"url":"/","headers":["no line"]}""", 400, "bad_request")]
    [TestCase("POST", "/admin/explain", """{"url":"/\r\nX: y"}""", 400, "bad_request")]
    [TestCase("POST", "/admin/explain", """{"url":"/","client_ip":"here"}""", 400, "bad_request")]
    public async Task What_cannot_be_done_says_why(
        string method, string path, string? content, int status, string reason)
    {
        var answer = await _gateway.AskAsync(method, path, content);

        Assert.That((answer.Status, answer.Json.GetProperty("reason").GetString()), Is.EqualTo((status, reason)));
        Assert.That(answer.Json.GetProperty("error").GetString(), Is.Not.Empty);
        Assert.That((await _gateway.AskAsync("GET", "/admin/config/drift")).Json.GetProperty("drifted").GetBoolean(),
            Is.False, "nothing has changed");
    }

    [Test]
    public async Task A_backend_comes_changes_drains_resumes_and_goes()
    {
        var (status, json, response) = await _gateway.AskAsync(
            "POST", "/admin/backends", """{"cluster":"web","address":"127.0.0.1:4","name":"c","weight":3}""");
        Assert.That((status, response.Headers.Location?.ToString(), json.GetProperty("id").GetString()),
            Is.EqualTo((201, "/admin/backends/c", "c")));
        await _gateway.AskAsync("PATCH", "/admin/backends/c", """{"weight":7}""");
        await _gateway.AskAsync("POST", "/admin/backends/c/drain", "");
        Assert.That(await BackendsAsync(), Is.EqualTo("a 2 healthy file, b 1 healthy file, c 7 draining runtime"));

        await _gateway.AskAsync("POST", "/admin/backends/c/resume", "");
        await _gateway.AskAsync("DELETE", "/admin/backends/b");
        Assert.That(await BackendsAsync(), Is.EqualTo("a 2 healthy file, c 7 healthy runtime"));

        Assert.That((await _gateway.AskAsync("DELETE", "/admin/backends/c")).Status, Is.EqualTo(204));
        Assert.That((await _gateway.AskAsync("GET", "/admin/config/drift")).Json.GetProperty("changes").ToString(),
            Does.Contain("backend web/b: removed").And.Not.Contain("web/c"));
    }

    [Test]
    public async Task A_new_backend_gets_nothing_before_a_probe_has_passed()
    {
        _gateway.Text = Two.Replace("health: off", "health: { interval: 1h }", StringComparison.Ordinal);
        await _gateway.AskAsync("POST", "/admin/reload", "");

        var added = await _gateway.AskAsync("POST", "/admin/backends", """{"address":"127.0.0.1:4","name":"c"}""");

        Assert.That((added.Json.GetProperty("state").GetString(), added.Json.GetProperty("eligible").GetBoolean()),
            Is.EqualTo(("unknown", false)));
    }

    [Test]
    public async Task The_algorithm_changes_for_new_requests_under_any_of_its_names()
    {
        var answer = await _gateway.AskAsync("POST", "/admin/algorithm", """{"algorithm":"Least-Connections"}""");

        Assert.That(answer.Json.GetProperty("algorithm").GetString(), Is.EqualTo("least_connections"));
        Assert.That(_gateway.Server.Store.Current.Clusters[0].Options.Algorithm, Is.EqualTo("least_connections"));
        Assert.That((await _gateway.AskAsync("GET", "/admin/algorithm")).Json.GetProperty("algorithm").GetString(),
            Is.EqualTo("least_connections"));
    }

    [Test]
    public async Task Fifty_writers_who_read_before_they_write_lose_nothing()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async writer =>
        {
            int status;
            do
            {
                var seen = await _gateway.AskAsync("GET", "/admin/backends/a");
                var weight = seen.Json.GetProperty("weight").GetInt32() + 1;
                var tag = seen.Response.Headers.ETag!.ToString();
                status = (await _gateway.AskAsync(
                    "PATCH", "/admin/backends/a", $"{{\"weight\":{weight}}}", $"If-Match: {tag}")).Status;
                Assert.That(status, Is.AnyOf(200, 412));
            }
            while (status == 412);
        }));

        var after = await _gateway.AskAsync("GET", "/admin/backends/a");
        Assert.That(after.Json.GetProperty("weight").GetInt32(), Is.EqualTo(2 + 50));
    }

    [Test]
    public async Task Every_write_and_every_reload_changes_the_tag_and_nothing_else_does()
    {
        var tags = new List<string>();
        foreach (var (method, path, content) in ((string, string, string?)[])
        [
            ("GET", "/admin/backends", null), ("POST", "/admin/algorithm", """{"algorithm":"rr"}"""),
            ("POST", "/admin/backends/a/drain", ""), ("POST", "/admin/reload", ""),
            ("PATCH", "/admin/backends/b", """{"weight":9}"""), ("DELETE", "/admin/backends/b", null),
            ("POST", "/admin/backends", """{"address":"127.0.0.1:4"}"""),
        ])
        {
            await _gateway.AskAsync(method, path, content);
            tags.Add(await TagAsync());
            Assert.That(await TagAsync(), Is.EqualTo(tags[^1]));
        }

        Assert.That(tags, Is.Unique);
        var stale = await _gateway.AskAsync("DELETE", "/admin/backends/a", null, $"If-Match: {tags[0]}");
        Assert.That((stale.Status, stale.Response.Headers.ETag?.ToString()), Is.EqualTo((412, tags[^1])));
        Assert.That((await _gateway.AskAsync("DELETE", "/admin/backends/a", null, "If-Match: *")).Status,
            Is.EqualTo(204));
    }

    [Test]
    public async Task Orders_of_foreign_pages_and_without_a_type_are_refused_and_leave_a_line_each()
    {
        var own = _gateway.Server.AdminAddress;
        foreach (var (origin, status) in ((string, int)[])
        [
            ("http://evil.example", 403), ("null", 403), ($"https://{own}", 403), ("http://127.0.0.1:1", 403),
            ($"http://{own}", 200),
        ])
        {
            var answer = await _gateway.AskAsync("POST", "/admin/reload", "{}", $"Origin: {origin}");
            Assert.That((origin, answer.Status), Is.EqualTo((origin, status)));
        }

        // A name that somebody has pointed at us is no origin of ours.
        var rebound = await _gateway.AskAsync(
            "POST", "/admin/reload", "{}", "Host: evil.example", "Origin: http://evil.example");
        Assert.That(rebound.Status, Is.EqualTo(403));
        Assert.That((await _gateway.AskAsync("POST", "/admin/reload")).Status, Is.EqualTo(415));
        Assert.That(_gateway.Lines.All.Count(line => line.Contains("POST /admin/reload", StringComparison.Ordinal)),
            Is.EqualTo(7));
    }

    [Test]
    public async Task With_a_token_everything_under_admin_wants_it_and_nothing_else_does()
    {
        await using var gateway = await LiveGateway.StartAsync(
            Two.Replace("bind: \"127.0.0.1:9\" }\nclusters", "bind: \"127.0.0.1:9\", token_file: t }\nclusters",
                StringComparison.Ordinal),
            Token);
        foreach (var (path, methods, content) in Paths)
        {
            var method = methods.Split(' ')[0];
            var isOpen = !path.StartsWith("/admin", StringComparison.Ordinal);
            foreach (var (field, mayPass) in ((string, bool)[])
            [
                ("X-Nothing: 1", false), ($"Authorization: Bearer {Token}x", false),
                ($"Authorization: Bearer {Token[1..]}", false),
                ("Authorization: Bearer", false), ($"Authorization: Basic {Token}", false),
                ($"Authorization: bearer {Token}", true),
            ])
            {
                var (status, _, response) = await gateway.AskAsync(
                    method, path, method == "GET" ? null : content, field);
                Assert.That((path, field, status), Is.EqualTo((path, field, mayPass || isOpen ? 200 : 401)));
                if (status == 401)
                    Assert.That(response.Headers.WwwAuthenticate.ToString(), Is.EqualTo("Bearer"));
            }
        }

        Assert.That((await gateway.AskAsync("GET", "/admin/nothing")).Status, Is.EqualTo(401));
    }

    [Test]
    public async Task The_configuration_is_shown_with_all_that_applies()
    {
        await _gateway.AskAsync("PATCH", "/admin/backends/a", """{"weight":5}""");

        var config = (await _gateway.AskAsync("GET", "/admin/config")).Json.GetProperty("config");

        Assert.That(config.GetProperty("cluster web").GetProperty("timeouts.response").GetString(), Is.EqualTo("30s"));
        Assert.That(config.GetProperty("backend web/a").GetProperty("weight").GetString(), Is.EqualTo("5"));
    }

    [Test]
    public async Task What_failed_lately_is_told_with_every_attempt_and_what_clients_do_is_not()
    {
        Assert.That((int)(await _gateway.GetAsync("/lost?x=1")).StatusCode, Is.EqualTo(502));
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(System.Net.IPEndPoint.Parse(_gateway.Server.TrafficAddresses[0]));
        await client.GetStream().WriteAsync("NO\r\n\r\n"u8.ToArray());
        Assert.That(await client.GetStream().ReadAsync(new byte[1]), Is.Positive);

        // It is recorded once its last byte has left: a moment after the client has it.
        var exchanges = default(JsonElement);
        for (var look = 0; look < 1_000 && (look == 0 || exchanges.GetArrayLength() == 0); look++)
            exchanges = (await _gateway.AskAsync("GET", "/admin/errors")).Json.GetProperty("exchanges");

        var one = exchanges.EnumerateArray().Single();
        Assert.That((one.GetProperty("path").GetString(), one.GetProperty("status").GetInt32()),
            Is.EqualTo(("/lost?x=1", 502)));
        Assert.That(one.GetProperty("reason").GetString(), Is.EqualTo("connect_refused"));
        Assert.That(
            one.GetProperty("attempts").EnumerateArray().Select(attempt
                => $"{attempt.GetProperty("backend")} {attempt.GetProperty("reason")}"),
            Is.EquivalentTo(["127.0.0.1:2 connect_refused", "127.0.0.1:3 connect_refused"]));
        Assert.That((one.GetProperty("side").GetString(), one.GetProperty("phase").GetString()),
            Is.EqualTo(("backend", "connect")));
        Assert.That(one.GetProperty("connect_ms").GetDouble(),
            Is.Positive.And.LessThanOrEqualTo(one.GetProperty("latency_ms").GetDouble()));
    }

    private async Task<string> TagAsync()
        => (await _gateway.AskAsync("GET", "/admin/backends")).Response.Headers.ETag!.ToString();

    private async Task<string> BackendsAsync()
        => string.Join(", ", (await _gateway.AskAsync("GET", "/admin/backends")).Json.GetProperty("backends")
            .EnumerateArray().Select(one => $"{one.GetProperty("name")} {one.GetProperty("weight")} "
                + $"{one.GetProperty("state")} {one.GetProperty("source")}"));
}
