using System.Collections.Concurrent;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Health;
using PolyBalance.Tests.Support;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Health;

/// <summary>A monitor over scripted probes and a clock that only the test moves.</summary>
internal sealed class MonitorRig : IProbe, IAsyncDisposable
{
    /// <summary>How far the clock moves at once.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly MemoryTransport _memory;
    private readonly SnapshotBuilder _builder;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<(string Backend, TimeSpan At)> _probes = [];
    private readonly Task _running;
    private int _now;
    private int _most;

    public MonitorRig(string configuration)
    {
        _memory = new(Clock);
        _builder = new(_memory, Clock, new BackendNews(Log, () => Store?.RequestRefresh(), new()));
        Store = new(_builder.Build(Parse(configuration), previous: null));
        Monitor = new(Store, new(_memory, Clock), new Random(1), Log, _ => this);
        _running = Store.RunAsync(_stop.Token);
    }

    /// <summary>What each probe answers.</summary>
    public Func<ProbeTarget, ProbeAnswer> Answer { get; set; } = static _ => new(true, "fine", 200);

    /// <summary>Probes wait for it before they answer; null: they do not wait.</summary>
    public TaskCompletionSource? Hold { get; set; }

    public ManualClock Clock { get; } = new();

    public SnapshotStore Store { get; }

    public HealthMonitor Monitor { get; }

    public LogLines Log { get; } = new();

    /// <summary>Who was probed when, in order.</summary>
    public (string Backend, TimeSpan At)[] Probes => [.. _probes];

    /// <summary>The most probes that ever ran at once.</summary>
    public int MostAtOnce => _most;

    /// <summary>Probes that run now.</summary>
    public int Now => Volatile.Read(ref _now);

    public ProbeKind Kind => ProbeKind.Http;

    /// <summary>A scripted answer.</summary>
    public static ProbeAnswer Status(int status) => new(status < 400, $"status {status}", status);

    /// <summary>Does the start-up round.</summary>
    public async Task StartAsync() => await Monitor.StartAsync(TimeSpan.FromSeconds(5), Task.CompletedTask).InTime();

    /// <summary>Moves the clock in small steps, and lets everything happen that is due.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        for (var moved = TimeSpan.Zero; moved < by; moved += Step)
        {
            Clock.Advance(Step);
            await QuietAsync();
        }
    }

    /// <summary>Moves the clock until something holds.</summary>
    public async Task AdvanceUntilAsync(Func<bool> holds, TimeSpan atMost)
    {
        for (var moved = TimeSpan.Zero; !holds() && moved < atMost; moved += Step)
            await AdvanceAsync(Step);
        Assert.That(holds(), $"it happened within {atMost}");
    }

    /// <summary>Waits until no probe runs.</summary>
    public Task QuietAsync() => Eventually.HoldsAsync(() => Monitor.Probing == 0, () => "no probe runs");

    /// <summary>The verdict that counts for traffic.</summary>
    public Verdict VerdictOf(string name) => Store.Current.Backends().Single(backend => backend.Name == name).Verdict;

    /// <summary>The names of all backends that may receive traffic, once they are as expected.</summary>
    public Task EligibleAsync(params string[] names) => Eventually.HoldsAsync(
        () => Eligible().SequenceEqual(names),
        () => $"[{string.Join(' ', Eligible())}] is [{string.Join(' ', names)}]");

    /// <summary>Puts another configuration in force.</summary>
    public async Task ReloadAsync(string configuration)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = Parse(configuration);
        await Store.PublishAsync(found => _builder.Build(options, found), CancellationToken.None);
        await Store.PublishAsync(
            found =>
            {
                done.SetResult();
                return found;
            },
            CancellationToken.None);
        await done.Task.InTime();
    }

    public async ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        var now = Interlocked.Increment(ref _now);
        for (var most = Volatile.Read(ref _most); now > most; most = Volatile.Read(ref _most))
            Interlocked.CompareExchange(ref _most, now, most);
        _probes.Enqueue((target.Backend, Clock.Elapsed));
        try
        {
            if (Hold is { } hold)
                await hold.Task.WaitAsync(cancel);
            return Answer(target);
        }
        finally
        {
            Interlocked.Decrement(ref _now);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Monitor.DisposeAsync().AsTask().InTime();
        await _stop.CancelAsync();
        await _running.InTime();
        await _memory.DisposeAsync();
        _stop.Dispose();
    }

    private IEnumerable<string> Eligible()
        => Store.Current.Clusters.SelectMany(cluster => cluster.Eligible).Select(candidate => candidate.Backend.Name);

    private static ProxyOptions Parse(string configuration)
    {
        var result = ProxyOptions.Parse($"listeners: [ {{ bind: \":8000\" }} ]\n{configuration}", "test.yaml");
        Assert.That(result.Errors, Is.Empty);
        return result.Options!;
    }
}
