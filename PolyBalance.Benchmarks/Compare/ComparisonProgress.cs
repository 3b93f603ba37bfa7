using PolyBalance.Benchmarks.Compare.Figures;
using Spectre.Console;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>
/// Tells the user what happens: in colour on a terminal, in plain lines otherwise. One line per run, and nothing that
/// moves while a proxy is being measured: that would take CPU time from it.
/// </summary>
internal sealed class ComparisonProgress
{
    private readonly bool _isTerminal = !Console.IsOutputRedirected;

    /// <summary>One line.</summary>
    public void Say(string line) => Write(line, "grey");

    /// <summary>One line that nobody should overlook.</summary>
    public void Warn(string line) => Write(line, "yellow");

    /// <summary>What a run gave.</summary>
    public void Report(Measurement run, int rounds, TimeSpan left)
    {
        var figures = run.Idle is { } idle
            ? $"{Numbers.Of(idle.KibPerConnection)} KiB/connection, {Numbers.Of(idle.CpuMillisPerSecond)} CPU ms/s"
            : $"{Numbers.Of(Figure.Cpu.Of(run) ?? 0)} µs/request, {Numbers.Of(Figure.Throughput.Of(run) ?? 0)}/s, "
                + $"p99 {Numbers.Of(run.Latency?.P99 ?? 0)} µs";
        var line = $"{run.Load,-14} round {run.Round}/{rounds}  {run.Proxy,-28} {figures}";
        if (run.Errors.Total > 0)
            Write($"{line}, errors: {run.Errors.Describe()}", "red");
        else
            Write($"{line}   ({left:m\\:ss} left)", "green");
    }

    /// <summary>The goals, at the end.</summary>
    public void Summarize(IReadOnlyList<GoalResult> results)
    {
        if (results.Count == 0)
            return;
        if (!_isTerminal)
        {
            Console.WriteLine(ComparisonTable.OfGoals(results));
            return;
        }

        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumns("goal", "required", "best peer", "proxy", "figure", "held", "verdict");
        foreach (var result in results)
        {
            var colour = result.Verdict switch { Verdict.Met => "green", Verdict.Missed => "red", _ => "grey" };
            table.AddRow(
                Markup.Escape(result.Goal), Markup.Escape(result.Required), Markup.Escape(result.Against),
                Markup.Escape(result.Proxy), result.Value is { } value ? Numbers.Of(value) : "–",
                result.Held is { } held ? $"{held:0.00}" : "–",
                $"[{colour}]{Markup.Escape(ComparisonTable.VerdictOf(result))}[/]");
        }

        AnsiConsole.Write(table);
    }

    private void Write(string line, string colour)
    {
        if (_isTerminal)
            AnsiConsole.MarkupLine($"[{colour}]{Markup.Escape(line)}[/]");
        else
            Console.WriteLine(line);
    }
}
