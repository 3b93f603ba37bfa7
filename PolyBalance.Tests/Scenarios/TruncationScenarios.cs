using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Backends that fail in the middle of a response: the client can always tell. RFC 9112 §8.</summary>
internal sealed class TruncationScenarios(Medium medium) : ScenarioTests(medium)
{
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")]
    [TestCase("GET / HTTP/1.0\r\n\r\n")]
    public async Task A_response_that_stays_short_of_its_length_is_cut_off_visibly_and_not_retried(string request)
    {
        await StartAsync(Two);
        var (client, backend) = await BeginAsync(request, "Content-Length: 10\r\n\r\n");
        backend.Close();
        await IsCutOffAsync(client, "response_truncated");
    }

    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("GET / HTTP/1.0\r\n\r\n")]
    public async Task A_chunked_response_without_its_last_chunk_is_cut_off_visibly(string request)
    {
        await StartAsync(Two);
        var (client, backend) = await BeginAsync(request, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        backend.Close();
        await IsCutOffAsync(client, "response_truncated");
    }

    [TestCase("zz\r\n")]
    [TestCase("3\r\nabcX")]
    [TestCase("0\r\nbad line\r\n\r\n")]
    public async Task A_response_whose_chunks_break_in_the_middle_is_cut_off_visibly(string rest)
    {
        await StartAsync(Two);
        var (client, backend) = await BeginAsync(
            "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        await backend.SendAsync(rest);
        await IsCutOffAsync(client, "response_truncated");
    }

    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("GET / HTTP/1.0\r\n\r\n")]
    public async Task A_response_until_close_that_ends_in_a_reset_is_cut_off_visibly(string request)
    {
        await StartAsync(Two);
        var (client, backend) = await BeginAsync(request, "\r\nabc");
        backend.Reset();
        await IsCutOffAsync(client, "response_truncated");
    }

    // The client has the head, so the response has begun.
    private async Task<(ScriptedClient Client, ScriptedConnection Backend)> BeginAsync(string request, string answer)
    {
        var client = await World.ConnectAsync();
        await client.SendAsync(request);
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync($"HTTP/1.1 200 OK\r\n{answer}");
        Assert.That(await client.ReadHeadAsync(), Does.StartWith("HTTP/1.1 200"));
        return (client, backend);
    }

    private async Task IsCutOffAsync(ScriptedClient client, string reason)
    {
        var rest = await client.ReadToEndAsync();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That(rest, Does.Not.Contain("0\r\n\r\n"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((200, reason, 1)));
        Assert.That(World.BackendFailures, Is.EqualTo(1));
        Assert.That(World.Backend("a").Connections + World.Backend("b").Connections, Is.EqualTo(1));
    }
}
