namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>What a figure of PolyBalance is held against.</summary>
internal enum Yardstick : byte
{
    /// <summary>The better of nginx and HAProxy under the same load.</summary>
    BestPeer,

    /// <summary>YARP, under the load where PolyBalance stands worst to it.</summary>
    Yarp,

    /// <summary>Nobody: the figure itself.</summary>
    Itself,

    /// <summary>The same PolyBalance without its access log: how much more it takes.</summary>
    LogOff,
}

/// <summary>Whether a goal was reached.</summary>
internal enum Verdict : byte
{
    /// <summary>The figure or what it is held against was not measured in this comparison.</summary>
    NotMeasured,

    /// <summary>The medians satisfy it.</summary>
    Met,

    /// <summary>The medians do not.</summary>
    Missed,
}

/// <summary>One line of the goals: a figure under a load, held against somebody.</summary>
/// <param name="Load">Short name of the load; empty for every load where requests follow each other closely.</param>
/// <param name="Figure">Which number.</param>
/// <param name="Yardstick">What it is held against.</param>
/// <param name="Limit">A ratio, or for <see cref="Yardstick.Itself"/> and LogOff a value of the figure.</param>
internal sealed record Goal(string Load, Figure Figure, Yardstick Yardstick, double Limit)
{
    /// <summary>What is asked for, such as <c>≤ 0.80 ×</c>.</summary>
    public string Required
        => (Figure.IsBetterLow ? "≤ " : "≥ ") + Yardstick switch
        {
            Yardstick.Itself => $"{Limit:0.0}",
            Yardstick.LogOff => $"+{Limit:0.0}",
            _ => $"{Limit:0.00} ×",
        };

    /// <summary>Load and figure in words.</summary>
    public string Title
        => Yardstick switch
        {
            Yardstick.Yarp => $"against YARP, worst load: {Figure.Title}",
            Yardstick.LogOff => $"{Load}, access log on over off: {Figure.Title}",
            _ => $"{Load}: {Figure.Title}",
        };
}

/// <summary>How one proxy stands to one goal.</summary>
/// <param name="Goal">Title of the goal.</param>
/// <param name="Required">What it asks for.</param>
/// <param name="Against">Whom it is held against, with the figure; a dash when there is nobody.</param>
/// <param name="Proxy">Which PolyBalance.</param>
/// <param name="Value">Its figure; absent when it was not measured.</param>
/// <param name="Held">What is compared with the limit: a ratio, a difference or the figure itself.</param>
/// <param name="Verdict">What comes of it.</param>
/// <param name="IsNoisy">Whether one of the figures behind it spreads too far.</param>
internal sealed record GoalResult(
    string Goal, string Required, string Against, string Proxy, double? Value, double? Held, Verdict Verdict,
    bool IsNoisy);

/// <summary>The goals that a comparison can judge, and how they are judged.</summary>
internal static class Goals
{
    private const string Nobody = "–";

    /// <summary>Every goal of the product that needs other proxies or idle connections to be judged.</summary>
    public static readonly IReadOnlyList<Goal> All =
    [
        new(LoadNames.Small64, Figure.Cpu, Yardstick.BestPeer, 0.80),
        new(LoadNames.Small64, Figure.Throughput, Yardstick.BestPeer, 1.10),
        new(LoadNames.Small1000, Figure.Cpu, Yardstick.BestPeer, 0.65),
        new(LoadNames.Small1000, Figure.Throughput, Yardstick.BestPeer, 1.35),
        new(LoadNames.Medium, Figure.Cpu, Yardstick.BestPeer, 0.80),
        new(LoadNames.LargeDown, Figure.Cpu, Yardstick.BestPeer, 0.55),
        new(LoadNames.LargeUp, Figure.Cpu, Yardstick.BestPeer, 0.55),
        new(LoadNames.Latency, Figure.P99, Yardstick.BestPeer, 1.0),
        new(LoadNames.NewConnection, Figure.Cpu, Yardstick.BestPeer, 1.0),
        new("", Figure.Cpu, Yardstick.Yarp, 0.5),
        new("", Figure.Throughput, Yardstick.Yarp, 1.6),
        new(LoadNames.Idle, Figure.IdleMemory, Yardstick.Itself, 4.0),
        new(LoadNames.Small64, Figure.Cpu, Yardstick.LogOff, 1.5),
    ];

