using System.Net;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>
/// Pairs of gateways whose addresses keepalived moves, with the files of <c>deploy/keepalived</c>: two nodes, two
/// backends and a client, each a network namespace of its own.
/// </summary>
[Platform("Linux", Reason = "network namespaces")]
[NonParallelizable]
internal sealed class FailoverTests
{
    private const string First = "10.0.0.100";
    private const string Second = "10.0.0.101";
    private const int ClientsPerAddress = 8;

    /// <summary>What an address that moved may cost those who come anew.</summary>
    private static readonly TimeSpan TakeoverMax = TimeSpan.FromSeconds(3);

    /// <summary>Gives up before the kernel sends anything once more: the next try may meet the other node.</summary>
    private static readonly TimeSpan Impatient = TimeSpan.FromMilliseconds(250);

    /// <summary>Long enough for the kernel to ask once more, as every client's does.</summary>
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(3);

    private static readonly (string Name, string Address)[] Backends = [("web-1", "10.0.0.21"), ("web-2", "10.0.0.22")];

    private CancellationTokenSource _stop = new();
    private readonly List<SteadyClient> _clients = [];
    private readonly List<Task> _running = [];
    private readonly List<RunningProgram> _backends = [];
    private string _folder = "";
    private NetworkSegment? _network;
    private FailoverNode? _a;
    private FailoverNode? _b;

    [SetUp]
    public async Task Start()
    {
        _stop = new();
        Programs.Find("keepalived");
        Programs.Find("curl");
        _network = await NetworkSegment.StartAsync(
            ("client", "10.0.0.50/24"), ("node-a", "10.0.0.11/24"), ("node-b", "10.0.0.12/24"),
            ("web-1", "10.0.0.21/24"), ("web-2", "10.0.0.22/24"));
        _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        await FailoverNode.PrepareAsync(_folder);
        foreach (var (name, address) in Backends)
        {
            var backend = FailoverNode.Polybalance(
                _network, name, "backend", "--bind", address, "--port", "8080", "--name", name, "--delay", "20ms");
            _backends.Add(backend);
            await backend.ErrorLineAsync(address);
        }
    }

    [TearDown]
    public async Task Stop()
    {
        await EndLoadAsync();
        _stop.Dispose();
        foreach (var started in (IAsyncDisposable?[])[_a, _b, .. _backends, _network])
        {
            if (started is not null)
                await started.DisposeAsync();
        }

        (_a, _b, _network) = (null, null, null);
        _backends.Clear();
        _clients.Clear();
        if (_folder.Length > 0)
            Directory.Delete(_folder, recursive: true);
        _folder = "";
    }

    [TestCase(false, TestName = "The_other_node_takes_over_when_the_gateway_is_killed")]
    [TestCase(true, TestName = "The_other_node_takes_over_when_a_node_is_cut_off")]
    public async Task Takeover(bool isCutOff)
    {
        var (a, b) = await StartPairAsync("active-passive");
        await Eventually.HoldsAsync(() => a.Has(First) && !b.Has(First), () => a.Log + b.Log);
        await BeginLoadAsync(Impatient, First);

        var lostAt = TimeProvider.System.GetTimestamp();
        if (isCutOff)
            await _network!.CableAsync("node-a", isIn: false);
        else
            await a.KillGatewayAsync();
        var goneAt = TimeProvider.System.GetTimestamp();
        await AreServedAgainAsync(lostAt);

        Assert.That(b.Has(First), b.Log);
        AssertServedInTime(lostAt);
        AssertOnlyWhatWasInFlightIsLost(lostAt, goneAt);
        AssertSessionsStayed();
        if (isCutOff)
            return;

        // The node that is back waits for its turn: the address stays, and nobody notices.
        var backAt = TimeProvider.System.GetTimestamp();
        await a.RestartGatewayAsync();
        await Eventually.HoldsAsync(
            () => a.Log.LastIndexOf("Entering BACKUP STATE", StringComparison.Ordinal)
                > a.Log.LastIndexOf("Entering FAULT STATE", StringComparison.Ordinal),
            () => a.Log);
        await AreServedAgainAsync(TimeProvider.System.GetTimestamp());
        Assert.That(a.Has(First), Is.False, a.Log);
        Assert.That(Since(backAt).Select(one => one.End), Is.All.EqualTo(ExchangeEnd.Answered));
    }

    [Test]
    public async Task A_gateway_that_is_told_to_stop_gives_its_address_away_before_it_refuses_anybody()
    {
        var (a, b) = await StartPairAsync("active-passive");
        await Eventually.HoldsAsync(() => a.Has(First) && !b.Has(First), () => a.Log + b.Log);
        await BeginLoadAsync(Patient, First);

        var stoppedAt = TimeProvider.System.GetTimestamp();
        var ended = await a.StopGatewayAsync();
        await AreServedAgainAsync(TimeProvider.System.GetTimestamp());

        Assert.That(ended.ExitCode, Is.Zero, ended.Everything);
        Assert.That(b.Has(First) && !a.Has(First), a.Log + b.Log);
        Assert.That(Since(stoppedAt).Where(one => one.End == ExchangeEnd.NotConnected), Is.Empty);
        foreach (var client in _clients)
            Assert.That(Lost(client), Has.Count.AtMost(1), "what was in flight when the address went");
        AssertSessionsStayed();
    }

