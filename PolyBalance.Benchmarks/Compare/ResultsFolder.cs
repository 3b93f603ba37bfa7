using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>One proxy under one load, as results.json holds it.</summary>
/// <param name="Load">Short name.</param>
/// <param name="Proxy">As tables write it.</param>
/// <param name="Errors">Of all rounds together.</param>
/// <param name="Figures">By name: median, least, most, ratios.</param>
internal sealed record ResultRow(
    string Load, string Proxy, LoadErrors Errors, IReadOnlyDictionary<string, Standing> Figures);

/// <summary>Everything that a comparison leaves behind.</summary>
internal sealed record Results(
    DateTimeOffset Date, Machine Machine, IReadOnlyList<Participant> Proxies, string LoadGenerator,
    IReadOnlyList<string> Loads, int Rounds, int SecondsPerRun, bool IsQuick, int? LatencyRate, int? IdleConnections,
    IReadOnlyList<ResultRow> Rows, IReadOnlyList<GoalResult> Goals, IReadOnlyList<Measurement> Runs);

/// <summary>Writes what a comparison gave: for reading, for programs, for looking at.</summary>
internal static class ResultsFolder
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>One row for each load and proxy.</summary>
    public static IReadOnlyList<ResultRow> RowsOf(Comparison comparison)
        => [.. from load in comparison.Loads
               from proxy in comparison.ProxiesOf(load)
               let errors = comparison.ErrorsOf(load, proxy)
               select new ResultRow(load, proxy, errors, FiguresOf(comparison, load, proxy))];

    /// <summary>Writes results.json, results.md and results.svg.</summary>
    public static async Task WriteAsync(string folder, Results results, Comparison comparison, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "results.json"), JsonSerializer.Serialize(results, Json) + "\n", stop);
        await File.WriteAllTextAsync(Path.Combine(folder, "results.md"), Document(results, comparison), stop);
        var title = $"PolyBalance and its peers, {results.Date:yyyy-MM-dd}, {results.Machine.Cpu}, "
            + $"{results.Machine.Processors} processors";
        await File.WriteAllTextAsync(Path.Combine(folder, "results.svg"), ComparisonPlot.Draw(comparison, title), stop);
    }

    private static Dictionary<string, Standing> FiguresOf(Comparison comparison, string load, string proxy)
    {
        var figures = new Dictionary<string, Standing>();
        foreach (var figure in Figure.All)
        {
            if (comparison.StandingOf(load, proxy, figure) is { } standing)
                figures.Add(figure.Name, standing);
        }

        return figures;
    }

    private static string Document(Results results, Comparison comparison)
    {
        var text = new StringBuilder();
        text.Append("# Comparison\n\n");
        AddConditions(text, results);
        if (results.Goals.Count > 0)
        {
            text.Append("\n## Goals\n\n").Append(ComparisonTable.OfGoals(results.Goals));
            text.Append("\nTLS, allocation, system calls and the time to start are measured elsewhere.\n");
        }

        foreach (var load in comparison.Loads)
        {
            var title = Load.All.First(one => one.Name == load).Title;
            text.Append($"\n## {load}\n\n{title}{Addition(results, load)}.\n\n");
            text.Append(ComparisonTable.OfLoad(comparison, load));
        }

        text.Append("\n![CPU per request, throughput and p99 as ratios](results.svg)\n");
        return text.ToString();
    }

    private static void AddConditions(StringBuilder text, Results results)
    {
        var machine = results.Machine;
        text.Append($"- {results.Date:yyyy-MM-dd HH:mm:ss zzz}, commit {machine.Commit}\n");
        text.Append($"- {machine.Cpu}, {machine.Processors} processors, {machine.MemoryMib} MiB, {machine.Kernel}\n");
        text.Append($"- {machine.Runtime}; at most {machine.OpenFiles} open files; load by {results.LoadGenerator}\n");
        text.Append($"- rounds of {results.SecondsPerRun} s: {results.Rounds}, in turns");
        text.Append(results.IsQuick ? ", quick\n" : "\n");
        foreach (var proxy in results.Proxies)
        {
            var parts = new[] { proxy.Version, proxy.LeftOut is null ? null : $"left out: {proxy.LeftOut}" };
            text.Append($"- {proxy.Name}: {string.Join("; ", parts.OfType<string>())}\n");
        }

        text.Append(
            $$"""

            Every proxy has {{machine.Processors}} threads or workers, the same two backends on one nginx, ample
            persistent connections to them, the fields X-Forwarded-For, -Proto, -Host and X-Request-Id, and no access
            log unless its name says so. Their configurations are in `settings/`.

            Figures are medians over the rounds, in brackets the least and the most; `~` marks one that spreads
            further than ±{{Spread.NoiseShare * 100:0}} % from its median. Ratios are to the better of nginx and
            HAProxy in that figure. CPU time is user and system time of the whole process tree (`/proc/PID/stat`,
            steps of 10 ms; of idle connections `/proc/PID/task/*/schedstat`, exact). Memory is PSS.

            """);
    }

    private static string Addition(Results results, string load)
        => load switch
        {
            LoadNames.Latency => $"; {results.LatencyRate} requests/s, latency from the moment a request was due",
            LoadNames.Idle => $"; {results.IdleConnections} of them to a fresh process, memory as growth. What nginx "
                + "and HAProxy set aside for connections when they start is not in it, but in the last column",
            _ => "",
        };
}
