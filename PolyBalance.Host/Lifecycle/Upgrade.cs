using Microsoft.Extensions.Logging;
using PolyBalance.Admin;
using PolyBalance.Host.Telemetry;
using PolyBalance.Server;

namespace PolyBalance.Host.Lifecycle;

/// <summary>
/// Starts the executable anew, from the file that is there now, and has that process take over. As long as it is not
/// ready this one goes on.
/// </summary>
/// <remarks>
/// The new process has our arguments, environment, folder and output. Only one at a time; any thread may ask.
/// </remarks>
/// <param name="server">The gateway that is to be taken over.</param>
/// <param name="systemd">Is told which process is the gateway.</param>
/// <param name="surroundings">What this process was started from.</param>
/// <param name="isReadAgain">Whether the configuration can be read once more.</param>
/// <param name="logger">Hears of it.</param>
internal sealed class Upgrade(
    ProxyServer server, SystemdNotify systemd, Surroundings surroundings, bool isReadAgain, ILogger logger)
    : IDisposable
{
    // A start takes a fraction of a second, names and probes five seconds at most.
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<Successor> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _abandoned = new();
    private readonly SemaphoreSlim _turn = new(1);      // never given back after an upgrade: there is no second one

    /// <summary>Completes when another process has taken over. Whoever awaits it disposes what it has.</summary>
    public Task<Successor> Done => _done.Task;

    /// <summary>Upgrades, or says why not.</summary>
    public async Task<UpgradeOutcome> RunAsync()
    {
        if (Obstacle() is { } obstacle)
            return Note(UpgradeOutcome.CannotBe(obstacle));
        if (Done.IsCompleted)
            return Note(UpgradeOutcome.CannotBe("Another process has taken over already; order it there."));
        if (_abandoned.IsCancellationRequested)
            return Note(UpgradeOutcome.CannotBe("The gateway was told to stop, and is draining."));
        if (!await _turn.WaitAsync(TimeSpan.Zero))
            return UpgradeOutcome.UnderWay;

        var successor = Successor.Expect();
        try
        {
            var process = await HandOverAsync(successor);
            _done.SetResult(successor);
            return UpgradeOutcome.Done(process, successor.Version);
        }
        catch (HandoverException failure)
        {
            successor.Dispose();
            _turn.Release();
            return Note(UpgradeOutcome.Failed(
                _abandoned.IsCancellationRequested ? failure.Message : $"{failure.Message} This process goes on."));
        }
    }

    /// <summary>
    /// Gives up what is under way, because this process is to end, and not to go on as another one. Returns when
    /// nothing is under way any more; <see cref="Done"/> when it was too late.
    /// </summary>
    public async Task AbandonAsync()
    {
        await _abandoned.CancelAsync();
        await Task.WhenAny(_turn.WaitAsync(), Done);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _abandoned.Dispose();
        _turn.Dispose();
    }

    private string? Obstacle()
    {
        if (!OperatingSystem.IsLinux() || surroundings.Self is null)
            return "This gateway was not started from an executable of its own on Linux; restart it instead.";
        if (Environment.ProcessId == 1)
        {
            return "The gateway is the first process of its container, which ends with it: "
                + "replace the container instead.";
        }

        return isReadAgain ? null : "The configuration came from standard input, which cannot be read again.";
    }

    private async Task<int> HandOverAsync(Successor successor)
    {
        using var process = SuccessorProcess.Start(surroundings, successor.Name, isToBeLetGo: systemd.IsThere);
        HostLog.Upgrading(logger, surroundings.Self!.Value.Executable);
        using var late = new CancellationTokenSource(ReadyTimeout, TimeProvider.System);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _abandoned.Token);
        var handing = HandOverAsync(successor, process, giveUp.Token);
        if (await Task.WhenAny(handing, process.Ended) == process.Ended)
            await giveUp.CancelAsync();
        try
        {
            await handing;
        }
        catch (Exception failure) when (failure is OperationCanceledException or HandoverException)
        {
            throw await EndAsync(process, failure);
        }

        await process.LetGoAsync();
        systemd.HandOver(successor.Process);
        HostLog.Upgraded(logger, successor.Process, successor.Version, server.ClientConnections);
        await successor.AcknowledgeAsync(CancellationToken.None);
        return successor.Process;
    }

    private async Task HandOverAsync(Successor successor, SuccessorProcess process, CancellationToken cancel)
    {
        await successor.MeetAsync(process.Id, cancel);
        process.Recognize(successor.Process);
        await server.HandOverAsync(successor, failure => EndAsync(process, failure), cancel);
    }

    private Task<HandoverException> EndAsync(SuccessorProcess process, Exception failure)
        => process.EndAsync(
            failure,
            _abandoned.IsCancellationRequested
                ? "The gateway was told to stop meanwhile; the new process was ended, too."
                : $"The new process was not ready after {ReadyTimeout.TotalSeconds} s, and was ended.");

    private UpgradeOutcome Note(UpgradeOutcome outcome)
    {
        HostLog.NotUpgraded(logger, outcome.Problem!);
        return outcome;
    }
}
