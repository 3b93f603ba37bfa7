using System.Globalization;
using NUnit.Framework;
using PolyBalance.Proxy;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>Server-Timing: what clients are told of where the time went.</summary>
internal sealed class TimingScenarios(Medium medium) : ScenarioTests(medium)
{
    private const string Trusting = "trusted_proxies: [ 127.0.0.0/8 ]";

    [Test]
    public async Task A_trusted_client_is_told_where_the_time_went_beside_what_the_backend_says()
    {
        await StartAsync(Listener($"{Trusting}, server_timing: true") + One);
        var client = await World.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabc");
        var first = await World.Backend("a").AcceptAsync();
        await first.ReadUntilAsync("abc");
        await World.WaitsForAsync(WaitKind.Client);
        World.Clock.Advance(TimeSpan.FromMilliseconds(7));
        await client.SendAsync("def");
        await first.ReadUntilAsync("def");
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(12));
        await first.SendAsync(ScriptedBackend.Ok(lines: "Server-Timing: db;dur=3\r\n"));
        var slow = await client.ReadResponseAsync();
        var slowRecord = await World.RecordAsync();

        // A connection that turns out to be stale.
        await client.SendGetAsync();
        await first.ReadRequestAsync();
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(20));
        first.Close();
        var second = await World.Backend("a").AcceptAsync();
        await second.ReadRequestAsync();
        await World.WaitsForAsync(WaitKind.FirstByte);
        World.Clock.Advance(TimeSpan.FromMilliseconds(30));
        await second.SendAsync(ScriptedBackend.Ok());
        var response = await client.ReadResponseAsync();
        var record = await World.RecordAsync();

        Assert.That(slow.Lines.Where(line => line.StartsWith("Server-Timing", StringComparison.Ordinal)),
            Is.EqualTo((string[])
            [
                "Server-Timing: db;dur=3",
                "Server-Timing: pb;dur=0, queue;dur=0, connect;dur=0, ttfb;dur=12, client;dur=7, attempt;desc=\"1\"",
            ]));
        Assert.That(slowRecord.TimeToFirstByte, Is.EqualTo(TimeSpan.FromMilliseconds(19)), "their sum");
        Assert.That(response["Server-Timing"],
            Is.EqualTo("pb;dur=0, queue;dur=0, connect;dur=0, ttfb;dur=50, attempt;desc=\"2\""));
        Assert.That(record.TimeToFirstByte, Is.EqualTo(TimeSpan.FromMilliseconds(50)));
    }

    [TestCase("server_timing: true")]
    [TestCase(Trusting)]
    [TestCase("server_timing: true, trusted_proxies: [ 10.0.0.0/8 ]")]
    public async Task Only_a_trusted_client_is_told_where_the_time_went_and_only_when_that_is_wanted(string keys)
    {
        await StartAsync(Listener(keys) + One);
        World.Backend("a").Answers(ScriptedBackend.Ok(lines: "Server-Timing: db;dur=3\r\n"));
        var client = await World.ConnectAsync();

        Assert.That((await client.GetAsync())["Server-Timing"], Is.EqualTo("db;dur=3"));
    }

    [Test]
    public async Task A_local_response_tells_a_trusted_client_where_the_time_went()
    {
        await StartAsync(
            Listener($"{Trusting}, server_timing: true") + OneWith("pool: { max_connections: 1 }"));
        var busy = await World.ConnectAsync();
        await busy.SendGetAsync();
        var backend = await World.Backend("a").AcceptAsync();
        await backend.ReadRequestAsync();
        var client = await World.ConnectAsync();
        await client.SendGetAsync();
        await World.WaitsForAsync(WaitKind.Queue);
        var reading = client.ReadResponseAsync();
        await World.AdvanceUntilAsync(reading, TimeSpan.FromSeconds(5));
        var response = await reading;
        var record = await World.RecordAsync();

        Assert.That(response.Status, Is.EqualTo(503));
        var queued = record.Timing.Queue.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        Assert.That(response["Server-Timing"], Is.EqualTo(
            $"pb;dur=0, queue;dur={queued}, connect;dur=0, ttfb;dur=0, attempt;desc=\"0\""));
        await backend.SendAsync(ScriptedBackend.Ok());
        await busy.ReadResponseAsync();
    }

    private static string Listener(string keys)
        => $"listeners: [ {{ bind: \"127.0.0.1:8000\", {keys} }} ]\n";
}
