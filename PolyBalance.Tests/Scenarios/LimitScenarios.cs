using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Requests that are refused: too large, ambiguous, or not HTTP. What the answer looks like.</summary>
internal sealed class LimitScenarios(Medium medium) : ScenarioTests(medium)
{
    [Test]
    public async Task A_head_that_is_too_large_is_431()
    {
        await StartAsync("limits: { head: 2KiB }\n" + One);
        await IsRefusedAsync($"GET / HTTP/1.1\r\nHost: h\r\nX: {new string('x', 2048)}\r\n\r\n", 431, "head_too_large");
    }

    [Test]
    public async Task A_head_with_too_many_field_lines_is_431()
    {
        await StartAsync(One);
        var lines = string.Concat(Enumerable.Range(0, 128).Select(index => $"X-{index}: x\r\n"));
        await IsRefusedAsync($"GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n", 431, "too_many_fields");
    }

    [Test]
    public async Task A_request_target_that_is_too_long_is_414()
    {
        await StartAsync(One);
        await IsRefusedAsync($"GET /{new string('x', 8 * 1024)} HTTP/1.1\r\nHost: h\r\n\r\n", 414, "target_too_long");
    }

    [TestCase("GET / HTTP/1.1\r\n\r\n", 400, "missing_host")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "repeated_host")]
    [TestCase("GET / HTTP/1.1\nHost: a\n\n", 400, "bare_line_feed")]
    [TestCase("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed_field")]
    [TestCase("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_request_line")]
    [TestCase("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400, "ambiguous_length")]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400, "invalid_content_length")]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "unknown_transfer_coding")]
    [TestCase("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "ambiguous_length")]
    [TestCase("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501, "connect_not_supported")]
    [TestCase("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "unsupported_version")]
    public async Task A_request_that_could_be_read_in_two_ways_is_refused(string request, int status, string reason)
    {
        await StartAsync(One);
        await IsRefusedAsync(request, status, reason);
    }

    [Test]
    public async Task Bytes_that_are_no_request_are_400_at_once()
    {
        await StartAsync(One);
        await IsRefusedAsync("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "malformed_request_line");
    }

    [Test]
    public async Task Content_that_announces_more_than_the_route_allows_is_413_before_a_backend_is_asked()
    {
        await StartAsync(One + "\nroutes: [ { cluster: app, max_body: 1KiB } ]");
        await IsRefusedAsync(
            "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1025\r\nExpect: 100-continue\r\n\r\n",
            413, "content_too_large");
        Assert.That(World.Backend("a").Connections, Is.Zero);
    }

    [Test]
    public async Task Content_that_turns_out_to_be_more_than_the_route_allows_is_413()
    {
        await StartAsync(One + "\nroutes: [ { cluster: app, max_body: 1KiB } ]");
        var client = await World.ConnectAsync();
        var part = $"200\r\n{new string('x', 512)}\r\n";
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + part + part);
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();

        await client.SendAsync("1\r\nx\r\n");
        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((413, "close")));
        await backend.ReadToEndAsync();
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((413, "content_too_large", 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [TestCase("zz\r\n", "malformed_chunk")]
    [TestCase("1 \r\nx\r\n", "malformed_chunk")]
    [TestCase("1\r\nxy", "malformed_chunk")]
    [TestCase("0\r\nX : y\r\n\r\n", "malformed_trailer")]
    public async Task A_body_that_breaks_in_the_middle_is_400_and_ends_the_backend_exchange(
        string broken, string reason)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadUntilAsync("xyz");

        await client.SendAsync(broken);
        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((400, "close")));
        Assert.That(await backend.ReadToEndAsync(), Does.Not.Contain("0\r\n\r\n"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((400, reason, 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task Every_refusal_is_JSON_with_the_same_four_keys()
    {
        await StartAsync(One + "\nroutes: [ { match: { path: /app }, cluster: app } ]");
        World.Backend("a").StopListening();
        var client = await World.ConnectAsync();

        foreach (var (path, backend) in ((string, string)[])[("/other", ""), ("/app", World.Backend("a").Address)])
        {
            var response = await client.GetAsync(path);
            var record = await World.RecordAsync();
            using var json = JsonDocument.Parse(response.Content);
            var keys = json.RootElement.EnumerateObject().Select(property => property.Name);

            Assert.That(response["Content-Type"], Is.EqualTo("application/json"));
            Assert.That(keys, Is.EqualTo((string[])["error", "reason", "backend", "request_id"]));
            Assert.That(json.RootElement.GetProperty("error").GetString(), Is.Not.Empty);
            Assert.That(json.RootElement.GetProperty("reason").GetString(), Is.EqualTo(record.Reason));
            Assert.That(json.RootElement.GetProperty("backend").GetString(), Is.EqualTo(backend));
            Assert.That(json.RootElement.GetProperty("request_id").GetString(), Is.EqualTo(response["X-Request-Id"]));
            Assert.That(record.BytesOut, Is.EqualTo(response.Content.Length));
        }
    }

    [Test]
    public async Task A_refusal_of_HEAD_has_no_content()
    {
        await StartAsync("clusters: { app: { backends: [] } }");
        var client = await World.ConnectAsync();

        await client.SendAsync("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        var head = await client.ReadResponseAsync(hasBody: false);
        var get = await client.GetAsync();

        Assert.That((head.Status, head.Length > 0, get.Status), Is.EqualTo((503, true, 503)));
    }

    [Test]
    public async Task One_client_too_many_is_refused_until_another_leaves()
    {
        await StartAsync("limits: { connections: 2 }\n" + One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var first = await World.ConnectAsync();
        var second = await World.ConnectAsync();
        await first.GetAsync();
        await second.GetAsync();

        var third = await World.ConnectAsync();
        await third.TrySendAsync("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        var refusal = await third.ReadToEndAsync();
        Assert.That(refusal, Does.StartWith("HTTP/1.1 503 ").And.Contain("too_many_connections"));
        Assert.That((await first.GetAsync()).Status, Is.EqualTo(200));

        first.Close();
        await Eventually.HoldsAsync(() => World.Server.ClientConnections < 2, () => "the first client has gone");
        var fourth = await World.ConnectAsync();
        Assert.That((await fourth.GetAsync()).Status, Is.EqualTo(200));
    }

    private async Task IsRefusedAsync(string request, int status, string reason)
    {
        var client = await World.ConnectAsync();
        await client.SendAsync(request);
        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((status, "close")));
        Assert.That(response.Text, Does.Contain($"\"reason\":\"{reason}\""));
        client.ShutdownOutput();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((status, reason, 0)));
    }
}
