using System.Diagnostics;
using System.Globalization;
using PolyBalance.Server;

namespace PolyBalance.Host;

/// <summary>The process that is to take over, as who has started it sees it: an id, and how it ended.</summary>
/// <remarks>Its owner's thread only, but for <see cref="Ended"/>.</remarks>
internal sealed class SuccessorProcess : IDisposable
{
    private readonly Process _process;
    private Task<HandoverException>? _end;

    private SuccessorProcess(Process process)
    {
        _process = process;
        Ended = process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>Its id.</summary>
    public int Id => _process.Id;

    /// <summary>Completes when it has ended.</summary>
    public Task Ended { get; }

    /// <summary>Starts the executable of this process as it was started, from the file that is there now.</summary>
    /// <param name="surroundings">What this process was started from.</param>
    /// <param name="name">Where the new one finds this one: <see cref="Successor.Name"/>.</param>
    /// <exception cref="HandoverException">It cannot be started.</exception>
    public static SuccessorProcess Start(Surroundings surroundings, string name)
    {
        var (executable, arguments) = surroundings.Self!.Value;
        var start = new ProcessStartInfo(executable, arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = surroundings.Folder,
        };
        start.Environment[Successor.Variable] = name;

        // The watchdog waits for one process, and does not know this one yet.
        start.Environment.Remove("WATCHDOG_PID");
        try
        {
            return new(Process.Start(start)!);
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or IOException)
        {
            throw new HandoverException($"{executable} cannot be started: {failure.Message}.", failure);
        }
    }

    /// <summary>Sees to its end, once: two gateways would be one too many.</summary>
    /// <param name="failure">Why it is not to take over.</param>
    /// <param name="whenGivenUp">What to say if that was our decision.</param>
    /// <returns>When it has ended: what to tell the operator.</returns>
    public Task<HandoverException> EndAsync(Exception failure, string whenGivenUp)
        => _end ??= EndOnceAsync(failure, whenGivenUp);

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();

    // Who has closed the channel is most likely at its end, and its exit code says more than ours.
    private async Task<HandoverException> EndOnceAsync(Exception failure, string whenGivenUp)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        var isOver = failure is HandoverException
            ? await Task.WhenAny(Ended, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, soon.Token)) == Ended
            : Ended.IsCompleted;
        if (isOver)
        {
            return new(string.Create(
                CultureInfo.InvariantCulture,
                $"The new process ended with exit code {_process.ExitCode} before it was ready; the log says why."));
        }

        _process.Kill();
        await Ended;
        return failure as HandoverException ?? new(whenGivenUp, failure);
    }
}
