using System.Net;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;
using PolyBalance.Tests.Topology;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Server;

/// <summary>What an operator hears of file descriptors, and what makes room for others.</summary>
[Inline]
internal sealed class FileWatchTests
{
    private const string NoBackends = "clusters: { web: { backends: [] } }";

    [TestCase(4_095, 0, "raise LimitNOFILE of the unit, or `ulimit -n`, to 4096")]
    [TestCase(4_096, 0, null)]
    [TestCase(null, 0, null)]
    [TestCase(20_000, 10_000, "to 20320")]
    [TestCase(20_320, 10_000, null)]
    [TestCase(1_024, 100, null)]
    [TestCase(null, 1_000_000, null)]
    [TestCase(20_000, int.MaxValue, "to 4294967614")]
    public async Task A_limit_that_is_too_low_for_what_is_configured_is_told_at_the_start(
        int? limit, int connections, string? told)
    {
        await using var worlds = new Worlds();
        var log = new LineLog();

        Watch(new(limit), worlds, NoBackends, log).Start(connections);

        Assert.That(log.Lines, told is null ? Is.Empty : Has.One.EndsWith(told));
    }

    [Test]
    public async Task Who_was_turned_away_is_told_at_once_and_then_every_ten_seconds()
    {
        await using var worlds = new Worlds();
        var clock = worlds.Clock;
        var files = new FileAllowance(4_096);
        var log = new LineLog();
        Watch(files, worlds, NoBackends, log).Start(connectionsMax: 0);
        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.That(log.Lines, Is.Empty);

        files.ReportClientRefused();
        clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That(log.Lines, Has.One.Contains("have 4096: 1 clients were refused or kept waiting, 0 connections"));

        for (var second = 0; second < 9; second++)
        {
            files.ReportClientRefused();
            files.ReportConnectRefused();
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(log.Lines, Has.Count.EqualTo(1));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(log.Lines, Has.Count.EqualTo(2));
        Assert.That(log.Lines[1], Does.Contain(" 9 clients were refused or kept waiting, 9 connections to backends "));

        clock.Advance(TimeSpan.FromSeconds(60));
        Assert.That(log.Lines, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Idle_connections_to_backends_make_room_when_somebody_was_turned_away()
    {
        await using var worlds = new Worlds();
        await using var listener = worlds.Memory.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var files = new FileAllowance(4_096);
        var store = new SnapshotStore(
            worlds.Build($"clusters: {{ web: {{ backends: [ \"{listener.LocalEndPoint}\" ] }} }}"));
        var pool = store.Current.Backends().Single().Pool;
        for (var turn = 0; turn < 2; turn++)
        {
            var acquired = await pool.AcquireAsync(mustBeFresh: true, mustBeSure: false).InTime();
            pool.Return(acquired.Connection!);
        }

        new FileWatch(files, store, worlds.Memory.Heartbeat, new LineLog()).Start(connectionsMax: 0);
        files.ReportConnectRefused();
        worlds.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That(pool.Idle, Is.EqualTo(2), "by now there is room");

        files.Add(files.Max);
        worlds.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That(pool.Idle, Is.EqualTo(2), "nobody was turned away");

        files.ReportConnectRefused();
        worlds.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That(pool.Idle, Is.EqualTo(1));
        files.ReportClientRefused();
        worlds.Clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.That((pool.Idle, pool.Open), Is.EqualTo((0, 0)));
    }

    private static FileWatch Watch(FileAllowance files, Worlds worlds, string clusters, LineLog log)
        => new(files, new SnapshotStore(worlds.Build(clusters)), worlds.Memory.Heartbeat, log);

    /// <summary>Keeps warnings as an operator reads them.</summary>
    private sealed class LineLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            Assert.That(logLevel, Is.EqualTo(LogLevel.Warning));
            Lines.Add(formatter(state, exception));
        }
    }
}
