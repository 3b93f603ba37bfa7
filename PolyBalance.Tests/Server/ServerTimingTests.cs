using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Server;

/// <summary>Server-Timing over real sockets, by a real clock.</summary>
internal sealed partial class ServerTimingTests
{
    [Test]
    public async Task What_a_client_is_told_sums_up_to_what_was_measured()
    {
        await using var backend = SampleBackend.Start(
            new() { Bind = "127.0.0.1:0", Name = "a", Delay = TimeSpan.FromMilliseconds(5) },
            NullLoggerFactory.Instance);
        var sink = new FirstBytes();
        await using var gateway = await LiveGateway.StartAsync(
            $$"""
            listeners: [ { bind: "127.0.0.1:1", trusted_proxies: [ 127.0.0.1 ], server_timing: true } ]
            admin: off
            clusters: { web: { health: off, pool: { max_connections: 2 }, backends: [ "{{backend.Address}}" ] } }
            """,
            sink: sink);

        // More at once than the backend has places: some wait for one.
        var responses = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => gateway.GetAsync($"/{number}")));

        foreach (var response in responses)
        {
            var timing = response.Headers.GetValues("Server-Timing").Single();
            var id = response.Headers.GetValues("X-Request-Id").Single();
            var sum = Durations().Matches(timing)
                .Sum(part => double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture));
            await Eventually.HoldsAsync(() => sink.OfRequest.ContainsKey(id), () => "it is recorded");
            Assert.That(sum, Is.EqualTo(sink.OfRequest[id].TotalMilliseconds).Within(1), timing);
            Assert.That(sum, Is.GreaterThanOrEqualTo(4), timing);
            response.Dispose();
        }

        Assert.That(responses.Select(response => response.Headers.GetValues("Server-Timing").Single()),
            Has.Some.Match("queue;dur=[1-9]"));
    }

    [GeneratedRegex("dur=([0-9.]+)")]
    private static partial Regex Durations();

    /// <summary>How long each exchange took to its first byte, by its request id.</summary>
    private sealed class FirstBytes : IExchangeSink
    {
        public ConcurrentDictionary<string, TimeSpan> OfRequest { get; } = [];

        public void Record(in ExchangeRecord exchange)
            => OfRequest[Encoding.ASCII.GetString(exchange.RequestId.Span)] = exchange.TimeToFirstByte;
    }
}
