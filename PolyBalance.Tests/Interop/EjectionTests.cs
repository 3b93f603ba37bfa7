using System.Diagnostics;
using System.Net;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>A real backend dies under load and comes back, and only traffic tells the gateway.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class EjectionTests(string transport)
{
    private static readonly string[] Names = ["nginx-1", "nginx-2", "nginx-3"];

    [Test]
    public async Task A_killed_backend_is_taken_out_and_back_without_a_failed_get()
    {
        var wrk = Programs.Find("wrk");
        var backends = await Task.WhenAll(Names.Select(NginxBackend.StartAsync));
        await using var first = backends[0];
        await using var second = backends[1];
        await using var third = backends[2];
        await using var gateway = await Gateway.StartAsync(
            transport, backends.Select(backend => backend.Address), "ejection: { base_time: 1s }, slow_start: 2s");
        await using var load = RunningProgram.Start(wrk, ["-c64", "-t2", "-d8s", "--timeout", "30s", gateway.At("/")]);
        while (gateway.AccessLogLength < 50_000)
            await gateway.GetAsync("/");

        var killed = Stopwatch.GetTimestamp();
        await third.KillAsync();
        var ejected = await gateway.LogLineAsync("is ejected for");
        await TestContext.Out.WriteLineAsync(
            $"{transport}: out after {Stopwatch.GetElapsedTime(killed).TotalMilliseconds:0} ms: {ejected}");
        Assert.That(ejected, Does.Contain(third.Address));

        var restarted = Stopwatch.GetTimestamp();
        var port = IPEndPoint.Parse(third.Address).Port;
        await using var again = await NginxBackend.StartAtAsync(Names[2], port);
        var returned = await gateway.LogLineAsync("is in service again");
        await TestContext.Out.WriteLineAsync(
            $"{transport}: back after {Stopwatch.GetElapsedTime(restarted).TotalMilliseconds:0} ms: {returned}");
        Assert.That(load.HasEnded, Is.False, "the load goes on while it comes back");

        LoadProgramTests.AssertWrkIsContent(await load.EndAsync());
        gateway.AssertHealthy();
    }
}
