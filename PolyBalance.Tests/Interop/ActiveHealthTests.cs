using System.Globalization;
using System.Net;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Health;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>Probes of real programs, and what becomes of the traffic.</summary>
[Platform("Linux", Reason = "signals")]
internal sealed class ActiveHealthTests
{
    private const string Quick = "health: { interval: 200ms, timeout: 200ms }, ";

    [TestCaseSource(typeof(Transports), nameof(Transports.All))]
    public async Task A_backend_that_is_killed_gets_no_traffic_until_it_is_back(string transport)
    {
        await using var first = await NginxBackend.StartAsync("one");
        var second = await NginxBackend.StartAsync("two");
        var address = second.Address;
        await using var gateway = await Gateway.StartAsync(
            transport, $"clusters: {{ web: {{ {Quick}backends: [ \"{first.Address}\", \"{address}\" ] }} }}\n");
        Assert.That(await NamesAsync(gateway, 20), Is.EquivalentTo((string[])["one", "two"]));

        await second.DisposeAsync();
        var line = gateway.LogLineAsync($"Backend {address} of cluster web is unhealthy: connect refused");
        while (!line.IsCompleted)
            await NamesAsync(gateway, 10);
        await line;
        Assert.That(await EventuallyOnlyAsync(gateway, "one"));

        await using var again = await NginxBackend.StartAtAsync("two", FreePort.Of(address));
        line = gateway.LogLineAsync($"Backend {address} of cluster web is healthy: status 200");
        while (!line.IsCompleted)
            await NamesAsync(gateway, 10);
        Assert.That(await NamesEventuallyAsync(gateway), Is.EquivalentTo((string[])["one", "two"]));
        Assert.That(gateway.Log.Count(text => text.Contains("healthy: ", StringComparison.Ordinal)), Is.EqualTo(2));
        gateway.AssertHealthy();
    }

    [Test]
    public async Task When_all_are_gone_clients_hear_it_at_once()
    {
        await using var nginx = await NginxBackend.StartAsync("one");
        await using var gateway = await Gateway.StartAsync(
            Transports.Auto, $"clusters: {{ web: {{ {Quick}backends: [ \"{nginx.Address}\" ] }} }}\n");
        Assert.That(await NamesAsync(gateway, 3), Is.EqualTo((string[])["one"]));

        await nginx.KillAsync();
        await gateway.LogLineAsync("is unhealthy: connect refused");

        // The log line comes a moment before the next snapshot.
        var response = await gateway.Http.GetAsync(new Uri("/", UriKind.Relative));
        for (var turn = 0; turn < 100 && response.StatusCode == HttpStatusCode.BadGateway; turn++)
            response = await gateway.Http.GetAsync(new Uri("/", UriKind.Relative));
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(response.Headers.RetryAfter?.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(await response.Content.ReadAsStringAsync(), Does.Contain("no_eligible_backend"));
    }

    [Test]
    public async Task A_start_without_any_backend_warns_and_serves_503()
    {
        var port = FreePort.Next();
        await using var gateway = await Gateway.StartAsync(
            Transports.Auto, $"clusters: {{ web: {{ backends: [ \"127.0.0.1:{port}\" ] }} }}\n");

        using var response = await gateway.Http.GetAsync(new Uri("/", UriKind.Relative));

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        await gateway.LogLineAsync("No backend is healthy");
    }

    [TestCase("SERVING", "", "", true, "SERVING")]
    [TestCase("SERVING", "many", "", true, "SERVING")]
    [TestCase("SERVING", "", "shop.v1.Orders", true, "SERVING")]
    [TestCase("NOT_SERVING", "", "", false, "NOT_SERVING")]
    [TestCase("SERVING", "", "no.such.Service", false, "grpc-status 5 (NOT_FOUND)")]
    public async Task A_grpc_server_of_somebody_else_is_understood(
        string serving, string many, string service, bool passes, string reason)
    {
        await using var node = RunningProgram.Start(
            Programs.Find("node"), [NodeBackend.Script("grpc-health.js"), serving, many]);
        var line = await node.OutputLineAsync("listening ");
        var address = $"127.0.0.1:{int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)}";
        foreach (var medium in (Medium[])[Medium.Sockets, Medium.Ring])
        {
            await using var rig = new ProbeRig(medium);
            var check = ProbeRig.Patient with { Kind = ProbeKind.Grpc, Service = service };

            var answer = await rig.ProbeAsync(address, check);

            Assert.That((answer.Passed, answer.Reason), Is.EqualTo((passes, reason)));
        }
    }

    [Test]
    public async Task A_server_without_http2_fails_a_grpc_probe_with_the_reason()
    {
        await using var nginx = await NginxBackend.StartAsync("one");
        await using var rig = new ProbeRig(Medium.Sockets);

        var answer = await rig.ProbeAsync(nginx.Address, ProbeRig.Patient with { Kind = ProbeKind.Grpc });

        Assert.That((answer.Passed, answer.Reason),
            Is.EqualTo((false, "the backend speaks HTTP/1.1, not HTTP/2")));
    }

    // Every answer has to be a success.
    private static async Task<string[]> NamesAsync(Gateway gateway, int count)
    {
        var names = new HashSet<string>();
        for (var turn = 0; turn < count; turn++)
        {
            using var response = await gateway.Http.GetAsync(new Uri("/", UriKind.Relative));
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
            names.Add(response.Headers.GetValues("X-Backend").Single());
        }

        return [.. names];
    }

    private static async Task<bool> EventuallyOnlyAsync(Gateway gateway, string name)
    {
        for (var turn = 0; turn < 100; turn++)
        {
            if (await NamesAsync(gateway, 10) is [var only] && only == name)
                return true;
        }

        return false;
    }

    private static async Task<string[]> NamesEventuallyAsync(Gateway gateway)
    {
        var names = await NamesAsync(gateway, 10);
        for (var turn = 0; turn < 100 && names.Length < 2; turn++)
            names = await NamesAsync(gateway, 10);
        return names;
    }
}
