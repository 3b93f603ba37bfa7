using System.Runtime.InteropServices;

namespace PolyBalance.Host.Lifecycle;

/// <summary>
/// SIGTERM and SIGINT as two tasks: the first asks for an orderly end, the second for an end at once. And what SIGHUP,
/// SIGUSR1 and SIGUSR2 ask for.
/// </summary>
/// <remarks>Signals arrive on a thread of the runtime; the tasks continue on the thread pool.</remarks>
internal sealed class Signals : IDisposable
{
    // Linux and macOS disagree about the numbers of these, and PosixSignal has no names for them.
    private static readonly PosixSignal UserSignal1 = (PosixSignal)(OperatingSystem.IsMacOS() ? 30 : 10);
    private static readonly PosixSignal UserSignal2 = (PosixSignal)(OperatingSystem.IsMacOS() ? 31 : 12);

    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Takes over the signals from the runtime, which would end the process, until this is disposed.</summary>
    public Signals()
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, End));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, End));
        if (!OperatingSystem.IsWindows())
        {
            _registrations.Add(PosixSignalRegistration.Create(UserSignal1, signal => Ask(signal, Reopen)));
            _registrations.Add(PosixSignalRegistration.Create(UserSignal2, signal => Ask(signal, Upgrade)));
        }

        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal => Ask(signal, Reload)));
    }

    /// <summary>Completes at the first signal.</summary>
    public Task First => _first.Task;

    /// <summary>Completes at the second signal, whichever of the two it is.</summary>
    public Task Second => _second.Task;

    /// <summary>What SIGUSR1 asks for: to open log files again. Called on a thread of the runtime.</summary>
    public Action? Reopen { get; set; }

    /// <summary>What SIGHUP asks for: to take up the configuration anew. Called on a thread of the runtime.</summary>
    public Action? Reload { get; set; }

    /// <summary>What SIGUSR2 asks for: to have another process take over. Called on a thread of the runtime.</summary>
    public Action? Upgrade { get; set; }

    /// <summary>Gives the signals back to the runtime.</summary>
    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private static void Ask(PosixSignalContext signal, Action? forWhat)
    {
        signal.Cancel = true;
        forWhat?.Invoke();
    }

    private void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (!_first.TrySetResult())
            _second.TrySetResult();
    }
}
