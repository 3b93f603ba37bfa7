using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Server;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Performance;
using PolyBalance.Tests.Support;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Transport;

/// <summary>The gateway over two loops: an exchange begins and ends on the loop of its client.</summary>
[Platform("Linux", Reason = "io_uring")]
internal sealed class RingGatewayTests
{
    private readonly List<Socket> _clients = [];
    private readonly LaneSink _sink = new();
    private RingTransport _transport = null!;
    private SmallGets _gets = null!;
    private ProxyServer _server = null!;

    [TearDown]
    public async Task Stop()
    {
        foreach (var client in _clients)
            client.Dispose();
        _clients.Clear();
        if (_server is null)
            return;

        await _server.DisposeAsync();
        await _transport.DisposeAsync();
        _gets.Dispose();
        await Eventually.HoldsAsync(
            () => _transport.Blocks.Rented == 0, () => $"{_transport.Blocks.Rented} blocks come back");
    }

    [Test]
    public async Task An_exchange_stays_on_one_loop_and_each_loop_keeps_its_own_backend_connection()
    {
        const int Each = 25;
        await StartAsync("");
        var lanes = new HashSet<int>();
        for (var client = 0; client < 8; client++)
        {
            _sink.Forget();
            Get(Connect(), Each);
            await _sink.HasAsync(Each);

            Assert.That(_sink.Lanes, Has.Count.EqualTo(1).And.None.EqualTo(-1));
            lanes.UnionWith(_sink.Lanes);
        }

        Assert.That(lanes, Is.EquivalentTo((int[])[0, 1]));
        var pool = Backend.Pool;
        Assert.That((pool.Opened, pool.Open, pool.Reused), Is.EqualTo((2, 2, 8 * Each - 2)));
    }

    [Test]
    public async Task At_max_connections_a_request_makes_room_on_the_other_loop_and_succeeds()
    {
        await StartAsync("pool: { max_connections: 1 }, ");
        for (var turn = 0; turn < 50; turn++)
        {
            // The next request comes when the exchange before has given its connection back.
            Get(turn < 8 ? Connect() : _clients[turn % 8], 1);
            await _sink.HasAsync(turn + 1);
        }

        Assert.That(_sink.Lanes, Is.EquivalentTo((int[])[0, 1]));
        Assert.That(_sink.Statuses, Is.EqualTo((int[])[200]));
        Assert.That(Backend.Pool.Open, Is.EqualTo(1));
        Assert.That(Backend.Pool.Opened, Is.GreaterThan(1));
    }

    private Backend Backend => _server.Store.Current.Backends().Single();

    private static void Get(Socket client, int requests) => SmallGets.Ask(client, requests);

    private Socket Connect()
    {
        _clients.Add(SmallGets.Connect(IPEndPoint.Parse(_server.TrafficAddresses[0])));
        return _clients[^1];
    }

    private async Task StartAsync(string keys)
    {
        _sink.Forget();
        _transport = RingOrNone.Start(TimeProvider.System, loops: 2);
        _gets = new();
        var parsed = ProxyOptions.Parse(
            $$"""
            listeners: [ { bind: "127.0.0.1:8000" } ]
            admin: off
            clusters: { web: { health: off, {{keys}}backends: [ "{{_gets.Backend}}" ] } }
            """,
            "test.yaml");
        var anyPort = new ListenerOptions { Bind = Address.Tcp("127.0.0.1", 0) };
        _server = ProxyServer.Create(
            parsed.Options! with { Listeners = [anyPort] }, NullLoggerFactory.Instance, _sink, _transport,
            TimeProvider.System);
        await _server.StartAsync();
    }

    /// <summary>Remembers on which loops exchanges have ended, and how.</summary>
    private sealed class LaneSink : IExchangeSink
    {
        private readonly ConcurrentQueue<(int Lane, int Status)> _records = new();

        public IReadOnlyCollection<int> Lanes => [.. _records.Select(record => record.Lane).Distinct()];

        public IReadOnlyCollection<int> Statuses => [.. _records.Select(record => record.Status).Distinct()];

        public void Forget() => _records.Clear();

        public Task HasAsync(int count)
            => Eventually.HoldsAsync(() => _records.Count == count, () => $"{_records.Count} of {count} have ended");

        public void Record(in ExchangeRecord exchange)
            => _records.Enqueue((EventLoop.Current?.Index ?? -1, exchange.Status));
    }
}
