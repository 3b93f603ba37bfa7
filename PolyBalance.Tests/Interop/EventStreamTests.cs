using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>Server-sent events, with no setting: each is here before the next one exists.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class EventStreamTests(string transport)
{
    private const int Events = 25;

    [Test]
    public async Task Events_arrive_one_by_one()
    {
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(transport, [node.Address]);
        using var patience = new CancellationTokenSource(RunningProgram.Patience);
        await using var stream = await gateway.Http.GetStreamAsync(
            new Uri("/events", UriKind.Relative), patience.Token);
        using var reader = new StreamReader(stream);

        // The backend sends an event only when told to, past the gateway; it is told only after the one before has
        // arrived. An event that lingered anywhere would stop this here.
        for (var number = 1; number <= Events; number++)
        {
            await node.NextEventAsync();
            Assert.That(await reader.ReadLineAsync(patience.Token), Is.EqualTo($"id: {number}"));
            Assert.That(await reader.ReadLineAsync(patience.Token), Is.EqualTo($"data: event {number}"));
            Assert.That(await reader.ReadLineAsync(patience.Token), Is.Empty);
        }

        await node.EndEventsAsync();
        Assert.That(await reader.ReadLineAsync(patience.Token), Is.Null, "the stream ends in good order");
        gateway.AssertHealthy();
    }

    [Test]
    public async Task A_client_that_closes_its_event_stream_ends_it_at_the_backend()
    {
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(transport, [node.Address]);
        using (var stream = await gateway.Http.GetStreamAsync(new Uri("/events", UriKind.Relative)))
        {
            await node.NextEventAsync();
            Assert.That(stream.ReadByte(), Is.EqualTo('i'));
        }

        Assert.That(await node.AbortsAsync(1), Is.EqualTo("yes"));
        gateway.AssertHealthy();
    }
}
