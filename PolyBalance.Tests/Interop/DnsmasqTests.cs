using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Discovery;
using PolyBalance.Server;
using PolyBalance.Tests.Discovery;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>Backends that a real name server names.</summary>
[Platform("Linux", Reason = "signals, and a whole network on loopback")]
internal sealed class DnsmasqTests
{
    private const string Head = "listeners: [ { bind: \"127.0.0.1:1\" } ]\nadmin: { bind: \"127.0.0.1:9\" }\n";

    private readonly List<SampleBackend> _backends = [];
    private int _port;

    /// <summary>Backends with one port on four addresses.</summary>
    [SetUp]
    public void Start()
    {
        _port = FreePort.Next();
        for (var last = 2; last <= 5; last++)
        {
            _backends.Add(SampleBackend.Start(
                new() { Bind = $"127.0.0.{last}:{_port}", Name = $"{last}" }, NullLoggerFactory.Instance));
        }
    }

    [TearDown]
    public async Task End()
    {
        foreach (var backend in _backends)
            await backend.DisposeAsync();
        _backends.Clear();
    }

    [TestCaseSource(typeof(Transports), nameof(Transports.All))]
    public async Task All_backends_are_replaced_at_once_under_load_and_no_request_fails(string transport)
    {
        await using var names = await Dnsmasq.StartAsync(Hosts(2, 3));
        await using var gateway = await Gateway.StartAsync(transport, names.Section
            + "clusters: { web: { health: { interval: 300ms, timeout: 300ms }, backends: [ " + App() + " ] } }\n");
        var load = RunningProgram.RunAsync(
            Programs.Find("wrk"), "-c32", "-t1", "-d8s", "--timeout", "30s", gateway.At("/"));

        for (var round = 0; round < 4; round++)
        {
            int[] next = round % 2 == 0 ? [4, 5] : [2, 3];
            await names.KnowAsync(Hosts(next));
            var told = 1 + round;
            await Eventually.HoldsAsync(
                () => gateway.Log.Count(line => line.Contains("2 added, 2 removed", StringComparison.Ordinal)) == told,
                () => $"the answer of round {round} is in force:\n{string.Join('\n', gateway.Log)}");
            await ServesAsync(gateway, next);
        }

        Assert.That(load.IsCompleted, Is.False, "all of it happened under load");
        LoadProgramTests.AssertWrkIsContent(await load);
        gateway.AssertHealthy();
    }

    [Test]
    public async Task A_service_says_ports_and_shares_and_who_stands_by()
    {
        await using var names = await Dnsmasq.StartAsync(
            "127.0.0.2 two.example\n127.0.0.3 three.example\n127.0.0.4 four.example\n",
            $"--srv-host=_http._tcp.app.example,two.example,{_port},0,10",
            $"--srv-host=_http._tcp.app.example,three.example,{_port},0,30",
            $"--srv-host=_http._tcp.app.example,four.example,{_port},1,30");
        await using var gateway = await LiveGateway.StartAsync(Head + names.Section
            + "clusters: { web: { health: off, algorithm: weighted_round_robin, "
            + "backends: [ { srv: _http._tcp.app.example., name: app } ] } }\n");

        var answers = new List<string>();
        for (var request = 0; request < 40; request++)
            answers.Add(await (await gateway.GetAsync("/")).Content.ReadAsStringAsync());

        Assert.That(answers.Count(text => text.Contains("from 2", StringComparison.Ordinal)), Is.EqualTo(10));
        Assert.That(answers.Count(text => text.Contains("from 3", StringComparison.Ordinal)), Is.EqualTo(30));
        var (_, json, _) = await gateway.AskAsync("GET", "/admin/backends");
        Assert.That(json.GetProperty("backends").EnumerateArray().Select(one
                => $"{one.GetProperty("id")} {one.GetProperty("weight")} {one.GetProperty("source")} "
                    + $"{one.GetProperty("backup")} {one.GetProperty("eligible")}"),
            Is.EqualTo((string[])
            [
                $"app-127.0.0.2:{_port} 1 srv _http._tcp.app.example. False True",
                $"app-127.0.0.3:{_port} 3 srv _http._tcp.app.example. False True",
                $"app-127.0.0.4:{_port} 1 srv _http._tcp.app.example. True False",
            ]));

        foreach (var first in _backends.Take(2).ToList())
        {
            await first.DisposeAsync();
            _backends.Remove(first);
        }

        Assert.That(await (await gateway.GetAsync("/")).Content.ReadAsStringAsync(), Does.Contain("from 4"));
    }