    [Test]
    public async Task Of_two_active_nodes_each_has_an_address_and_one_has_both_while_the_other_is_away()
    {
        var (a, b) = await StartPairAsync("active-active");
        await Eventually.HoldsAsync(() => IsSpread(a, b), () => a.Log + b.Log);
        await BeginLoadAsync(Impatient, First, Second);

        var lostAt = TimeProvider.System.GetTimestamp();
        await a.KillGatewayAsync();
        var goneAt = TimeProvider.System.GetTimestamp();
        await AreServedAgainAsync(lostAt);
        Assert.That(b.Has(First) && b.Has(Second) && !a.Has(First), a.Log + b.Log);
        AssertServedInTime(lostAt);
        AssertOnlyWhatWasInFlightIsLost(lostAt, goneAt);
        foreach (var client in _clients[ClientsPerAddress..])
            Assert.That(Lost(client), Is.Empty, "the other address has not moved");

        var lost = _clients.Sum(client => Lost(client).Count);
        await a.RestartGatewayAsync();
        await Eventually.HoldsAsync(() => IsSpread(a, b), () => a.Log + b.Log);
        await AreServedAgainAsync(TimeProvider.System.GetTimestamp());

        Assert.That(_clients.Sum(client => Lost(client).Count), Is.AtMost(lost + ClientsPerAddress));
        foreach (var client in _clients[ClientsPerAddress..])
            Assert.That(Lost(client), Is.Empty, "the other address has not moved");
        AssertSessionsStayed();
    }

    private static bool IsSpread(FailoverNode a, FailoverNode b)
        => a.Has(First) && !a.Has(Second) && b.Has(Second) && !b.Has(First);

    // The first node has the address, or its own, before the second one is there.
    private async Task<(FailoverNode A, FailoverNode B)> StartPairAsync(string pair)
    {
        _a = await FailoverNode.StartAsync(_network!, pair, "node-a", _folder);
        var a = _a;
        await Eventually.HoldsAsync(() => a.Has(First), () => a.Log);
        _b = await FailoverNode.StartAsync(_network!, pair, "node-b", _folder);
        await _b.LogLineAsync("VRRP_Script(polybalance) succeeded");
        return (_a, _b);
    }

    // Returns once each of them has been answered many times.
    private async Task BeginLoadAsync(TimeSpan connectTimeout, params string[] addresses)
    {
        foreach (var address in addresses)
        {
            for (var client = 0; client < ClientsPerAddress; client++)
                _clients.Add(new(_network!, "client", new(IPAddress.Parse(address), 8000), connectTimeout));
        }

        _running.AddRange(_clients.Select(client => Task.Run(() => client.RunAsync(_stop.Token))));
        await AreServedAgainAsync(since: 0);
    }

    private async Task EndLoadAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running);
        _running.Clear();
    }

    private Task AreServedAgainAsync(long since)
    {
        const int Often = 10;
        return Eventually.HoldsAsync(
            () => _clients.TrueForAll(client => client.Exchanges.Count(one => IsServed(one, since)) >= Often),
            () => string.Join(", ", _clients.Select(client => client.Exchanges.Count(one => IsServed(one, since))))
                + $" answers\n{_a?.Log}\n{_b?.Log}");
    }

    private static bool IsServed(SteadyExchange exchange, long since)
        => exchange.End == ExchangeEnd.Answered && exchange.Began > since;

    private void AssertServedInTime(long lostAt)
    {
        var waits = _clients
            .Select(client => client.Exchanges.Where(one => one.End != ExchangeEnd.Answered).Select(one => one.Ended))
            .Select(failures => failures.DefaultIfEmpty(lostAt).Max())
            .Select(last => TimeProvider.System.GetElapsedTime(lostAt, last)).ToList();
        TestContext.Out.WriteLine($"served again after {waits.Max().TotalMilliseconds:0} ms");
        Assert.That(waits, Has.All.LessThan(TakeoverMax));
    }

    // The kernel closes the sockets of a killed process one after the other: a client that lost its exchange may
    // connect once more to the listening socket, as long as that is open, and loses that one too.
    private void AssertOnlyWhatWasInFlightIsLost(long lostAt, long goneAt)
    {
        foreach (var client in _clients)
        {
            Assert.That(Lost(client).Select(one => one.ConnectedAt), Has.All.LessThan(goneAt));
            Assert.That(client.Exchanges.Where(one => one.Ended < lostAt).Select(one => one.End),
                Is.All.EqualTo(ExchangeEnd.Answered));
        }
    }

    private void AssertSessionsStayed()
    {
        foreach (var client in _clients)
        {
            var answered = client.Exchanges.Where(one => one.End == ExchangeEnd.Answered).ToList();
            Assert.That(answered.Select(one => one.Backend).Distinct().ToList(), Has.Count.EqualTo(1));
            Assert.That(answered[0].IsCookieSet);
            Assert.That(answered.Skip(1).Select(one => one.IsCookieSet), Has.None.True);
        }

        Assert.That(_clients.Select(client => client.Exchanges[0].Backend).Distinct().ToList(), Has.Count.EqualTo(2),
            "both backends have sessions, or staying proves nothing");
    }

    private static List<SteadyExchange> Lost(SteadyClient client)
        => [.. client.Exchanges.Where(one => one.End == ExchangeEnd.Lost)];

    private List<SteadyExchange> Since(long time)
        => [.. _clients.SelectMany(client => client.Exchanges).Where(one => one.Began > time)];
}
