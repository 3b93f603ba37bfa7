using System.Collections.Immutable;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Configuration;
using PolyBalance.Topology;

namespace PolyBalance.Tests.Simulation;

/// <summary>
/// Knows what must be true, by counts of its own: it looks at verdicts, stages and causes, and computes from them anew
/// who may get how much.
/// </summary>
internal sealed class Oracle
{
    /// <summary>How long news may wait for the snapshot that they lead to.</summary>
    public static readonly TimeSpan NewsMax = TimeSpan.FromMilliseconds(5);

    /// <summary>The same for what only time tells: somebody has to look first.</summary>
    private static readonly TimeSpan LooksMax = TimeSpan.FromMilliseconds(200) + NewsMax;

    private readonly ImmutableArray<Watched> _backends;
    private readonly Queue<long> _firsts = new();
    private readonly Queue<long> _retries = new();
    private readonly Queue<(long Until, int Percent)> _formerBudgets = new();
    private long _newsSince = long.MaxValue;

    /// <summary>Begins to watch the backends of a cluster.</summary>
    public Oracle(ClusterOptions options, IEnumerable<SimulatedBackend> backends)
    {
        Options = options;
        Queue = new(this);
        _backends = [.. backends.Select(backend => new Watched(backend))];
        Configure(options, now: 0);
    }

    /// <summary>What is configured.</summary>
    public ClusterOptions Options { get; private set; }

    /// <summary>Who may receive traffic by the latest snapshot, tier by tier.</summary>
    public ImmutableArray<Candidate> Eligible { get; private set; } = [];

    /// <summary>Whether requests that find no place may wait for one.</summary>
    public bool CanWait => CanWaitBy(Options);

    /// <summary>Looks at those who wait.</summary>
    public QueueOracle Queue { get; }

    /// <summary>Takes up another configuration. What is different about it is in the next snapshot.</summary>
    public void Configure(ClusterOptions options, long now)
    {
        _formerBudgets.Enqueue((now, PercentOf(Options)));
        Options = options;
        for (var index = 0; index < _backends.Length; index++)
            _backends[index].Configure(options.Backends[index], options.SlowStart ?? TimeSpan.Zero);
    }

    private static bool CanWaitBy(ClusterOptions options) => options is { Queue: not null, Pool.ConnectionsMax: > 0 };

    private static int PercentOf(ClusterOptions options) => (options.Retries ?? RetryOptions.Default).BudgetPercent;

    /// <summary>What became known of a backend must be in force soon.</summary>
    public void NoteNews(long now) => _newsSince = Math.Min(_newsSince, now);

    // ---- snapshots

    /// <summary>Notes the stages before a snapshot is built.</summary>
    public void BeforeRefresh()
    {
        foreach (var watched in _backends)
            watched.StageBefore = watched.Known.Passive.Stage;
    }

    /// <summary>Looks at what the next snapshot holds, and at how it came to that.</summary>
    public void AfterRefresh(Cluster cluster, long now)
    {
        _newsSince = long.MaxValue;
        CheckEjections();
        foreach (var watched in _backends)
        {
            CheckStage(watched, now);
            watched.ObserveStage();
            watched.ObserveService(now);
        }

        SetBounds(now);

        Eligible = ExpectedEligible(now);
        Violation.Unless(
            Eligible.AsSpan().SequenceEqual(cluster.Candidates.AsSpan()), Rule.EligibleAreRight,
            $"eligible are {Describe(cluster.Candidates)}, should be {Describe(Eligible)}");
    }

    private void CheckEjections()
    {
        var outside = _backends.Count(watched => watched.Stage != ServiceStage.InService);
        var usable = _backends.Count(watched => watched.IsUsable);
        var serving = _backends.Count(watched => watched.IsServing);
        Violation.Unless(
            outside <= _backends.Length / 2, Rule.HalfStays, $"{outside} of {_backends.Length} are out of service");
        Violation.Unless(
            usable == 0 || serving > 0, Rule.LastStays, $"{usable} can be used and none of them is in service");
        var ejected = _backends.Any(watched
            => watched is { StageBefore: ServiceStage.InService, Stage: ServiceStage.Ejected });
        Violation.Unless(!ejected || serving > 0, Rule.LastStays, $"one was ejected and none is left in service");
    }

