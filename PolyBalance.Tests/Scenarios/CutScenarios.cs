using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>A peer may leave at any byte: no place makes half a message look whole.</summary>
internal sealed class CutScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Head = "HTTP/1.1 200 OK\r\nServer: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string Response = Head + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-T: 1\r\n\r\n";
    private const string Request =
        "PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n";

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_response_that_ends_at_any_byte_is_502_or_visibly_cut_off_unless_it_is_whole(bool resets)
    {
        await StartAsync(One);
        for (var length = 0; length <= Response.Length; length++)
        {
            var client = await World.ConnectAsync();
            await client.SendPostAsync("once");
            var backend = await World.Backend("a").AcceptAsync();
            await backend.ReadRequestAsync();
            if (length > 0)
                await backend.SendAsync(Response[..length]);
            if (resets && length < Response.Length)
                backend.Reset();
            else
                backend.Close();

            var response = await client.ReadResponseAsync();
            var expected = length < Head.Length ? (502, true) : (200, length == Response.Length);
            Assert.That((response.Status, response.IsWhole), Is.EqualTo(expected), $"after {length} bytes");
            if (!response.IsWhole)
                Assert.That(response.End, Is.EqualTo(WireEnd.Reset), $"after {length} bytes");
            client.Close();
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_request_that_ends_at_any_byte_never_looks_whole_to_the_backend(bool resets)
    {
        await StartAsync(OneWith("retries: off"));
        var head = Request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        for (var length = 1; length < Request.Length; length++)
        {
            var client = await World.ConnectAsync();
            await client.SendAsync(Request[..length]);
            if (length >= head)
            {
                var backend = await World.Backend("a").AcceptAsync();
                await backend.ReadHeadAsync();
                Leave(client, resets);
                Assert.That(await backend.ReadToEndAsync(), Does.Not.Contain("0\r\n"), $"after {length} bytes");
                Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset), $"after {length} bytes");
            }
            else
            {
                Leave(client, resets);
            }
        }

        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task An_exchange_of_single_bytes_is_like_any_other()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        var sending = SendSinglyAsync(client, Request);
        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await sending;
        var answering = SendSinglyAsync(backend, Response);
        var response = await client.ReadResponseAsync();
        await answering;

        Assert.That((request.Text, request.Trailers), Is.EqualTo(("abcde", "X-T: 1\r\n\r\n")));
        Assert.That((response.Text, response.Trailers), Is.EqualTo(("abcde", "X-T: 1\r\n\r\n")));
        Assert.That(response["Connection"], Is.Null);
    }

    private static async Task SendSinglyAsync(ScriptedConnection connection, string text)
    {
        foreach (var character in text)
            await connection.SendAsync(character.ToString());
    }

    private static void Leave(ScriptedClient client, bool resets)
    {
        if (resets)
            client.Reset();
        else
            client.Close();
    }
}