    [Test]
    public async Task What_is_gone_or_cannot_be_looked_up_keeps_its_backends_and_a_server_may_come_back()
    {
        await using var names = await Dnsmasq.StartAsync(Hosts(2, 3));
        await using var gateway = await LiveGateway.StartAsync(Head + names.Section
            + "clusters: { web: { health: off, backends: [ " + App() + " ] } }\n");
        Assert.That(Backends(gateway), Is.EqualTo("2 3"));

        await names.KillAsync();
        await LineAsync(gateway, "W dns app.example. cannot be looked up since now, and the 2 places");
        Assert.That((int)(await gateway.GetAsync("/")).StatusCode, Is.EqualTo(200));
        await names.RestartAsync();
        await LineAsync(gateway, "I dns app.example. can be looked up again");

        await names.KnowAsync("127.0.0.9 other.example\n");
        await LineAsync(gateway, "W dns app.example. has no places any more, and the 2 that are known stay");
        Assert.That((int)(await gateway.GetAsync("/")).StatusCode, Is.EqualTo(200));
        await Eventually.HoldsAsync(() => Backends(gateway).Length == 0, () => "they are given up");
        Assert.That((int)(await gateway.GetAsync("/")).StatusCode, Is.EqualTo(503));

        await names.KnowAsync(Hosts(4));
        await Eventually.HoldsAsync(() => Backends(gateway) == "4", () => "the name is back");
        Assert.That((int)(await gateway.GetAsync("/")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task A_server_that_has_nobody_to_ask_changes_nothing()
    {
        using var above = new ScriptedNameServer { Answer = question => question.With("127.0.0.2") };
        await using var names = await Dnsmasq.StartAsync("", $"--server=/test/127.0.0.1#{above.Address.Port}",
            "--max-cache-ttl=1", "--no-negcache");
        await using var gateway = await LiveGateway.StartAsync(Head + names.Section
            + $"clusters: {{ web: {{ health: off, backends: [ {{ dns: \"app.test.:{_port}\" }} ] }} }}\n");
        Assert.That(Backends(gateway), Is.EqualTo("2"));

        above.Answer = question => question.Reply(code: 2);
        await LineAsync(gateway, "W dns app.test. cannot be looked up since now, and the 1 places");
        await Eventually.HoldsAsync(
            () => gateway.Server.Names.Describe().Single().Outcomes[(int)LookUpOutcome.ServerFailed] > 2,
            () => "it fails again and again");
        Assert.That((int)(await gateway.GetAsync("/")).StatusCode, Is.EqualTo(200));
    }

    [Test]
    public async Task More_than_a_datagram_holds_comes_over_a_stream()
    {
        var many = Enumerable.Range(1, 200).Select(last => $"127.0.1.{last} app.example\n");
        await using var names = await Dnsmasq.StartAsync(string.Concat(many));
        await using var gateway = await LiveGateway.StartAsync(Head + names.Section
            + "clusters: { web: { health: off, backends: [ " + App() + " ] } }\n");

        Assert.That(gateway.Server.Store.Current.Backends().Count(), Is.EqualTo(200));
    }

    private static string Hosts(params int[] last)
        => string.Concat(last.Select(one => $"127.0.0.{one} app.example\n"));

    private static string Backends(LiveGateway gateway) => string.Join(
        ' ', gateway.Server.Store.Current.Backends().Select(backend => backend.Key.Address.Host.Split('.')[^1]));

    private static Task LineAsync(LiveGateway gateway, string begin) => Eventually.HoldsAsync(
        () => gateway.Lines.All.Any(line => line.StartsWith(begin, StringComparison.Ordinal)),
        () => $"`{begin}` is logged:\n{string.Join('\n', gateway.Lines.All)}");

    // The old ones stay until one of the new ones works.
    private static async Task ServesAsync(Gateway gateway, int[] names)
    {
        const int Enough = 10;
        for (var (inARow, tries) = (0, 0); inARow < Enough; tries++)
        {
            Assert.That(tries, Is.LessThan(100_000), "requests go to the new ones");
            var text = await gateway.GetAsync("/");
            inARow = names.Any(name => text.Contains($"from {name}", StringComparison.Ordinal)) ? inARow + 1 : 0;
        }
    }

    private string App() => $"{{ dns: \"app.example.:{_port}\" }}";
}
