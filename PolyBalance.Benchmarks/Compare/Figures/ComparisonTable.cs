namespace PolyBalance.Benchmarks.Compare.Figures;

/// <summary>Writes a comparison as tables: one for each load, and one for the goals.</summary>
internal static class ComparisonTable
{
    /// <summary>The loads' figures, one row for each proxy.</summary>
    public static string OfLoad(Comparison comparison, string load)
    {
        var proxies = comparison.ProxiesOf(load);
        var figures = Figure.All
            .Where(figure => proxies.Any(proxy => comparison.Find(load, proxy, figure) is not null)).ToList();
        var hasYarp = proxies.Contains(ProxyNames.Yarp);

        var rows = new List<IReadOnlyList<string>> { Heading(figures, hasYarp) };
        foreach (var proxy in proxies)
        {
            var row = new List<string> { proxy };
            foreach (var figure in figures)
                AddFigure(row, comparison.StandingOf(load, proxy, figure), figure, hasYarp);
            row.Add(comparison.ErrorsOf(load, proxy).Describe());
            rows.Add(row);
        }

        return Numbers.Table(rows);
    }

    /// <summary>Every goal with what was measured; reads like the table of the goals.</summary>
    public static string OfGoals(IReadOnlyList<GoalResult> results)
    {
        var rows = new List<IReadOnlyList<string>>
        {
            new[] { "goal", "required", "best peer", "proxy", "figure", "ratio or difference", "verdict" },
        };
        foreach (var result in results)
        {
            rows.Add(
            [
                result.Goal, result.Required, result.Against, result.Proxy,
                result.Value is { } value ? Numbers.Of(value) : "–",
                result.Held is { } held ? $"{held:0.00}" : "–",
                VerdictOf(result),
            ]);
        }

        return Numbers.Table(rows);
    }

    /// <summary>A verdict in words; <c>~</c> says that it rests on a noisy figure.</summary>
    public static string VerdictOf(GoalResult result)
        => result.Verdict switch
        {
            Verdict.Met => "met",
            Verdict.Missed => "missed",
            _ => "not measured",
        } + (result.IsNoisy ? " ~" : "");

    private static List<string> Heading(List<Figure> figures, bool hasYarp)
    {
        var heading = new List<string> { "proxy" };
        foreach (var figure in figures)
        {
            heading.Add(figure.Title);
            if (!IsHeld(figure))
                continue;
            heading.Add("to best peer");
            if (hasYarp)
                heading.Add("to YARP");
        }

        heading.Add("errors");
        return heading;
    }

    private static void AddFigure(List<string> row, Standing? standing, Figure figure, bool hasYarp)
    {
        row.Add(standing is null ? "–"
            : IsWithSpread(figure) ? Numbers.Of(standing.Spread)
            : Numbers.Of(standing.Spread.Median));
        if (!IsHeld(figure))
            return;
        row.Add(Numbers.Ratio(standing?.ToBestPeer));
        if (hasYarp)
            row.Add(Numbers.Ratio(standing?.ToYarp));
    }

    // Ratios of every figure would bury the ones that decide.
    private static bool IsHeld(Figure figure)
        => figure == Figure.Cpu || figure == Figure.Throughput || figure == Figure.P99 || figure == Figure.IdleMemory;

    private static bool IsWithSpread(Figure figure) => IsHeld(figure) || figure == Figure.IdleCpu;
}
