using System.Diagnostics;
using System.Globalization;
using PolyBalance.Server;

namespace PolyBalance.Host.Lifecycle;

/// <summary>The process that is to take over, as who has started it sees it: how it begins, and how it ended.</summary>
/// <remarks>
/// Whoever ends up as the main process of a systemd unit has to be a child of systemd: of another one systemd does not
/// wait for the end when the unit is to stop, and kills it in the middle of its drain. So it can be started through a
/// shell, which stands in between and passes its exit code on. When the shell is gone, the process is an orphan, and
/// systemd takes it in. One caller at a time.
/// </remarks>
internal sealed class SuccessorProcess : IDisposable
{
    private const string Shell = "/bin/sh";

    // Not the last command: the shell would become the process instead of standing in between.
    private const string Script = "\"$@\"; exit $?";

    private readonly Process _process;
    private readonly bool _isInBetween;
    private Process? _beyond;           // behind the shell, once it has come
    private Task<HandoverException>? _end;

    private SuccessorProcess(Process process, bool isInBetween)
    {
        _process = process;
        _isInBetween = isInBetween;
        Ended = process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>The id of what was started: the process, or its parent.</summary>
    public int Id => _process.Id;

    /// <summary>Completes when it has ended.</summary>
    public Task Ended { get; }

    /// <summary>Starts the executable of this process as it was started, from the file that is there now.</summary>
    /// <param name="surroundings">What this process was started from.</param>
    /// <param name="name">Where the new one finds this one: <see cref="Successor.Name"/>.</param>
    /// <param name="isToBeLetGo">Whether <see cref="LetGoAsync"/> is to follow.</param>
    /// <exception cref="HandoverException">It cannot be started.</exception>
    public static SuccessorProcess Start(Surroundings surroundings, string name, bool isToBeLetGo)
    {
        var (executable, arguments) = surroundings.Self!.Value;
        var isInBetween = isToBeLetGo && File.Exists(Shell);
        var start = isInBetween
            ? new ProcessStartInfo(Shell, ["-c", Script, Shell, executable, .. arguments])
            : new ProcessStartInfo(executable, arguments);
        start.UseShellExecute = false;
        start.WorkingDirectory = surroundings.Folder;
        start.Environment[Successor.Variable] = name;

        // The watchdog waits for one process, and does not know this one yet.
        start.Environment.Remove("WATCHDOG_PID");
        try
        {
            return new(Process.Start(start)!, isInBetween);
        }
        catch (Exception failure) when (failure is System.ComponentModel.Win32Exception or IOException)
        {
            throw new HandoverException($"{executable} cannot be started: {failure.Message}.", failure);
        }
    }

    /// <summary>It has come, and says who it is: the shell may be ended without it.</summary>
    /// <param name="id">Its id.</param>
    public void Recognize(int id)
    {
        try
        {
            _beyond = id == Id ? null : Process.GetProcessById(id);
        }
        catch (ArgumentException)
        {
            // It is gone already, as will be noticed.
        }
    }

    /// <summary>It has taken over, and is nobody's child here any more.</summary>
    public async Task LetGoAsync()
    {
        if (!_isInBetween)
            return;

        _process.Kill();
        await Ended;
    }

    /// <summary>Sees to its end, once: two gateways would be one too many.</summary>
    /// <param name="failure">Why it is not to take over.</param>
    /// <param name="whenGivenUp">What to say if that was our decision.</param>
    /// <returns>When it has ended: what to tell the operator.</returns>
    public Task<HandoverException> EndAsync(Exception failure, string whenGivenUp)
        => _end ??= EndOnceAsync(failure, whenGivenUp);

    /// <inheritdoc/>
    public void Dispose()
    {
        _beyond?.Dispose();
        _process.Dispose();
    }

    // Who has closed the channel is most likely at its end, and its exit code says more than ours. Who took too long is
    // waited for no more: clients are.
    private async Task<HandoverException> EndOnceAsync(Exception failure, string whenGivenUp)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        var isOver = failure is HandoverException { InnerException: not OperationCanceledException }
            ? await Task.WhenAny(Ended, Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, soon.Token)) == Ended
            : Ended.IsCompleted;
        if (!isOver)
        {
            EndTree();
            await Ended;
        }

        if (_beyond is { HasExited: false })
            await EndOrphanAsync(_beyond);

        return isOver
            ? new(string.Create(
                CultureInfo.InvariantCulture,
                $"The new process ended with exit code {_process.ExitCode} before it was ready; the log says why."))
            : failure as HandoverException ?? new(whenGivenUp, failure);
    }

    private void EndTree()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (AggregateException)
        {
            // The process itself is ended first. A descendant that has slipped away finds that nobody waits for it.
        }
    }

    // Whoever has taken it in may never look at its end, and then it seems to be there for ever.
    private static async Task EndOrphanAsync(Process orphan)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        orphan.Kill();
        try
        {
            await orphan.WaitForExitAsync(soon.Token);
        }
        catch (OperationCanceledException)
        {
            // Nobody survives SIGKILL for that long.
        }
    }
}
