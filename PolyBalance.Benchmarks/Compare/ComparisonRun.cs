using System.Diagnostics;
using System.Net.Sockets;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>A proxy that took part, or the reason why it did not.</summary>
/// <param name="Name">As tables write it.</param>
/// <param name="Version">As the program itself says; absent when it did not start.</param>
/// <param name="LeftOut">Why it did not take part, or not to the end; absent when it did.</param>
internal sealed record Participant(string Name, string? Version, string? LeftOut);

/// <summary>Starts everything, lets each proxy have its turns, and collects what they gave.</summary>
/// <param name="options">What is wanted.</param>
/// <param name="workbench">Where it happens.</param>
internal sealed class ComparisonRun(CompareOptions options, Workbench workbench) : IAsyncDisposable
{
    private const int WarmUpShare = 4;
    private const int QuickWarmUpSeconds = 2;
    private const int FirstWarmUpSecondsMin = 2;

    // What a run takes beside its load: the start of its generator, a look at the proxy.
    private const double SecondsBetween = 0.4;
    private const double SecondsAroundIdle = 4;

    private readonly List<Measurement> _runs = [];
    private readonly List<Participant> _participants = [];
    private readonly List<ProxyUnderTest> _proxies = [];
    private readonly HashSet<ProxyUnderTest> _failed = [];
    private BackendPair? _backends;
    private Plan _plan = new([]);

    /// <summary>Who took part and who did not, in the order of the tables.</summary>
    public IReadOnlyList<Participant> Participants => _participants;

    /// <summary>Whether a proxy that took part failed on the way.</summary>
    public bool HasFailures => _failed.Count > 0;

    /// <summary>Every run so far.</summary>
    public IReadOnlyList<Measurement> Runs => _runs;

    /// <summary>Requests per second of the open loop; absent when there was none.</summary>
    public int? Rate { get; private set; }

    /// <summary>Connections of the idle load; absent when there was none.</summary>
    public int? IdleCount { get; private set; }

    /// <summary>Everything from the first start to the last run.</summary>
    /// <exception cref="LeftOutException">There is nothing to compare: no backends, no wrk.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        if (ChildProgram.Find("wrk") is null)
            throw new LeftOutException("wrk, which makes the load, is not installed");

        _backends = await BackendPair.StartAsync(workbench, stop);
        workbench.Backends = _backends.Addresses;
        foreach (var kind in options.Proxies)
            await StartAsync(kind, stop);
        if (_proxies.Count == 0)
            return;

