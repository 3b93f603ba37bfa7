using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using PolyBalance.Benchmarks.Compare.Figures;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>Runs a comparison from its options to its results, and leaves nothing running behind.</summary>
internal static class CompareCommand
{
    /// <summary>Every run was made, and none had an error.</summary>
    public const int Fine = 0;

    /// <summary>Nothing could be compared, it was interrupted, or a run had errors.</summary>
    public const int Failed = 1;

    /// <summary>Compares.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(CompareOptions options)
    {
        var progress = new ComparisonProgress();
        if (!OperatingSystem.IsLinux())
        {
            progress.Warn("compare reads /proc: it runs on Linux only");
            return Failed;
        }

        var debuggable = Assembly.GetExecutingAssembly().GetCustomAttribute<DebuggableAttribute>();
        if (debuggable is { IsJITOptimizerDisabled: true })
        {
            progress.Warn("compare measures optimised code only: use -c Release");
            return Failed;
        }

        using var stopping = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        var folder = Directory.CreateTempSubdirectory("polybalance-compare-").FullName;
        try
        {
            return await RunAsync(options, new Workbench(folder, options.Output, progress), stopping.Token);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            progress.Warn("interrupted: everything is stopped, and no results are written");
            return Failed;
        }
        catch (Exception problem) when (problem is LeftOutException or InvalidOperationException or IOException)
        {
            progress.Warn($"nothing to compare: {problem.Message}");
            return Failed;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }

    private static async Task<int> RunAsync(CompareOptions options, Workbench workbench, CancellationToken stop)
    {
        await using var run = new ComparisonRun(options, workbench);
        await run.RunAsync(stop);
        if (run.Runs.Count == 0)
        {
            workbench.Progress.Warn("nothing could be compared");
            return Failed;
        }

        var comparison = new Comparison(run.Runs);
        var results = new Results(
            TimeProvider.System.GetLocalNow(), await Machine.LookAsync(stop), run.Participants, await WrkAsync(stop),
            [.. options.Loads.Select(load => load.Name)], options.Rounds, options.Seconds, options.IsQuick,
            run.Rate, run.IdleCount, ResultsFolder.RowsOf(comparison), Goals.Judge(comparison), run.Runs);
        await ResultsFolder.WriteAsync(options.Output, results, comparison, stop);

        workbench.Progress.Summarize(results.Goals);
        foreach (var row in results.Rows.Where(row => row.Errors.Total > 0))
            workbench.Progress.Warn($"{row.Load}, {row.Proxy}: errors: {row.Errors.Describe()}");
        foreach (var participant in run.Participants.Where(one => one.LeftOut is not null))
            workbench.Progress.Warn($"{participant.Name} was left out: {participant.LeftOut}");
        workbench.Progress.Say($"results: {Path.Combine(options.Output, "results.md")}");
        return run.HasFailures || results.Rows.Any(row => row.Errors.Total > 0) ? Failed : Fine;
    }

    // `wrk 4.1.0 [epoll] Copyright …`; with -v it prints its usage too, and fails.
    private static async Task<string> WrkAsync(CancellationToken stop)
    {
        var (_, said) = await ChildProgram.RunAsync("wrk", ["-v"], stop);
        return said.Split('\n')[0].Split(" Copyright")[0].Trim();
    }
}