    /// <summary>Judges every goal for every PolyBalance that ran without a log.</summary>
    public static IReadOnlyList<GoalResult> Judge(Comparison comparison)
    {
        var own = comparison.Runs.Select(run => run.Proxy).Distinct()
            .Where(proxy => proxy.StartsWith(ProxyNames.Own, StringComparison.Ordinal))
            .Where(proxy => !proxy.EndsWith(ProxyNames.LogOnSuffix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        return [.. from goal in All from proxy in own select Judge(comparison, goal, proxy)];
    }

    private static GoalResult Judge(Comparison comparison, Goal goal, string proxy)
        => goal.Yardstick switch
        {
            Yardstick.BestPeer => ToBestPeer(comparison, goal, proxy),
            Yardstick.Yarp => ToYarp(comparison, goal, proxy),
            Yardstick.LogOff => LogOnToOff(comparison, goal, proxy),
            _ => AsItIs(comparison, goal, proxy),
        };

    private static GoalResult ToBestPeer(Comparison comparison, Goal goal, string proxy)
    {
        var standing = comparison.StandingOf(goal.Load, proxy, goal.Figure);
        var best = comparison.BestPeer(goal.Load, goal.Figure);
        var against = best is { } peer ? $"{peer.Proxy} {Numbers.Of(peer.Median)}" : Nobody;
        var isNoisy = best is { } noisy && comparison.Find(goal.Load, noisy.Proxy, goal.Figure) is { IsNoisy: true };
        return Result(goal, proxy, against, standing?.Spread, standing?.ToBestPeer, isNoisy);
    }

    private static GoalResult ToYarp(Comparison comparison, Goal goal, string proxy)
    {
        GoalResult? worst = null;
        foreach (var load in comparison.Loads)
        {
            // A fixed rate says nothing about how much a proxy could do.
            if (load == LoadNames.Latency || comparison.Find(load, ProxyNames.Yarp, goal.Figure) is not { } yarp)
                continue;
            var standing = comparison.StandingOf(load, proxy, goal.Figure);
            var one = Result(
                goal, proxy, $"{Numbers.Of(yarp.Median)} ({load})", standing?.Spread, standing?.ToYarp, yarp.IsNoisy);
            if (one.Held is { } held
                && (worst is null || (goal.Figure.IsBetterLow ? held > worst.Held : held < worst.Held)))
                worst = one;
        }

        return worst ?? Result(goal, proxy, Nobody, spread: null, held: null, isNoisy: false);
    }

    private static GoalResult LogOnToOff(Comparison comparison, Goal goal, string proxy)
    {
        var off = comparison.Find(goal.Load, proxy, goal.Figure);
        var on = comparison.Find(goal.Load, proxy + ProxyNames.LogOnSuffix, goal.Figure);
        var against = off is { } without ? $"off {Numbers.Of(without.Median)}" : Nobody;
        return Result(
            goal, proxy + ProxyNames.LogOnSuffix, against, on, on?.Median - off?.Median, off is { IsNoisy: true });
    }

    private static GoalResult AsItIs(Comparison comparison, Goal goal, string proxy)
    {
        var spread = comparison.Find(goal.Load, proxy, goal.Figure);
        var best = comparison.BestPeer(goal.Load, goal.Figure);
        var against = best is { } peer ? $"{peer.Proxy} {Numbers.Of(peer.Median)}" : Nobody;
        return Result(goal, proxy, against, spread, spread?.Median, isNoisy: false);
    }

    private static GoalResult Result(
        Goal goal, string proxy, string against, Spread? spread, double? held, bool isNoisy)
    {
        var verdict = held is not { } value ? Verdict.NotMeasured
            : (goal.Figure.IsBetterLow ? value <= goal.Limit : value >= goal.Limit) ? Verdict.Met
            : Verdict.Missed;
        return new(
            goal.Title, goal.Required, against, proxy, spread?.Median, held, verdict,
            isNoisy || spread is { IsNoisy: true });
    }
}