        _plan = new(options.Loads.SelectMany(load => Enumerable.Range(0, options.Rounds + 1)
            .Select(round => _proxies.Count * Estimate(load, round))));
        foreach (var load in options.Loads)
            await RunLoadAsync(load, stop);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_proxies.Select(proxy => proxy.DisposeAsync().AsTask()));
        if (_backends is not null)
            await _backends.DisposeAsync();
    }

    private async Task StartAsync(ProxyKind kind, CancellationToken stop)
    {
        try
        {
            var proxy = await ProxyUnderTest.StartAsync(kind, workbench, stop);
            _proxies.Add(proxy);
            _participants.Add(new(proxy.Name, proxy.Version, LeftOut: null));
            workbench.Progress.Say($"{proxy.Name} {proxy.Version} is ready");
        }
        catch (LeftOutException reason)
        {
            _participants.Add(new(kind.Name, Version: null, reason.Message));
            workbench.Progress.Warn($"{kind.Name} is left out: {reason.Message}");
        }
    }

    private async Task RunLoadAsync(Load load, CancellationToken stop)
    {
        if (load.Kind == LoadKind.OpenLoop && !await ChooseRateAsync(load, stop))
            return;
        if (load.Kind == LoadKind.Idle)
            ChooseIdleCount(load);

        for (var round = NeedsWarmUp(load) ? 0 : 1; round <= options.Rounds; round++)
        {
            foreach (var proxy in Rounds.Rotate(_proxies, Math.Max(1, round)))
                await RunOnceAsync(proxy, load, round, stop);
        }
    }

    private async Task RunOnceAsync(ProxyUnderTest proxy, Load load, int round, CancellationToken stop)
    {
        if (_failed.Contains(proxy))
            return;

        var started = Stopwatch.GetTimestamp();
        try
        {
            var run = await MeasureAsync(proxy, load, round, stop);
            _plan.Finish(Estimate(load, round), Stopwatch.GetElapsedTime(started).TotalSeconds);
            if (round == 0)
                return;
            _runs.Add(run);
            workbench.Progress.Report(run, options.Rounds, _plan.Left);
        }
        catch (Exception problem) when (problem is LeftOutException or InvalidOperationException or SocketException)
        {
            // The others' figures are worth as much without it; the results say what happened.
            _failed.Add(proxy);
            var reason = $"failed under {load.Name}: {problem.Message}";
            _participants[_participants.FindIndex(one => one.Name == proxy.Name)] =
                new(proxy.Name, proxy.Version, reason);
            workbench.Progress.Warn($"{proxy.Name} {reason}");
        }
    }

    private async Task<Measurement> MeasureAsync(ProxyUnderTest proxy, Load load, int round, CancellationToken stop)
    {
        var seconds = round == 0 ? WarmUpSecondsOf(load) : options.Seconds;
        if (proxy.HasEnded)
            throw new InvalidOperationException($"{proxy.Name} has ended: {proxy.LastLine}");
        switch (load.Kind)
        {
            case LoadKind.ClosedLoop:
                return await WrkRun.MeasureAsync(proxy, load, round, seconds, workbench.Folder, stop);

            case LoadKind.OpenLoop:
                return await OpenLoopLoad.MeasureAsync(proxy, load, round, Rate ?? 1, seconds, stop);

            default:
                // A process of its own: what other loads left behind would hide what connections need.
                await using (var fresh = await ProxyUnderTest.StartAsync(proxy.Kind, workbench, stop))
                    return await IdleConnections.MeasureAsync(fresh, load, round, IdleCount ?? 1, seconds, stop);
        }
    }

    // Code that is compiled while it runs needs longer to get fast than connections do to get open.
    private int WarmUpSecondsOf(Load load)
        => options.IsQuick ? QuickWarmUpSeconds
            : load == options.Loads[0] ? Math.Max(FirstWarmUpSecondsMin, options.Seconds)
            : Math.Max(1, options.Seconds / WarmUpShare);

    // A quick comparison warms each proxy once. Idle connections begin with a fresh process, which warms itself.
    private bool NeedsWarmUp(Load load) => load.Kind != LoadKind.Idle && (!options.IsQuick || load == options.Loads[0]);

    // Unit: seconds. Round 0 is the warm-up.
    private double Estimate(Load load, int round)
        => round > 0 ? options.Seconds + (load.Kind == LoadKind.Idle ? SecondsAroundIdle : SecondsBetween)
            : NeedsWarmUp(load) ? WarmUpSecondsOf(load) + SecondsBetween
            : 0;

    private async Task<bool> ChooseRateAsync(Load load, CancellationToken stop)
    {
        Rate = options.Rate ?? Half(new Comparison(_runs));
        if (Rate is null)
        {
            // The load whose half is wanted is not part of this comparison: a look of one run at each peer.
            var small = Load.All.First(one => one.Name == LoadNames.Small64);
            var looks = new List<Measurement>();
            foreach (var peer in _proxies.Where(proxy => ProxyNames.Peers.Contains(proxy.Name)))
                looks.Add(await WrkRun.MeasureAsync(peer, small, 1, WarmUpSecondsOf(load), workbench.Folder, stop));
            Rate = Half(new Comparison(looks));
        }

        if (Rate is null)
            workbench.Progress.Warn($"{load.Name} is left out: its rate follows nginx or HAProxy, or --rate");
        else
            workbench.Progress.Say($"{load.Name}: {Rate} requests/s over {load.Connections} connections");
        return Rate is not null;
    }

    private static int? Half(Comparison comparison)
    {
        var slower = ProxyNames.Peers
            .Select(peer => comparison.Find(LoadNames.Small64, peer, Figure.Throughput)?.Median)
            .OfType<double>().DefaultIfEmpty().Min();
        return slower >= 2 ? (int)(slower / 2) : null;
    }

    private void ChooseIdleCount(Load load)
    {
        IdleCount = IdleConnections.CountWithin(load.Connections);
        if (IdleCount < load.Connections)
            workbench.Progress.Warn(
                $"{load.Name}: {IdleCount} connections instead of {load.Connections}; "
                + $"{Machine.OpenFilesMax} open files are the limit of this machine");
    }
}
