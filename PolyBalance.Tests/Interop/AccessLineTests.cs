using System.Globalization;
using System.Text.Json;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>
/// The access log of a real run: one line for every request, whatever became of it. Written above the transport, so one
/// is enough.
/// </summary>
[Platform("Linux", Reason = "signals and /proc")]
internal sealed class AccessLineTests
{
    private static readonly string[] Keys =
    [
        "time", "client_ip", "method", "path", "host", "cluster", "backend", "status", "latency_ms", "bytes_in",
        "bytes_out", "request_id", "attempts", "reason", "queue_ms", "connect_ms", "ttfb_ms", "client_ms",
        "overhead_ms",
    ];

    [Test]
    public async Task Every_request_is_one_line_with_exactly_the_promised_keys()
    {
        var curl = Programs.Find("curl");
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(
            Transports.Auto,
            $$"""
            clusters: { app: {{Gateway.Cluster([node.Address])}} }
            routes: [ { match: { path: /app/ }, cluster: app } ]
            """);

        await CurlAsync("-H", "Host: example.test", gateway.At("/app/a?b=%20c&d"));
        await CurlAsync("-d", "1234567", gateway.At("/app/post"));
        await CurlAsync("-I", gateway.At("/app/head"));
        await CurlAsync("-X", "DELETE", gateway.At("/app/[1-5]"));
        await CurlAsync(gateway.At("/elsewhere"));
        using (var mad = await RawClient.ConnectAsync(gateway.Address))
        {
            await mad.SendAsync("GET  /two-spaces HTTP/1.1\r\nHost: x\r\n\r\n");
            await mad.ReceiveToEndAsync();
        }

        using (var leaver = await RawClient.ConnectAsync(gateway.Address))
        {
            await leaver.SendAsync("GET /app/hold HTTP/1.1\r\nHost: x\r\n\r\n");
            await node.HoldsAsync(1);
        }

        await node.AbortsAsync(1);

        gateway.AssertHealthy();
        Assert.That((await gateway.StopAsync()).ExitCode, Is.Zero);

        var lines = gateway.AccessLines();
        foreach (var line in lines)
        {
            // Whose fault it was is added where something failed, and what became of each attempt where one did.
            var added = Text(line, "reason") switch
            {
                "" => (string[])[],
                "client_closed" => ["side", "phase", "attempt_details"],
                _ => ["side", "phase"],
            };
            var names = line.EnumerateObject().Select(member => member.Name);
            Assert.That(names, Is.EqualTo((string[])[.. Keys, .. added]));
        }

        var exchanges = lines.Select(
            line => $"{Text(line, "method")} {Text(line, "path")} {line.GetProperty("status")} {Text(line, "reason")}");
        Assert.That(
            exchanges,
            Is.EqualTo((string[])
            [
                "GET /app/a?b=%20c&d 200 ", "POST /app/post 200 ", "HEAD /app/head 200 ", "DELETE /app/1 200 ",
                "DELETE /app/2 200 ", "DELETE /app/3 200 ", "DELETE /app/4 200 ", "DELETE /app/5 200 ",
                "GET /elsewhere 404 no_route", "  400 malformed_request_line",
                "GET /app/hold 499 client_closed",
            ]));
        AssertValues(lines, node.Address);

        async Task CurlAsync(params string[] arguments)
        {
            var result = await RunningProgram.RunAsync(curl, ["-sS", .. arguments]);
            Assert.That(result.ExitCode, Is.Zero, result.Everything);
        }
    }

    private static void AssertValues(IReadOnlyList<JsonElement> lines, string backend)
    {
        foreach (var line in lines)
        {
            Assert.That(DateTimeOffset.TryParseExact(Text(line, "time"), "yyyy-MM-dd'T'HH:mm:ss.fff'Z'",
                CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out _), Text(line, "time"));
            Assert.That(Text(line, "client_ip"), Is.EqualTo("127.0.0.1"));
            Assert.That(line.GetProperty("latency_ms").GetDouble(), Is.Positive);

            // Each is cut off to a whole microsecond.
            var parts = Keys[^5..].Sum(key => line.GetProperty(key).GetDouble());
            Assert.That(parts, Is.LessThanOrEqualTo(line.GetProperty("latency_ms").GetDouble() + 0.005));
        }

        var forwarded = lines.Take(8).ToList();
        Assert.That(forwarded.Select(line => Text(line, "backend")), Is.All.EqualTo(backend));
        Assert.That(forwarded.Select(line => Text(line, "cluster")), Is.All.EqualTo("app"));
        Assert.That(forwarded.Select(line => line.GetProperty("attempts").GetInt32()), Is.All.EqualTo(1));
        Assert.That(Text(lines[0], "host"), Is.EqualTo("example.test"));
        Assert.That(forwarded.Select(line => line.GetProperty("overhead_ms").GetDouble()), Is.All.Positive);
        Assert.That(forwarded[0].GetProperty("connect_ms").GetDouble(), Is.Positive, "the first has to connect");
        Assert.That(lines[1].GetProperty("bytes_in").GetInt64(), Is.GreaterThanOrEqualTo(7));
        Assert.That(lines.Select(line => Text(line, "request_id")), Is.Unique);
        Assert.That(Text(lines[8], "backend"), Is.Empty);
    }

    private static string Text(JsonElement line, string key) => line.GetProperty(key).GetString()!;
}
