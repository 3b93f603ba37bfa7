namespace PolyBalance.Host.Configuration;

/// <summary>Notices that the configuration file says something else, and has it taken up.</summary>
/// <remarks>
/// It looks at the text itself, twice a second: that sees editors that replace the file, links that point elsewhere (as
/// Kubernetes swaps a ConfigMap) and file systems that announce nothing. A text that has just changed is taken once it
/// stays the same for a look, so that a half-written file is not.
/// </remarks>
internal static class ConfigWatch
{
    /// <summary>Time between two looks: two of them, and a change is taken up.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    /// <summary>Watches until told to stop.</summary>
    /// <param name="read">The text as it is now; null: it cannot be read, and that is no change.</param>
    /// <param name="taken">The text that was taken up last, or tried.</param>
    /// <param name="reloadAsync">Takes it up.</param>
    /// <param name="clock">Counts the time between looks.</param>
    /// <param name="stop">Ends it.</param>
    public static async Task RunAsync(
        Func<string?> read, Func<string?> taken, Func<Task> reloadAsync, TimeProvider clock, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period, clock);
        var last = taken();
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                var text = read();
                if (text is not null && text == last && text != taken())
                    await reloadAsync();
                last = text;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // That is how it is told to stop.
        }
    }
}
