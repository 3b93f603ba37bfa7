using System.Globalization;
using Spectre.Console;

namespace PolyBalance.Host.Demo;

/// <summary>Shows what the demo has counted: a live table on a terminal, plain lines anywhere else.</summary>
internal static class DemoView
{
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1);

    /// <summary>Redraws a table several times a second.</summary>
    /// <param name="tally">What the backends did.</param>
    /// <param name="load">What the clients saw.</param>
    /// <param name="address">Of the gateway.</param>
    /// <param name="stop">Ends the show when it completes.</param>
    public static async Task ShowLiveAsync(DemoTally tally, DemoLoad load, string address, Task stop)
    {
        // The final table is printed after the drain, when the numbers stand still; this one makes room for it.
        await AnsiConsole.Live(ToTable(tally, load, address)).AutoClear(true).StartAsync(async live =>
        {
            using var ticks = new PeriodicTimer(RefreshInterval);
            while (!stop.IsCompleted)
            {
                live.UpdateTarget(ToTable(tally, load, address));
                await Task.WhenAny(stop, ticks.WaitForNextTickAsync().AsTask());
            }
        });
    }

    /// <summary>Prints one line each second.</summary>
    /// <param name="tally">What the backends did.</param>
    /// <param name="load">What the clients saw.</param>
    /// <param name="output">Where lines go.</param>
    /// <param name="stop">Ends the lines when it completes.</param>
    public static async Task WriteLinesAsync(DemoTally tally, DemoLoad load, TextWriter output, Task stop)
    {
        using var ticks = new PeriodicTimer(LineInterval);
        while (!stop.IsCompleted)
        {
            await Task.WhenAny(stop, ticks.WaitForNextTickAsync().AsTask());
            var parts = new List<string>();
            foreach (var row in tally.Rows)
            {
                var latency = Time(row.Percentile99);
                parts.Add($"{row.Name} {row.Attempts} ({Share(row, tally)}, {row.Errors} errors, p99 {latency})");
            }

            await output.WriteLineAsync($"{string.Join("   ", parts)}   {Clients(load)}");
            await output.FlushAsync();
        }
    }

    /// <summary>Prints the table as plain text.</summary>
    /// <param name="tally">What the backends did.</param>
    /// <param name="load">What the clients saw.</param>
    /// <param name="output">Where lines go.</param>
    public static void WriteTable(DemoTally tally, DemoLoad load, TextWriter output)
    {
        output.WriteLine();
        output.WriteLine(Row("backend", "address", "requests", "share", "errors", "mean", "p99"));
        foreach (var row in tally.Rows)
        {
            output.WriteLine(Row(
                row.Name, row.Address, $"{row.Attempts}", Share(row, tally), $"{row.Errors}", Time(row.Mean),
                Time(row.Percentile99)));
        }

        output.WriteLine(Clients(load));
        output.Flush();
    }

    private static Table ToTable(DemoTally tally, DemoLoad load, string address)
    {
        var table = new Table().RoundedBorder().Title("PolyBalance: who answered what");
        table.AddColumns("Backend", "Address");
        foreach (var column in (ReadOnlySpan<string>)["Requests", "Share", "Errors", "Mean", "p99"])
            table.AddColumn(column, settings => settings.RightAligned());
        foreach (var row in tally.Rows)
        {
            var errors = row.Errors == 0 ? "0" : $"[red]{row.Errors}[/]";
            table.AddRow(
                $"{row.Name}{Markup.Escape(row.Habit)}", row.Address, $"{row.Attempts}", Share(row, tally), errors,
                Time(row.Mean), Time(row.Percentile99));
        }

        return table.Caption($"{Clients(load)}\ncurl -i http://{address}/hello    Ctrl-C ends the demo");
    }

    private static string Row(
        string name, string address, string requests, string share, string errors, string mean, string percentile)
        => $"{name,-8} {address,-16} {requests,8} {share,7} {errors,7} {mean,10} {percentile,10}";

    private static string Clients(DemoLoad load)
        => $"clients: {load.Succeeded} answers, {load.Failed} errors, {load.Unanswered} without an answer";

    private static string Share(DemoRow row, DemoTally tally)
        => string.Create(CultureInfo.InvariantCulture, $"{100.0 * row.Attempts / Math.Max(1, tally.Attempts):0.0} %");

    private static string Time(TimeSpan time)
        => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.00} ms");
}