    // Probes may have taken out the others meanwhile: who is left returns without having earned it.
    private void CheckStage(Watched watched, long now)
    {
        if (Options.Ejection is not { } rules)
            return;

        if (watched is { StageBefore: ServiceStage.InService, Stage: ServiceStage.Ejected })
        {
            // The share is looked at once a second, over a window that a sample may lengthen.
            var failures = watched.FailuresWithin(rules.Window + TimeSpan.FromSeconds(1) + NewsMax, now);
            var isShare = rules.FailurePercent > 0
                && failures * 100 >= rules.FailurePercent * rules.MinimumRequests;
            Violation.Unless(
                watched.RunMax >= rules.ConsecutiveFailures || isShare, Rule.EjectedForAReason,
                $"{watched.Known.Name} was ejected after {watched.RunMax} failures in a row, {failures} in a while");
        }

        if (watched is { StageBefore: ServiceStage.OnTrial, Stage: ServiceStage.InService })
        {
            Violation.Unless(
                watched.Passes >= rules.Trials || _backends.Count(other => other.IsServing) == 1,
                Rule.ReturnsAreEarned,
                $"{watched.Known.Name} returned after {watched.Passes} of {rules.Trials} trials");
        }
    }

    private ImmutableArray<Candidate> ExpectedEligible(long now)
    {
        var chosen = _backends.Where(watched => watched.IsUsable && watched.Stage != ServiceStage.Ejected).ToList();
        if (chosen.Count == 0 && Options.WhenNoneEligible == NoneEligibleRule.UseAll)
            chosen = [.. _backends.Where(watched => watched.Weight > 0)];
        return [.. chosen.GroupBy(watched => watched.Tier).OrderBy(tier => tier.Key).SelectMany(Weighted)];

        IEnumerable<Candidate> Weighted(IGrouping<int, Watched> tier)
        {
            var isEven = tier.Select(watched => watched.TenthsAt(now)).Distinct().Count() <= 1;
            return tier.Select(watched => new Candidate(
                watched.Known, watched.Weight * (isEven ? 1 : watched.TenthsAt(now)), tier.Key));
        }
    }

    // A share of what the full ones of the first tier that has any have on average; never less than it was during this
    // start.
    private void SetBounds(long now)
    {
        var full = _backends.Where(watched => watched.IsServing && watched.TenthsAt(now) == 10)
            .GroupBy(watched => watched.Tier).MinBy(tier => tier.Key)?.ToList() ?? [];
        var inFlight = full.Sum(watched => (long)watched.InFlight);
        var weights = full.Sum(watched => (long)watched.Weight);
        foreach (var watched in _backends)
        {
            var tenths = watched.TenthsAt(now);
            if (watched.Stage == ServiceStage.OnTrial)
                watched.SoftBound = 1;
            else if (tenths == 10)
                watched.SoftBound = 0;
            else if (weights == 0)
                watched.SoftBound = watched.RampBound = 0;
            else
            {
                var share = Math.Max(1, inFlight * watched.Weight * tenths / (weights * 10));
                watched.SoftBound = watched.RampBound = (int)Math.Max(watched.RampBound, share);
            }
        }
    }

    private static string Describe(ImmutableArray<Candidate> candidates)
        => string.Join(", ", candidates.Select(
            candidate => $"{candidate.Backend.Name} x{candidate.Weight} in {candidate.Tier}"));

    // ---- exchanges

    /// <summary>A request has arrived: the snapshot that it observes must not be an old one.</summary>
    public void CheckWorld(long now)
    {
        Violation.Unless(
            _newsSince == long.MaxValue || now - _newsSince <= NewsMax.Ticks, Rule.WorldIsNew,
            $"news of {TimeSpan.FromTicks(now - _newsSince).TotalMilliseconds} ms ago are in no snapshot");
        foreach (var watched in _backends)
        {
            Violation.Unless(
                watched.Stage != ServiceStage.Ejected || now <= watched.Known.Passive.Until + LooksMax.Ticks,
                Rule.WorldIsNew, $"the ejection of {watched.Known.Name} is over");
        }
    }

