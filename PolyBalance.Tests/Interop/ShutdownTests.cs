using System.Net.Sockets;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>SIGTERM while wrk makes load: what runs is finished, what comes is refused, the exit code is 0.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class ShutdownTests(string transport)
{
    private const int Held = 8;

    [Test]
    public async Task SIGTERM_under_load_finishes_what_runs_and_ends_with_0()
    {
        var wrk = Programs.Find("wrk");
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(transport, [node.Address], more: "shutdown: { drain: 60s }");
        await using var load = RunningProgram.Start(wrk, ["-c16", "-t1", "-d60s", gateway.At("/chunked")]);
        var clients = await RawClient.ConnectAsync(gateway.Address, Held);
        foreach (var client in clients)
            await client.SendAsync("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
        await node.HoldsAsync(Held);
        using var idle = await RawClient.ConnectAsync(gateway.Address);
        await idle.SendAsync("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        await idle.ReceiveUntilAsync("\"/echo\"");
        var rest = idle.ReceiveToEndAsync();

        gateway.Signal(RunningProgram.SigTerm);
        await gateway.LogLineAsync("Draining");
        Assert.That(await rest, Does.Not.Contain("HTTP/1.1"), "an idle connection ends in good order");
        await node.ReleaseAsync();

        foreach (var client in clients)
        {
            var answer = await client.ReceiveToEndAsync();
            Assert.That(answer, Does.StartWith("HTTP/1.1 200 OK").And.Contain("released"));
            client.Dispose();
        }

        var ended = await gateway.EndAsync();
        Assert.That(ended.ExitCode, Is.Zero, ended.Everything);
        Assert.That(ended.Errors, Does.Contain("Drained").And.Not.Contain("xception"));
        Assert.That(async () => await RawClient.ConnectAsync(gateway.Address), Throws.TypeOf<SocketException>());

        // wrk is refused from then on; none of what it was answered before was an error.
        load.Signal(RunningProgram.SigInt);
        var result = await load.EndAsync();
        Assert.That(result.Output, Does.Contain("requests in").And.Not.Contain("Non-2xx"), result.Everything);
        var statuses = gateway.AccessLines().Select(line => line.GetProperty("status").GetInt32());
        Assert.That(statuses, Is.All.EqualTo(200));
    }
}
