using System.Collections.Concurrent;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Health;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Health;

/// <summary>Backends are asked whether they work before they take everybody's place.</summary>
internal sealed class FirstProbesTests : IProbe
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ProbeAnswer>> _answers = new();
    private readonly ConcurrentDictionary<string, bool> _asked = new();
    private ManualClock _clock = null!;
    private MemoryTransport _memory = null!;
    private FirstProbes _probes = null!;
    private int _now;
    private int _most;

    public ProbeKind Kind => ProbeKind.Http;

    [SetUp]
    public void Start()
    {
        _clock = new();
        _memory = new(_clock);
        _probes = new(new(_memory, _clock), new LogLines(), _ => this);
        _answers.Clear();
        _asked.Clear();
        (_now, _most) = (0, 0);
    }

    [TearDown]
    public async Task End() => await _memory.DisposeAsync();

    [Test]
    public async Task Those_are_known_who_work_and_want_work()
    {
        var asking = AskAsync("web/1 web/2 web/3 api/4");
        Answer("1", new(true, "status 200", 200));
        Answer("2", ProbeAnswer.Failed("status 500", 500));
        Answer("3", new(true, "status 200", 200, WantsDrain: true));
        Answer("4", ProbeAnswer.Void("no file descriptors"));

        Assert.That(await asking.InTime(), Is.EqualTo("web/1"));
    }

    [Test]
    public async Task Others_have_a_second_once_each_cluster_has_somebody()
    {
        // Two at once: whoever is asked next shows that the one before is done with. The second one never answers.
        var asking = AskAsync("web/1 web/2 api/3 web/4", atOnce: 2);
        Answer("1", new(true, "status 200", 200));
        await IsAskedAsync("3");
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.That(asking.IsCompleted, Is.False, "api has nobody");

        Answer("3", new(true, "status 200", 200));
        await IsAskedAsync("4");
        _clock.Advance(TimeSpan.FromSeconds(0.9));
        Assert.That(asking.IsCompleted, Is.False);
        _clock.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That(await asking.InTime(), Is.EqualTo("api/3 web/1"));
    }

    [Test]
    public async Task After_five_seconds_it_is_over()
    {
        var asking = AskAsync("web/1 web/2");
        await Eventually.HoldsAsync(() => Volatile.Read(ref _now) == 2, () => "both are asked");
        _clock.Advance(TimeSpan.FromSeconds(4.9));
        Assert.That(asking.IsCompleted, Is.False);
        _clock.Advance(TimeSpan.FromSeconds(0.2));

        Assert.That(await asking.InTime(), Is.Empty);
        Assert.That(_now, Is.Zero, "no probe is left behind");
    }

    [Test]
    public async Task No_more_are_asked_at_once_than_may_be()
    {
        var names = Enumerable.Range(1, 50).Select(number => $"{number}").ToList();
        var asking = AskAsync(string.Join(' ', names.Select(name => $"web/{name}")), atOnce: 3);
        foreach (var name in names)
            Answer(name, new(true, "status 200", 200));

        Assert.That((await asking.InTime()).Split(' '), Has.Length.EqualTo(50));
        Assert.That(_most, Is.LessThanOrEqualTo(3));
    }

    [Test]
    public async Task Where_nobody_is_asked_nothing_is_waited_for()
        => Assert.That(await AskAsync("").InTime(), Is.Empty);

    [Test]
    public void The_end_of_the_gateway_ends_it()
    {
        using var stop = new CancellationTokenSource();
        var asking = AskAsync("web/1", stop: stop.Token);
        stop.Cancel();

        Assert.That(async () => await asking.InTime(), Throws.InstanceOf<OperationCanceledException>());
    }

    async ValueTask<ProbeAnswer> IProbe.RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        _asked[target.Backend] = true;
        var now = Interlocked.Increment(ref _now);
        for (var most = _most; now > most; most = _most)
            Interlocked.CompareExchange(ref _most, now, most);
        try
        {
            return await Source(target.Backend).Task.WaitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            return ProbeAnswer.Void("nobody wants to know");
        }
        finally
        {
            Interlocked.Decrement(ref _now);
        }
    }

    private async Task IsAskedAsync(string backend)
        => await Eventually.HoldsAsync(() => _asked.ContainsKey(backend), () => $"{backend} is asked");

    private async Task<string> AskAsync(string backends, int atOnce = 8, CancellationToken stop = default)
    {
        var asked = backends.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('/')).Select(
            one => (one[0], new BackendOptions { Address = Address.Tcp($"10.0.0.{one[1]}", 80), Name = one[1] }));
        var passed = await _probes.AskAsync([.. asked], atOnce, stop);
        return string.Join(' ', passed.Select(one => $"{one.Cluster}/{one.Address.Host.Split('.')[3]}").Order());
    }

    private void Answer(string backend, ProbeAnswer answer) => Source(backend).TrySetResult(answer);

    private TaskCompletionSource<ProbeAnswer> Source(string backend)
        => _answers.GetOrAdd(backend, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
