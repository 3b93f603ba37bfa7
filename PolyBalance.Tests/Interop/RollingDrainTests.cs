using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>Backends that are taken out one after the other while a program makes load.</summary>
[Platform("Linux", Reason = "signals")]
internal sealed class RollingDrainTests
{
    private const string Keys = "health: { path: /healthz, drain_on: 404, interval: 300ms, timeout: 300ms, "
        + "unhealthy_threshold: 50 }, ";

    [TestCaseSource(typeof(Transports), nameof(Transports.All))]
    public async Task Each_backend_in_turn_drains_under_load_and_no_request_fails(string transport)
    {
        await using var one = await NginxBackend.StartAsync("one");
        await using var two = await NginxBackend.StartAsync("two");
        await using var three = await NginxBackend.StartAsync("three");
        NginxBackend[] all = [one, two, three];
        var addresses = string.Join(", ", all.Select(backend => $"\"{backend.Address}\""));
        await using var gateway = await Gateway.StartAsync(
            transport, $"clusters: {{ web: {{ {Keys}backends: [ {addresses} ] }} }}\n");
        var load = RunningProgram.RunAsync(
            Programs.Find("wrk"), "-c32", "-t1", "-d12s", "--timeout", "30s", gateway.At("/counted"));

        foreach (var backend in all)
        {
            var others = all.Where(other => other != backend).ToArray();
            backend.IsUp = false;
            await gateway.LogLineAsync($"Backend {backend.Address} of cluster web is draining with");
            await QuietAsync(backend, others, load);

            backend.IsUp = true;
            await gateway.LogLineAsync(
                $"Backend {backend.Address} of cluster web is not draining any more: a probe passed without");
            var before = backend.Counted;
            await Eventually.HoldsAsync(() => backend.Counted > before + 100, () => "it has its share again");
        }

        Assert.That(load.IsCompleted, Is.False, "all of it happened under load");
        LoadProgramTests.AssertWrkIsContent(await load);
        Assert.That(gateway.Log.Count(line => line.Contains("draining", StringComparison.Ordinal)), Is.EqualTo(6));
        gateway.AssertHealthy();
    }

    // What is in flight when a drain begins may still arrive; then it gets nothing while the others get a thousand.
    private static async Task QuietAsync(NginxBackend backend, NginxBackend[] others, Task load)
    {
        long before;
        do
        {
            before = backend.Counted;
            var start = others.Sum(other => other.Counted);
            await Eventually.HoldsAsync(
                () => others.Sum(other => other.Counted) >= start + 1_000, () => "the others have a thousand more");
            Assert.That(load.IsCompleted, Is.False, "it still gets requests");
        }
        while (backend.Counted != before);
    }
}
