using System.Globalization;
using System.Text;
using System.Text.Json;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace PolyBalance.Host.Commands;

/// <summary>What <c>polybalance top</c> shows of a state.</summary>
/// <remarks>One owner. Remembers a minute of rates for its bars, and the failures that were read last.</remarks>
internal sealed class TopView
{
    /// <summary>How wide it is where there is no terminal.</summary>
    public const int WidthInFiles = 160;

    private const int Remembered = 60;
    private const int ShortBelow = 110;
    private const int FullFrom = 150;
    private const string Home = "\u001b[H";
    private const string ToLineEnd = "\u001b[K";
    private const string ToScreenEnd = "\u001b[J";
    private const string Fine = "nothing speaks against it";      // which the state says already
    private const string Bars = "▁▂▃▄▅▆▇█";

    private readonly Queue<double> _rates = new();
    private JsonElement _state;
    private JsonElement? _failures;
    private long _failuresKept = -1;

    /// <summary>Whether there is anything to show.</summary>
    public bool HasState => _state.ValueKind == JsonValueKind.Object;

    /// <summary>Whether other failures were kept than those that were read last.</summary>
    public bool WantsFailures(JsonElement state) => state.GetProperty("errors_kept").GetInt64() != _failuresKept;

    /// <summary>Takes a state, and the failures if they were read.</summary>
    public void Take(JsonElement state, JsonElement? failures)
    {
        _state = state;
        if (failures is not null)
            (_failures, _failuresKept) = (failures, state.GetProperty("errors_kept").GetInt64());
        _rates.Enqueue(Number(state.GetProperty("traffic"), "per_second") ?? 0);
        if (_rates.Count > Remembered)
            _rates.Dequeue();
    }

    /// <summary>The picture without colours, as wide and high as it needs to be.</summary>
    public string Plain() => Draw(WidthInFiles, int.MaxValue, "", hasColours: false);

    /// <summary>The picture for a terminal: it takes the place of the one before, and of nothing else.</summary>
    /// <param name="width">Columns there are.</param>
    /// <param name="height">Lines there are.</param>
    /// <param name="problem">What is wrong with getting states; empty: nothing.</param>
    /// <param name="hasColours">Whether the terminal is to show colours.</param>
    public string Frame(int width, int height, string problem, bool hasColours)
    {
        var lines = Draw(width, height, problem, hasColours).TrimEnd('\n').Split('\n');
        var shown = lines.Length <= height ? lines : [.. lines[..(height - 1)], "… (a higher terminal shows more)"];
        return $"{Home}{string.Join($"{ToLineEnd}\r\n", shown)}{ToLineEnd}{ToScreenEnd}";
    }

