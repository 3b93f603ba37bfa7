using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Admin;
using PolyBalance.Configuration;
using PolyBalance.Telemetry;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Admin;

/// <summary>One look a second, while somebody watches.</summary>
internal sealed class LiveFiguresTests
{
    private ManualClock _clock = null!;
    private int _looks;
    private bool _isBroken;
    private CancellationTokenSource _stop = null!;
    private LiveFigures _figures = null!;

    [SetUp]
    public void Begin()
    {
        (_clock, _looks, _isBroken) = (new(), 0, false);
        _stop = new();
        var transport = new MemoryTransport(_clock);
        var options = ProxyOptions.Parse(
            "listeners: [ { bind: \":8000\" } ]\nclusters: { w: { health: off, backends: [ \"10.0.0.1:80\" ] } }", "");
        var builder = new SnapshotBuilder(transport, _clock);
        var store = new SnapshotStore(builder.Build(options.Options!, previous: null));
        _figures = new(new(
            store, builder, () => _isBroken ? throw new InvalidOperationException("a bug") : [], new GatewayMetrics(),
            transport, NullLogger.Instance)
        {
            Names = static () => [],
            Clock = _clock,
            ClientConnections = () => ++_looks,
            IsHandingOver = static () => false,
            UpgradeAsync = static () => Task.FromResult(UpgradeOutcome.Impossible),
            IsLeaving = () => false,
            LinesDropped = () => 0,
            SpansDropped = () => 0,
            ReloadAsync = () => throw new NotSupportedException(),
            PlanAsync = (_, _) => throw new NotSupportedException(),
            Stop = _stop.Token,
        });
    }

    [TearDown]
    public void End()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    [Test]
    public async Task Whoever_joins_later_gets_the_latest_look_and_all_get_the_next()
    {
        Assert.That(_figures.TryJoin());
        Assert.That(ClientsIn(await _figures.LatestAsync().InTime()), Is.EqualTo(1));
        Assert.That(_figures.TryJoin());
        Assert.That(ClientsIn(await _figures.LatestAsync().InTime()), Is.EqualTo(1));

        var (first, second) = (_figures.NextAsync(), _figures.NextAsync());
        await TickUntilAsync(first);
        Assert.That(await second.InTime(), Is.SameAs(await first), "one look serves both");
        Assert.That(ClientsIn(await first), Is.EqualTo(2));
    }

    [Test]
    public async Task Nobody_looks_when_nobody_watches()
    {
        Assert.That(_figures.TryJoin());
        await _figures.LatestAsync().InTime();
        _figures.Leave();
        _clock.Advance(TimeSpan.FromSeconds(1));
        var looks = _looks;
        for (var second = 0; second < 10; second++)
            _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(_looks, Is.EqualTo(looks).Or.EqualTo(looks + 1), "at most the look that was under way");

        Assert.That(_figures.TryJoin());
        Assert.That(ClientsIn(await _figures.LatestAsync().InTime()), Is.GreaterThan(0));
    }

    [Test]
    public async Task A_look_that_fails_ends_the_streams_and_the_next_viewer_has_another_go()
    {
        _isBroken = true;
        Assert.That(_figures.TryJoin());
        Assert.That(await _figures.LatestAsync().InTime(), Is.Empty);
        _figures.Leave();

        _isBroken = false;
        Assert.That(_figures.TryJoin());
        Assert.That(await _figures.LatestAsync().InTime(), Is.Not.Empty);
    }

    [Test]
    public async Task The_end_of_the_gateway_is_the_end_of_every_stream()
    {
        Assert.That(_figures.TryJoin());
        await _figures.LatestAsync().InTime();
        var next = _figures.NextAsync();

        await _stop.CancelAsync();

        Assert.That(await next.InTime(), Is.Empty);
        Assert.That(await _figures.NextAsync().InTime(), Is.Empty);
    }

    private static int ClientsIn(byte[] look)
        => JsonDocument.Parse(look).RootElement.GetProperty("clients").GetInt32();

    // The timer may be set only after the clock has moved.
    private Task TickUntilAsync(Task happened) => Eventually.HoldsAsync(
        () =>
        {
            if (!happened.IsCompleted)
                _clock.Advance(TimeSpan.FromMilliseconds(100));
            return happened.IsCompleted;
        },
        () => "there is another look");
}
