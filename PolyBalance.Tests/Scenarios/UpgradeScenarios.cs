using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Upgrades and the tunnels that they become. RFC 9110 §7.8.</summary>
internal sealed class UpgradeScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Asking = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: k\r\n";

    private const string Switching =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + "Sec-WebSocket-Accept: s\r\n\r\n";

    [Test]
    public async Task An_upgrade_becomes_a_tunnel_both_ways()
    {
        await StartAsync(One);
        var (client, backend) = await OpenAsync();

        for (var index = 0; index < 3; index++)
        {
            await client.SendAsync("\x01up");
            Assert.That(await backend.ReadTextAsync(3), Is.EqualTo("\x01up"));
            await backend.SendAsync("down");
            Assert.That(await client.ReadTextAsync(4), Is.EqualTo("down"));
        }

        backend.Close();
        Assert.That(await client.EndAsync(), Is.EqualTo(WireEnd.Closed));
        client.Close();
        var record = await World.RecordAsync();
        Assert.That((record.Outcome, record.BytesIn, record.BytesOut), Is.EqualTo(((101, "", 1), 9L, 12L)));
    }

    [Test]
    public async Task A_client_that_has_said_everything_still_hears_the_backend()
    {
        await StartAsync(One);
        var (client, backend) = await OpenAsync();

        await client.SendAsync("bye");
        client.ShutdownOutput();
        Assert.That(await backend.ReadToEndAsync(), Is.EqualTo("bye"));
        await backend.SendAsync("and good luck");
        backend.Close();

        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("and good luck"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((101, "", 1)));
    }

    [Test]
    public async Task A_backend_that_has_said_everything_still_hears_the_client()
    {
        await StartAsync(One);
        var (client, backend) = await OpenAsync();

        await backend.SendAsync("bye");
        backend.ShutdownOutput();
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("bye"));
        await client.SendAsync("and good luck");
        client.Close();

        Assert.That(await backend.ReadToEndAsync(), Is.EqualTo("and good luck"));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((101, "", 1)));
    }

    [Test]
    public async Task A_reset_of_one_side_of_a_tunnel_resets_the_other()
    {
        await StartAsync(One);
        var (client, backend) = await OpenAsync();
        client.Reset();
        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));

        var (second, other) = await OpenAsync();
        other.Reset();
        Assert.That(await second.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That(World.BackendFailures, Is.Zero);
    }

    [Test]
    public async Task Bytes_that_come_together_with_the_heads_of_an_upgrade_cross()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync($"GET / HTTP/1.1\r\nHost: h\r\n{Asking}\r\nearly up");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadHeadAsync();
        await backend.SendAsync(Switching + "early down");

        await client.ReadHeadAsync();
        Assert.That(await client.ReadTextAsync(10), Is.EqualTo("early down"));
        Assert.That(await backend.ReadTextAsync(8), Is.EqualTo("early up"));
        backend.Close();
        await client.EndAsync();
    }

    [Test]
    public async Task A_tunnel_carries_more_than_all_buffers_both_ways_at_once()
    {
        const int Length = 8 * 1024 * 1024;
        await StartAsync(One);
        var (client, backend) = await OpenAsync();

        var up = client.SendAsync(new string('u', Length));
        var down = backend.SendAsync(new string('d', Length));
        var heard = await Task.WhenAll(client.ReadTextAsync(Length), backend.ReadTextAsync(Length));
        await Task.WhenAll(up, down);

        Assert.That(heard[0].AsSpan().ContainsAnyExcept('d'), Is.False);
        Assert.That(heard[1].AsSpan().ContainsAnyExcept('u'), Is.False);
        client.Close();
        backend.Close();
    }

    [Test]
    public async Task An_upgrade_that_the_backend_refuses_is_an_ordinary_exchange()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var client = await World.ConnectAsync();

        var refused = await client.GetAsync(lines: Asking);
        var next = await client.GetAsync();

        Assert.That((refused.Status, refused["Connection"], next.Status), Is.EqualTo((200, (string?)null, 200)));
        Assert.That(World.Backend("a").Connections, Is.EqualTo(1));
    }

    [TestCase("Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n")]
    [TestCase("Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n")]
    [TestCase("Upgrade: websocket\r\n")]
    public async Task An_upgrade_that_is_not_for_tunnels_is_not_passed_on(string lines)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync(lines: lines);
        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        await backend.SendAsync(ScriptedBackend.Ok());
        await client.ReadResponseAsync();

        Assert.That((request["Upgrade"], request["Connection"]), Is.EqualTo(((string?)null, (string?)null)));
    }

    [TestCase("")]
    [TestCase("Upgrade: h2c\r\nConnection: Upgrade\r\n")]
    [TestCase("Upgrade: chat\r\nConnection: Upgrade\r\n")]
    public async Task A_switch_that_nobody_asked_for_is_a_malformed_answer(string lines)
    {
        await StartAsync(OneWith("retries: off"));
        World.Backend("a").Answers(Switching);
        var client = await World.ConnectAsync();

        var response = await client.GetAsync(lines: lines);

        Assert.That(response.Status, Is.EqualTo(502));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((502, "malformed_response", 1)));
    }

    private async Task<(ScriptedClient Client, ScriptedConnection Backend)> OpenAsync()
    {
        var client = await World.ConnectAsync();
        await client.SendGetAsync("/chat", Asking);
        var backend = await World.Backend("a").AcceptAsync();
        var request = await backend.ReadRequestAsync();
        Assert.That((request["Upgrade"], request["Connection"]), Is.EqualTo(("websocket", "upgrade")));

        await backend.SendAsync(Switching);
        var response = await client.ReadResponseAsync();
        Assert.That((response.Status, response["Upgrade"], response["Connection"], response["Sec-WebSocket-Accept"]),
            Is.EqualTo((101, "websocket", "upgrade", "s")));
        return (client, backend);
    }
}