    private string Draw(int width, int height, string problem, bool hasColours)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var console = AnsiConsole.Create(new()
        {
            Ansi = hasColours ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = hasColours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = width;
        console.Profile.Capabilities.Unicode = true;
        console.Write(Render(width, height, problem));
        return output.ToString().ReplaceLineEndings("\n");
    }

    private Rows Render(int width, int height, string problem)
    {
        var parts = new List<IRenderable> { Head(), Figures(), new Text("") };
        if (problem.Length > 0)
            parts.Insert(0, new Markup($"[red]{Markup.Escape(problem)}[/]"));
        var used = 4;
        foreach (var cluster in _state.GetProperty("clusters").EnumerateArray())
        {
            var backends = cluster.GetProperty("backends");
            parts.Add(ClusterLine(cluster));
            parts.Add(Backends(backends, width));
            parts.Add(new Text(""));
            used += backends.GetArrayLength() + 4;
        }

        if (height - used >= 4 && _failures is { } failures)
            parts.AddRange(Failures(failures, Math.Min(8, height - used - 3), width));
        parts.Add(new Markup("[grey]q ends[/]"));
        return new Rows(parts);
    }

    private Markup Head()
    {
        var obstacles = _state.GetProperty("not_ready").EnumerateArray().Select(one => one.GetString()).ToArray();
        var changed = _state.GetProperty("runtime_changes").GetInt32();
        var ready = obstacles.Length == 0
            ? "[green]ready[/]"
            : $"[red]not ready: {Markup.Escape(string.Join(", ", obstacles).Replace('_', ' '))}[/]";
        var up = _state.GetProperty("time").GetDateTimeOffset() - _state.GetProperty("started").GetDateTimeOffset();
        return new Markup(
            $"[bold]PolyBalance[/] {Text(_state, "version")}  {ready}  up {Age(up)}  "
            + $"configuration {Text(_state, "generation")}" + (changed > 0 ? $", {changed} changed at run time" : ""));
    }

    private Markup Figures()
    {
        var traffic = _state.GetProperty("traffic");
        var failed = Number(traffic, "failures_per_second") ?? 0;
        return new Markup(
            $"requests [bold]{Count(Number(traffic, "per_second"))}[/]/s {Sparkline()}  "
            + $"failed {(failed > 0 ? "[red]" : "[default]")}{Count(failed)}[/]/s  "
            + $"retries {Count(Number(_state, "retries_per_second"))}/s  "
            + $"median [bold]{Time(Number(traffic, "latency_p50_ms"))}[/]  "
            + $"p99 [bold]{Time(Number(traffic, "latency_p99_ms"))}[/]  "
            + $"ours {Time(Number(_state, "overhead_p50_ms"))}  in flight {Text(_state, "in_flight")}  "
            + $"clients {Text(_state, "clients")}");
    }

    private static Markup ClusterLine(JsonElement cluster)
    {
        var backends = cluster.GetProperty("backends").EnumerateArray().ToArray();
        var eligible = backends.Count(one => one.GetProperty("backend").GetProperty("eligible").GetBoolean());
        var standingBy = backends.Count(one => StandsBy(one.GetProperty("backend")));
        var waiting = cluster.GetProperty("waiting").GetInt32();
        return new Markup(
            $"[bold]{Markup.Escape(Text(cluster, "name"))}[/]  {Text(cluster, "algorithm")}  "
            + $"{(eligible + standingBy == backends.Length ? "[default]" : eligible == 0 ? "[red]" : "[yellow]")}"
            + $"{eligible} of {backends.Length} eligible[/]"
            + (standingBy > 0 ? $", {standingBy} standing by" : "")
            + (waiting > 0 ? $"  [yellow]{waiting} wait[/]" : ""));
    }

    // A backup that could be used, if it were needed. Older gateways know of none.
    private static bool StandsBy(JsonElement backend)
        => backend.TryGetProperty("backup", out var backup) && backup.GetBoolean()
            && !backend.GetProperty("eligible").GetBoolean() && Text(backend, "state") == "healthy";

    private static Table Backends(JsonElement backends, int width)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("Backend", column => column.NoWrap());
        table.AddColumn("State", column => column.NoWrap());
        foreach (var title in (string[])["Req/s", "Fail/s", "Median", "p99", "In flight"])
            table.AddColumn(title, column => column.RightAligned().NoWrap());
        if (width >= FullFrom)
        {
            table.AddColumn("Open/idle", column => column.RightAligned().NoWrap());
            table.AddColumn("Learned idle", column => column.RightAligned().NoWrap());
        }

        if (width >= ShortBelow)
        {
            table.AddColumn("Share", column => column.RightAligned().NoWrap());
            table.AddColumn("Probes", column => column.NoWrap());
        }

        table.AddColumn("Why");
        foreach (var one in backends.EnumerateArray())
            table.AddRow([.. Cells(one, width).Select(cell => new Markup(cell))]);
        return table;
    }

