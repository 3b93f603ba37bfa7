using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Clients that leave: the backend's exchange ends at once, and nobody is blamed.</summary>
internal sealed class ClientGoneScenarios(Medium medium) : ScenarioTests(medium)
{
    [TestCase(false)]
    [TestCase(true)]
    public async Task A_client_that_leaves_while_the_backend_thinks_ends_the_backend_exchange(bool resets)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        Leave(client, resets);

        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        await IsNobodysFaultAsync();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_client_that_leaves_while_it_uploads_ends_the_backend_exchange(bool resets)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nxyz");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadUntilAsync("xyz");

        Leave(client, resets);

        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        await IsNobodysFaultAsync();
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_client_that_leaves_in_the_middle_of_a_response_ends_the_backend_exchange(bool resets)
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxyz");
        await client.ReadUntilAsync("xyz");

        Leave(client, resets);

        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        await IsNobodysFaultAsync();
    }

    [Test]
    public async Task A_client_that_leaves_while_the_response_waits_for_it_ends_the_backend_exchange()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await backend.SendAsync("HTTP/1.1 200 OK\r\n\r\n");
        await client.ReadHeadAsync();
        var sending = backend.TrySendAsync(new byte[32 * 1024 * 1024]);
        await client.ReadTextAsync(1000);

        client.Reset();

        Assert.That(await sending, Is.False);
        await IsNobodysFaultAsync();
    }

    [Test]
    public async Task A_client_that_leaves_behind_another_request_is_noticed_when_its_response_is_sent()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync("/1");
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        await client.SendGetAsync("/2");
        client.Reset();

        await backend.TrySendAsync("HTTP/1.1 200 OK\r\n\r\n");
        Assert.That(await backend.TrySendAsync(new byte[32 * 1024 * 1024]), Is.False);

        Assert.That((await World.RecordAsync()).Reason, Is.EqualTo("client_closed"));
        Assert.That((World.Backend("a").Connections, World.BackendFailures), Is.EqualTo((1, 0L)));
    }

    [Test]
    public async Task A_client_that_says_it_will_send_nothing_more_has_left()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();

        client.ShutdownOutput();

        Assert.That(await backend.EndAsync(), Is.EqualTo(WireEnd.Reset));
        await IsNobodysFaultAsync();
        Assert.That(await client.EndAsync(), Is.Not.EqualTo(WireEnd.None));
    }

    [Test]
    public async Task A_client_that_leaves_while_another_attempt_runs_ends_that_one()
    {
        await StartAsync(Two);
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        var (_, backend) = await World.AcceptAsync();
        await backend.ReadRequestAsync();
        backend.Close();
        var (_, next) = await World.AcceptAsync();
        await next.ReadRequestAsync();

        client.Close();

        Assert.That(await next.EndAsync(), Is.EqualTo(WireEnd.Reset));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((499, "client_closed", 2)));
        Assert.That(World.BackendFailures, Is.EqualTo(1));
    }

    [Test]
    public async Task A_client_that_leaves_in_the_middle_of_a_head_is_recorded_without_a_backend()
    {
        await StartAsync(One);
        var client = await World.ConnectAsync();
        await client.SendAsync("GET / HTTP/1.1\r\nHos");

        client.ShutdownOutput();

        Assert.That(await client.EndAsync(), Is.Not.EqualTo(WireEnd.None));
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((499, "client_closed", 0)));
        Assert.That(World.Backend("a").Connections, Is.Zero);
    }

    [Test]
    public async Task A_client_that_leaves_between_exchanges_leaves_no_record_and_the_backend_connection_stays()
    {
        await StartAsync(One);
        World.Backend("a").Answers(ScriptedBackend.Ok());
        var first = await World.ConnectAsync();
        await first.GetAsync();
        first.Close();
        await Eventually.HoldsAsync(() => World.Server.ClientConnections == 0, () => "the first client has gone");

        var second = await World.ConnectAsync();
        await second.GetAsync(lines: "Connection: close\r\n");
        await second.EndAsync();

        Assert.That((World.RecordCount, World.Backend("a").Connections), Is.EqualTo((2, 1)));
    }

    private static void Leave(ScriptedClient client, bool resets)
    {
        if (resets)
            client.Reset();
        else
            client.Close();
    }

    private async Task IsNobodysFaultAsync()
    {
        Assert.That((await World.RecordAsync()).Outcome, Is.EqualTo((499, "client_closed", 1)));
        Assert.That(World.BackendFailures, Is.Zero);
    }
}