    /// <summary>
    /// Those of the candidates to whom an exchange may go now: it has not tried them, and nobody of a tier before
    /// theirs is in full service whom it has not tried.
    /// </summary>
    public List<Watched> LeftFor(SimulatedExchange exchange, ImmutableArray<Candidate> candidates)
    {
        var left = new List<Watched>();
        foreach (var tier in candidates.GroupBy(candidate => candidate.Tier).OrderBy(tier => tier.Key))
        {
            var untried = tier.Select(candidate => Of(candidate.Backend))
                .Where(watched => !exchange.HasTried(watched.Known)).ToList();
            left.AddRange(untried);
            if (untried.Exists(watched => !watched.IsProtected(Options.Pool.ConnectionsMax)))
                break;
        }

        return left;
    }

    /// <summary>A request was refused, and does not wait.</summary>
    public void CheckRefusal(SimulatedExchange exchange)
    {
        var roomy = LeftFor(exchange, exchange.Cluster.Candidates)
            .Find(watched => watched.HasRoom(Options.Pool.ConnectionsMax));
        Violation.Unless(
            roomy is null, Rule.RefusedForAReason, $"nobody was chosen although {roomy?.Known.Name} has room");
    }

    /// <summary>Looks at a choice that was made at once.</summary>
    public void CheckChoice(SimulatedExchange exchange, Backend chosen, long now)
    {
        // Its snapshot may be older than the reload that has closed the queue, or opened it.
        var canWait = CanWait && CanWaitBy(exchange.Cluster.Options);
        CheckPlace(exchange, chosen, exchange.Cluster.Candidates, canWait, now);
    }

    /// <summary>Looks at a place that counts here already.</summary>
    /// <param name="exchange">Who has got it.</param>
    /// <param name="chosen">Where.</param>
    /// <param name="candidates">Who may receive traffic as far as whoever has chosen knows.</param>
    /// <param name="canWait">Whether the exchange can wait for somebody else.</param>
    /// <param name="now">In heartbeat time.</param>
    public void CheckPlace(
        SimulatedExchange exchange, Backend chosen, ImmutableArray<Candidate> candidates, bool canWait, long now)
    {
        var left = LeftFor(exchange, candidates);
        var picked = Of(chosen);
        Violation.Unless(
            candidates.Any(candidate => candidate.Backend == chosen) && !exchange.HasTried(chosen),
            Rule.PicksAreEligible, $"{chosen.Name} is not eligible, or was tried before");
        Violation.Unless(
            left.Contains(picked), Rule.BackupsStandBy, $"{chosen.Name} is a backup, and others are in full service");

        // Somebody else takes it, or will: this one was not the last resort.
        var max = Options.Pool.ConnectionsMax;
        var spared = left.Find(watched => watched.TakesNow(max) || (canWait && !watched.IsProtected(max)));
        if (spared is not null && picked.SoftBound > 0)
        {
            Violation.Unless(
                picked.Counted <= picked.SoftBound,
                picked.Stage == ServiceStage.OnTrial ? Rule.TrialsOneAtATime : Rule.SlowStartShare,
                $"{chosen.Name} has {picked.Counted} of {picked.SoftBound}, and there was {spared.Known.Name}");
        }

        if (exchange.Tries == 1)
            _firsts.Enqueue(now);
    }

    /// <summary>One more backend is looked for. It costs some of the budget now, whenever a place is found.</summary>
    public void CheckRetry(SimulatedExchange exchange, long now)
    {
        var attemptsMax = 1 + (exchange.Cluster.Options.Retries?.Attempts ?? 0);
        Violation.Unless(
            exchange.Tries <= attemptsMax, Rule.AttemptsMax, $"attempt {exchange.Tries} of one exchange");
        _retries.Enqueue(now);
        Forget(_firsts, now);
        Forget(_retries, now);

        // Whatever was allowed within the ten seconds may have been used.
        while (_formerBudgets.TryPeek(out var former) && now - former.Until >= 10 * TimeSpan.TicksPerSecond)
            _formerBudgets.Dequeue();
        var percent = _formerBudgets.Select(former => former.Percent).Append(PercentOf(Options)).Max();
        Violation.Unless(
            _retries.Count * 100 <= (_firsts.Count * percent) + 100 * 100, Rule.RetryBudget,
            $"{_retries.Count} retries in ten seconds, with {_firsts.Count} requests and {percent} %");
    }

