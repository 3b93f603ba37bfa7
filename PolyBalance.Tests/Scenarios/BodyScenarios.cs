using System.Globalization;
using System.Security.Cryptography;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Bodies: how either side frames them, and that they are streamed both ways. RFC 9112 §6, §7.</summary>
internal sealed class BodyScenarios(Medium medium) : ScenarioTests(medium)
{
    // More than every buffer between the two ends holds: blocks, windows, what a system keeps for a socket.
    private const int Large = 24 * 1024 * 1024;

    [TestCase("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", "1234")]
    [TestCase("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", null)]
    [TestCase("GET", "HTTP/1.1 204 No Content\r\n\r\n", null)]
    [TestCase("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 99\r\n\r\n", "99")]
    public async Task Responses_without_a_body_have_none_whatever_their_fields_say(
        string method, string answer, string? length)
    {
        await StartAsync(One);
        World.Backend("a").Answers(request => request.StartLine.Contains("/last") ? ScriptedBackend.Ok() : answer);
        var client = await World.ConnectAsync();

        await client.SendAsync($"{method} / HTTP/1.1\r\nHost: h\r\n\r\n");
        var response = await client.ReadResponseAsync(hasBody: false);
        var next = await client.GetAsync("/last");

        Assert.That((response["Content-Length"], response["Transfer-Encoding"]), Is.EqualTo((length, (string?)null)));
        Assert.That(next.Text, Is.EqualTo("ok"));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_204_that_announces_a_body_has_none_and_ends_its_backend_connection()
    {
        await StartAsync(One);
        World.Backend("a").Answers("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
        var client = await World.ConnectAsync();

        var first = await client.GetAsync();
        var second = await client.GetAsync();

        Assert.That((first.Length, first["Connection"], second.Status), Is.EqualTo(((long?)null, (string?)null, 204)));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(2));
    }

    [Test]
    public async Task A_chunked_request_crosses_with_new_chunk_borders_and_its_trailer_section()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            + "2;a=\"b\"\r\nab\r\n00003;x\r\ncde\r\n0;last\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That((request.Text, request.IsChunked, request.Length), Is.EqualTo(("abcde", true, (long?)null)));
        Assert.That((request["Trailer"], request.Trailers), Is.EqualTo(("X-Sum", "X-Sum: 1\r\n\r\n")));
    }

    [Test]
    public async Task A_chunked_response_crosses_with_new_chunk_borders_and_its_trailer_section()
    {
        await StartAsync(One);
        World.Backend("a").Answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
            + "2;a=b\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 1\r\nSet-Cookie: evil=1\r\n\r\n");
        var client = await World.ConnectAsync();

        var response = await client.GetAsync();
        var next = await client.GetAsync();

        Assert.That((response.Text, response.IsChunked, response.IsWhole), Is.EqualTo(("abcde", true, true)));
        Assert.That((response["Trailer"], response.Trailers), Is.EqualTo(("X-Sum", "X-Sum: 1\r\n\r\n")));
        Assert.That(next.Text, Is.EqualTo("abcde"));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_chunked_request_of_any_size_and_cut_anywhere_crosses_whole()
    {
        await StartAsync(One);
        World.Backend("a").Answers(request => ScriptedBackend.Ok(Hash(request.Content)));
        var client = await World.ConnectAsync();
        var random = new Random(7);
        var content = new byte[300_000];
        random.NextBytes(content);

        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (var at = 0; at < content.Length;)
        {
            var length = Math.Min(random.Next(1, 9_000), content.Length - at);
            await client.SendAsync(string.Create(CultureInfo.InvariantCulture, $"{length:x}\r\n"));
            await client.SendAsync(content.AsMemory(at, length));
            await client.SendAsync("\r\n");
            at += length;
        }

        await client.SendAsync("0\r\n\r\n");
        Assert.That((await client.ReadResponseAsync()).Text, Is.EqualTo(Hash(content)));
    }

    [Test]
    public async Task The_first_bytes_of_a_response_go_on_while_the_rest_is_missing()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        Assert.That(await client.ReadHeadAsync(), Does.Contain("text/event-stream"));
        for (var index = 0; index < 5; index++)
        {
            await backend.SendAsync($"data: {index}\n\n");
            var chunk = $"9\r\ndata: {index}\n\n\r\n";
            Assert.That(await client.ReadTextAsync(chunk.Length), Is.EqualTo(chunk));
        }

        backend.Close();
        Assert.That(await client.ReadTextAsync(5), Is.EqualTo("0\r\n\r\n"));
    }

    [Test]
    public async Task The_first_bytes_of_a_request_go_on_while_the_rest_is_missing()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");

        var backend = await World.Backend("a").AcceptAsync();
        Assert.That(await backend.ReadHeadAsync(), Does.StartWith("POST"));
        foreach (var part in (string[])["abc", "def", "ghi"])
        {
            await client.SendAsync(part);
            Assert.That(await backend.ReadTextAsync(3), Is.EqualTo(part));
        }

        await backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Bodies_larger_than_all_buffers_cross_both_ways_at_once()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        var content = new byte[Large];
        new Random(1).NextBytes(content);

        await client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {Large}\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n");
        var sending = client.SendAsync(content);
        var echoing = EchoAsync(backend, Large);
        var response = await client.ReadResponseAsync();
        await Task.WhenAll(sending, echoing);

        Assert.That((response.IsWhole, Hash(response.Content)), Is.EqualTo((true, Hash(content))));
        var record = await World.RecordAsync();
        Assert.That(record.Outcome, Is.EqualTo((200, "", 1)));
        Assert.That((record.BytesIn, record.BytesOut), Is.EqualTo(((long)Large, (long)Large)));
    }

    [Test]
    public async Task A_client_that_stops_reading_stops_the_backend_and_costs_little_memory()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        var content = new byte[Large];
        await backend.SendAsync($"HTTP/1.1 200 OK\r\nContent-Length: {Large}\r\n\r\n");
        var sending = backend.SendAsync(content);
        await client.ReadHeadAsync();
        await IsStuckAsync(sending);
        Assert.That(World.Blocks.Rented, Is.LessThan(MostBlocks), "blocks");

        Assert.That(await client.ReadTextAsync(Large), Has.Length.EqualTo(Large));
        await sending;
    }

    [Test]
    public async Task A_backend_that_stops_reading_stops_the_client_and_costs_little_memory()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync($"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {Large}\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();

        var sending = client.SendAsync(new byte[Large]);
        await IsStuckAsync(sending);
        Assert.That(World.Blocks.Rented, Is.LessThan(MostBlocks), "blocks");

        Assert.That(await backend.ReadTextAsync(Large), Has.Length.EqualTo(Large));
        await sending;
        await backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    // In memory the test's own ends rent blocks, too; with tiny ones a window is a thousand blocks.
    private int MostBlocks => Medium == Medium.TinyBlocks ? 8_000 : 64;

    private static string Hash(byte[] content) => Convert.ToHexString(SHA256.HashData(content));

    private static async Task EchoAsync(ScriptedConnection backend, int length)
    {
        for (var left = length; left > 0;)
        {
            var part = await backend.ReadSomeAsync(left);
            await backend.SendAsync(part);
            left -= part.Length;
        }
    }
}
