using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Host;

/// <summary>The built executable as a process of its own: what it prints, the signals it gets, how it ends.</summary>
internal sealed partial class HostProcess : IDisposable
{
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigUsr1 = 10;
    public const int SigTerm = 15;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Lines _output = new();
    private readonly Lines _error = new();

    /// <summary>Starts it.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="variables">Environment variables beside the test's own.</param>
    /// <param name="arguments">Its command line.</param>
    public HostProcess(string folder, IReadOnlyDictionary<string, string> variables, params string[] arguments)
        : this(folder, variables, readsOutput: true, arguments)
    {
    }

    /// <summary>Starts it.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="variables">Environment variables beside the test's own.</param>
    /// <param name="readsOutput">Otherwise the reading end of its standard output is closed at once.</param>
    /// <param name="arguments">Its command line.</param>
    public HostProcess(
        string folder, IReadOnlyDictionary<string, string> variables, bool readsOutput, params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable.Command[0])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (IEnumerable<string>)[.. Executable.Command[1..], .. arguments])
            start.ArgumentList.Add(argument);
        foreach (var name in (string[])["NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID"])
            start.Environment.Remove(name);
        foreach (var (name, value) in variables)
            start.Environment[name] = value;

        _process = Process.Start(start) ?? throw new InvalidOperationException("dotnet cannot be started");
        _process.StandardInput.Close();
        if (!readsOutput)
            _process.StandardOutput.Dispose();
        _ = _output.ReadAsync(readsOutput ? _process.StandardOutput : StreamReader.Null);
        _ = _error.ReadAsync(_process.StandardError);
    }

    /// <summary>What it has printed to standard output.</summary>
    public IReadOnlyCollection<string> Output => _output.All;

    /// <summary>What it has printed to standard error.</summary>
    public IReadOnlyCollection<string> Errors => _error.All;

    /// <summary>Whether it still runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>The first line of standard output that holds a text; waits for it.</summary>
    public Task<string> OutputLineAsync(string text) => _output.FindAsync(text, this);

    /// <summary>The first line of standard error that holds a text; waits for it.</summary>
    public Task<string> ErrorLineAsync(string text) => _error.FindAsync(text, this);

    /// <summary>Sends a signal.</summary>
    public void Signal(int number) => _ = SendSignal(_process.Id, number);

    /// <summary>Waits for its end and for everything it printed before.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
        await Task.WhenAll(_output.Ended, _error.Ended).WaitAsync(patience.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    /// <summary>The lines of one stream, as they come.</summary>
    private sealed class Lines
    {
        private readonly ConcurrentQueue<string> _lines = new();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyCollection<string> All => _lines;

        public Task Ended => _ended.Task;

        public async Task ReadAsync(TextReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                _lines.Enqueue(line);
                var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                Interlocked.Exchange(ref _changed, next).SetResult();
            }

            _ended.SetResult();
        }

        public async Task<string> FindAsync(string text, HostProcess process)
        {
            while (true)
            {
                // Taken before the search: a line that comes during it completes this task.
                var changed = Volatile.Read(ref _changed).Task;
                var hasEnded = _ended.Task.IsCompleted;
                if (_lines.FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                    return found;
                if (hasEnded)
                {
                    var printed = string.Join('\n', process.Output.Concat(process.Errors));
                    throw new InvalidOperationException($"no line with `{text}`; printed:\n{printed}");
                }

                await Task.WhenAny(changed, _ended.Task).WaitAsync(Patience);
            }
        }
    }
}
