using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Responses before the end of the request: final ones, and interim ones. RFC 9110 §10.1.1, §15.2.</summary>
internal sealed class EarlyResponseScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Expecting = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";

    [TestCase(413)]
    [TestCase(401)]
    public async Task An_early_final_response_goes_through_and_the_upload_stops(int status)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\nsome");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        Assert.That(await backend.ReadTextAsync(4), Is.EqualTo("some"));

        await backend.SendAsync($"HTTP/1.1 {status} No\r\nContent-Length: 6\r\n\r\nenough");
        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response.Text, response["Connection"]), Is.EqualTo((status, "enough", "close")));
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        await client.TrySendAsync(new byte[1000]);
        client.ShutdownOutput();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((status, "", 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task An_early_final_response_to_a_body_that_ends_in_time_keeps_the_backend_connection()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.ReadTextAsync(2);

        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nxy");
        Assert.That(await client.ReadHeadAsync(), Does.Contain("Connection: close"));
        Assert.That(await client.ReadTextAsync(2), Is.EqualTo("xy"));
        await client.SendAsync("cd");
        Assert.That(await backend.ReadTextAsync(2), Is.EqualTo("cd"));
        await backend.SendAsync("zz");
        Assert.That(await client.ReadTextAsync(2), Is.EqualTo("zz"));
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));

        var other = await World.ConnectAsync();
        await other.SendGetAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        Assert.That((await other.ReadResponseAsync()).Status, Is.EqualTo(200));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
    }

    [Test]
    public async Task A_client_that_goes_on_sending_after_an_early_final_response_still_gets_it()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.SendAsync("HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno");
        await backend.EndAsync();

        // A client that reads only when it has sent its part: a reset would destroy the response on its way.
        await client.TrySendAsync(new byte[2 * 1024 * 1024]);
        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(413));
    }

    [Test]
    public async Task A_client_that_waits_for_100_gets_the_backends()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync(Expecting);
        var backend = await World.Backend("a").AcceptAsync();
        Assert.That(await backend.ReadHeadAsync(), Does.Contain("Expect: 100-continue"));

        await backend.SendAsync("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n");
        var interim = await client.ReadResponseAsync();
        await client.SendAsync("body");
        Assert.That(await backend.ReadTextAsync(4), Is.EqualTo("body"));
        await backend.SendAsync(ScriptedBackend.Ok());
        var response = await client.ReadResponseAsync();

        Assert.That((interim.Status, interim["X-Early"], response.Status), Is.EqualTo((100, "1", 200)));
        Assert.That(response["Connection"], Is.Null);
    }

    [Test]
    public async Task A_final_response_instead_of_100_leaves_the_body_unread()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync(Expecting);
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();

        await backend.SendAsync("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
        var response = await client.ReadResponseAsync();

        Assert.That((response.Status, response["Connection"]), Is.EqualTo((417, "close")));
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        client.ShutdownOutput();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
    }

    [Test]
    public async Task A_client_that_does_not_wait_for_100_is_served_all_the_same()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync(Expecting + "body");
        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();

        await backend.SendAsync("HTTP/1.1 100 Continue\r\n\r\n" + ScriptedBackend.Ok());
        var first = await client.ReadResponseAsync();
        var second = await client.ReadResponseAsync();

        Assert.That((request.Text, first.Status, second.Status), Is.EqualTo(("body", 100, 200)));
        Assert.That(second["Connection"], Is.Null);
    }

    [Test]
    public async Task An_unknown_expectation_is_refused_with_417()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();

        var response = await client.GetAsync(lines: "Expect: a-miracle\r\n");

        Assert.That(response.Status, Is.EqualTo(417));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((417, "unknown_expectation", 0)));
    }

    [Test]
    public async Task Early_hints_go_through_before_the_final_response()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        await backend.SendAsync("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: x\r\n\r\n");
        var hint = await client.ReadResponseAsync();
        await backend.SendAsync("HTTP/1.1 103 Early Hints\r\nLink: </b.css>\r\n\r\n" + ScriptedBackend.Ok());
        var second = await client.ReadResponseAsync();
        var response = await client.ReadResponseAsync();

        Assert.That((hint.Status, hint["Link"], hint["Connection"]), Is.EqualTo((103, "</a.css>", (string?)null)));
        Assert.That((second["Link"], response.Status), Is.EqualTo(("</b.css>", 200)));
    }

    [Test]
    public async Task A_client_of_HTTP_1_0_gets_no_interim_response()
    {
        await StartAsync(One);
        World.Backend("a").Answers("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        await client.SendAsync("GET / HTTP/1.0\r\n\r\n");

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Interim_responses_without_end_are_a_malformed_answer()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendPostAsync("x");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        for (var index = 0; index <= Limits.InterimResponsesMax; index++)
            await backend.TrySendAsync("HTTP/1.1 103 Early Hints\r\n\r\n");
        for (var index = 0; index < Limits.InterimResponsesMax; index++)
            Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(103));

        Assert.That((await client.ReadResponseAsync()).Status, Is.EqualTo(502));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "malformed_response", 1)));
    }
}