    private static IEnumerable<string> Cells(JsonElement one, int width)
    {
        var (backend, traffic) = (one.GetProperty("backend"), one.GetProperty("traffic"));
        var name = Markup.Escape(Text(backend, "name"));
        var address = Markup.Escape(Text(backend, "address"));
        yield return width < FullFrom || address == name ? name : $"{name} [grey]{address}[/]";
        yield return State(Text(backend, "state"));
        yield return Count(Number(traffic, "per_second"));
        yield return Number(traffic, "failures_per_second") is > 0 and var failed ? $"[red]{Count(failed)}[/]" : "0";
        yield return Time(Number(traffic, "latency_p50_ms"));
        yield return Time(Number(traffic, "latency_p99_ms"));
        yield return Text(backend, "in_flight");
        if (width >= FullFrom)
        {
            var pool = backend.GetProperty("pool");
            yield return $"{Text(pool, "open")}/{Text(pool, "idle")}";
            yield return Time(Number(pool, "learned_idle_limit_ms"));
        }

        if (width >= ShortBelow)
        {
            var share = backend.GetProperty("share_reached").GetInt32();
            yield return share < 100 ? $"{Text(backend, "weight")} ({share} %)" : Text(backend, "weight");
            yield return string.Concat(one.GetProperty("history").EnumerateArray()
                .Select(passed => passed.GetBoolean() ? "[green]✓[/]" : "[red]✗[/]"));
        }

        yield return Text(backend, "why") is var why && why == Fine ? "" : Markup.Escape(why);
    }

    private static IEnumerable<IRenderable> Failures(JsonElement failures, int most, int width)
    {
        var exchanges = failures.GetProperty("exchanges");
        yield return new Markup(exchanges.GetArrayLength() == 0
            ? "[grey]nothing failed, and nothing took a second to answer[/]"
            : "[bold]Failed or slow lately[/]");
        foreach (var exchange in exchanges.EnumerateArray().Take(most))
        {
            var attempts = exchange.GetProperty("attempts").EnumerateArray().Select(Attempt);
            var line = $"{exchange.GetProperty("time").GetDateTimeOffset().ToLocalTime():HH:mm:ss} "
                + $"{Text(exchange, "status")} {Text(exchange, "method")} "
                + $"{Text(exchange, "host")}{Text(exchange, "path")} {Text(exchange, "reason")} "
                + $"{Time(Number(exchange, "latency_ms"))}  {string.Join(" > ", attempts)}";
            yield return new Markup(Markup.Escape(line.Length > width ? line[..(width - 1)] + "…" : line));
        }
    }

    private static string Attempt(JsonElement attempt)
        => $"{Text(attempt, "backend")} {Text(attempt, Text(attempt, "reason").Length > 0 ? "reason" : "status")}";

    private string Sparkline()
    {
        var most = Math.Max(_rates.Max(), 1);
        var bars = new StringBuilder();
        foreach (var rate in _rates.Skip(Math.Max(0, _rates.Count - 30)))
            bars.Append(Bars[(int)Math.Min(Bars.Length - 1, rate / most * Bars.Length)]);
        return $"[blue]{bars}[/]";
    }

    private static string State(string state) => state switch
    {
        "healthy" => "[green]healthy[/]",
        "unhealthy" or "ejected" => $"[red]{state}[/]",
        _ => $"[yellow]{state.Replace('_', ' ')}[/]",
    };

    private static string Age(TimeSpan age) => age switch
    {
        { TotalMinutes: < 1 } => $"{age.Seconds} s",
        { TotalHours: < 1 } => $"{age.Minutes} min",
        { TotalDays: < 2 } => $"{(int)age.TotalHours} h",
        _ => $"{(int)age.TotalDays} days",
    };

    private static string Text(JsonElement of, string key) => of.GetProperty(key).ToString();

    private static double? Number(JsonElement of, string key)
        => of.GetProperty(key) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;

    private static string Count(double? value) => value switch
    {
        null => "-",
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:0.0}M"),
        >= 1e4 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:0.0}k"),
        >= 100 => string.Create(CultureInfo.InvariantCulture, $"{value:0}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:0.#}"),
    };

    private static string Time(double? milliseconds) => milliseconds switch
    {
        null => "-",
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{1_000 * milliseconds:0} µs"),
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms"),
        < 1_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1_000:0.0} s"),
    };
}