    private static void Forget(Queue<long> times, long now)
    {
        while (times.TryPeek(out var oldest) && now - oldest >= 10 * TimeSpan.TicksPerSecond)
            times.Dequeue();
    }

    /// <summary>An exchange has got a place at a backend.</summary>
    public void Take(SimulatedExchange exchange, Backend backend)
    {
        var watched = Of(backend);
        var max = Options.Pool.ConnectionsMax;
        exchange.IsCounted = max > 0 || watched.SoftBound > 0;
        watched.Counted += exchange.IsCounted ? 1 : 0;
        watched.InFlight++;
        exchange.Era = watched.Era;
        Violation.Unless(
            max == 0 || watched.InFlight <= max, Rule.ConnectionsMax,
            $"{watched.Known.Name} has {watched.InFlight} of {max}");
    }

    /// <summary>It has given it back.</summary>
    public void Free(SimulatedExchange exchange, Backend backend)
    {
        var watched = Of(backend);
        watched.Counted -= exchange.IsCounted ? 1 : 0;
        watched.InFlight--;
    }

    /// <summary>An attempt begins.</summary>
    public static void Begin(SimulatedExchange exchange)
    {
        exchange.Reached += exchange.Backend!.Mood == Mood.Refuses ? 0 : 1;
        Violation.Unless(
            exchange.IsRepeatable || exchange.Reached <= 1, Rule.UnsafeOnce,
            $"{exchange.Reached} backends may have acted on exchange {exchange.Number}");
    }

    /// <summary>An attempt has ended and was reported.</summary>
    /// <param name="exchange">Whose.</param>
    /// <param name="status">What the backend answered; 0: nothing.</param>
    /// <param name="now">In heartbeat time.</param>
    public void End(SimulatedExchange exchange, int status, long now)
    {
        var watched = Of(exchange.Backend!.Known);
        var isAnswer = exchange.Failure == FailureKind.None;
        var isFailure = Failure.Of(exchange.Failure).Side == Side.Backend
            || (isAnswer && status == 500 && Options.Ejection?.Statuses.Count > 0);
        if (exchange.Era == watched.Era && (isAnswer || isFailure))
            watched.Learn(isFailure, now);
        Free(exchange, watched.Known);
        if (watched.Known.Passive.Cause is not null)
            NoteNews(now);
    }

    /// <summary>A client has its final answer.</summary>
    public static void CheckAnswer(SimulatedExchange exchange)
        => Violation.Unless(
            exchange.Answers == 1, Rule.OneAnswer, $"exchange {exchange.Number} has {exchange.Answers} answers");

    /// <summary>All exchanges are over: nobody is left waiting, and nothing is left counted.</summary>
    public void Finish(IEnumerable<SimulatedExchange> exchanges)
    {
        foreach (var exchange in exchanges)
            CheckAnswer(exchange);

        foreach (var watched in _backends)
        {
            CheckCount(watched);
            Violation.Unless(
                watched.InFlight == 0 && IsGateEmpty(watched.Known), Rule.CountsAgree,
                $"{watched.Known.Name} has {watched.InFlight} in flight, or places that nobody gave back");
        }
    }

    // With a bound of one a gate has room exactly while it counts nobody, and none with one in it.
    private static bool IsGateEmpty(Backend backend)
    {
        backend.Protect(exchangesMax: 1, connectsMax: 1);
        if (backend.IsFull || !backend.TryBegin(isLastResort: false, out var admission))
            return false;

        var isFull = backend.IsFull;
        backend.Report(admission, new(FailureKind.ClientClosed, 0, 0, backend.Now));
        return isFull && !backend.IsFull;
    }

    /// <summary>Whether backends count what is at them.</summary>
    public void CheckCounts()
    {
        foreach (var watched in _backends)
            CheckCount(watched);
    }

    private static void CheckCount(Watched watched)
        => Violation.Unless(
            watched.Known.InFlight == watched.InFlight, Rule.CountsAgree,
            $"{watched.Known.Name} counts {watched.Known.InFlight} in flight, there are {watched.InFlight}");

    private Watched Of(Backend backend)
    {
        foreach (var watched in _backends)
        {
            if (ReferenceEquals(watched.Known, backend))
                return watched;
        }

        throw new Violation(Rule.PicksAreEligible, $"{backend.Name} is no backend of the cluster");
    }
}
