namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>One figure of one proxy under one load: medians over the rounds, and how it stands to the others.</summary>
/// <param name="Spread">Over the rounds.</param>
/// <param name="ToBestPeer">Divided by the better of nginx and HAProxy; absent when neither has the figure.</param>
/// <param name="ToYarp">Divided by YARP's; absent when YARP did not run.</param>
internal sealed record Standing(Spread Spread, double? ToBestPeer, double? ToYarp);

/// <summary>All runs of a comparison, and the questions that tables and goals ask of them.</summary>
internal sealed class Comparison(IReadOnlyList<Measurement> runs)
{
    /// <summary>Every run, in the order in which they were made.</summary>
    public IReadOnlyList<Measurement> Runs => runs;

    /// <summary>Loads with at least one run, in order.</summary>
    public IReadOnlyList<string> Loads { get; } = [.. runs.Select(run => run.Load).Distinct()];

    /// <summary>Proxies with at least one run under a load, peers first.</summary>
    public IReadOnlyList<string> ProxiesOf(string load)
        => [.. runs.Where(run => run.Load == load).Select(run => run.Proxy).Distinct().OrderBy(RankOf)];

    /// <summary>The median, least and most of a figure over the rounds; absent when it was not measured.</summary>
    public Spread? Find(string load, string proxy, Figure figure)
        => Spread.Of(runs.Where(run => run.Load == load && run.Proxy == proxy).Select(figure.Of).OfType<double>());

    /// <summary>A figure beside those of others; absent when it was not measured.</summary>
    public Standing? StandingOf(string load, string proxy, Figure figure)
    {
        if (Find(load, proxy, figure) is not { } spread)
            return null;

        return new(
            spread,
            Ratio(spread.Median, BestPeer(load, figure)?.Median),
            Ratio(spread.Median, Find(load, ProxyNames.Yarp, figure)?.Median));
    }

    /// <summary>Which of the peers is better in a figure, and how good; absent when none was measured.</summary>
    public (string Proxy, double Median)? BestPeer(string load, Figure figure)
    {
        (string Proxy, double Median)? best = null;
        foreach (var peer in ProxyNames.Peers)
        {
            if (Find(load, peer, figure) is not { } spread)
                continue;
            var isBetter = best is not { } other
                || (figure.IsBetterLow ? spread.Median < other.Median : spread.Median > other.Median);
            if (isBetter)
                best = (peer, spread.Median);
        }

        return best;
    }

    /// <summary>What went wrong in all rounds of a row together.</summary>
    public LoadErrors ErrorsOf(string load, string proxy)
        => runs.Where(run => run.Load == load && run.Proxy == proxy)
            .Aggregate(new LoadErrors(), (sum, run) => sum + run.Errors);

    private static double? Ratio(double value, double? other) => other is > 0 ? value / other : null;

    private static int RankOf(string proxy)
    {
        for (var rank = 0; rank < ProxyNames.Peers.Count; rank++)
        {
            if (ProxyNames.Peers[rank] == proxy)
                return rank;
        }

        return proxy == ProxyNames.Yarp ? ProxyNames.Peers.Count : ProxyNames.Peers.Count + 1;
    }
}
