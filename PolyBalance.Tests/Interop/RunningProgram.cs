using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PolyBalance.Tests.Interop;

/// <summary>How a program ended, and everything it printed.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    /// <summary>All of it, for the message of a failed assertion.</summary>
    public string Everything => $"exit code {ExitCode}\n{Output}\n{Errors}";
}

/// <summary>A process that a test started: its lines as they come, signals, its end. It ends with the test.</summary>
internal sealed partial class RunningProgram : IAsyncDisposable
{
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    /// <summary>How long a test waits for what must happen. Long, because a busy machine is no failure.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] ForeignVariables =
        ["NOTIFY_SOCKET", "JOURNAL_STREAM", "INVOCATION_ID", "http_proxy", "ALL_PROXY", "NODE_OPTIONS"];

    private readonly Process _process;
    private readonly string _name;
    private readonly OutputLines _output = new();
    private readonly OutputLines _errors = new();

    private RunningProgram(Process process, string name)
    {
        _process = process;
        _name = name;
        _ = _output.ReadAsync(process.StandardOutput);
        _ = _errors.ReadAsync(process.StandardError);
    }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>Processor time that it has used, on all its threads.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>What it has printed to standard error so far.</summary>
    public IReadOnlyCollection<string> Errors => _errors.All;

    /// <summary>Starts a program.</summary>
    /// <param name="path">Where it is; see <see cref="Programs"/>.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="inputFile">What it reads from standard input; nothing when absent.</param>
    public static RunningProgram Start(string path, IEnumerable<string> arguments, string? inputFile = null)
    {
        var start = new ProcessStartInfo(path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        // What the surroundings of the test run set for programs of their own must not reach these.
        foreach (var name in ForeignVariables)
            start.Environment.Remove(name);

        var process = Process.Start(start) ?? throw new InvalidOperationException($"{path} cannot be started");
        _ = FeedAsync(process, inputFile);
        return new(process, Path.GetFileName(path));
    }

    /// <summary>Runs a program to its end.</summary>
    public static Task<ProgramResult> RunAsync(string path, params string[] arguments)
        => RunAsync(path, arguments, inputFile: null);

    /// <summary>Runs a program to its end, with a file as its standard input.</summary>
    public static async Task<ProgramResult> RunAsync(string path, string[] arguments, string? inputFile)
    {
        await using var program = Start(path, arguments, inputFile);
        return await program.EndAsync();
    }

    /// <summary>The first line of standard output that holds a text; waits for it.</summary>
    public Task<string> OutputLineAsync(string text) => FindAsync(_output, text);

    /// <summary>The first line of standard error that holds a text; waits for it.</summary>
    public Task<string> ErrorLineAsync(string text) => FindAsync(_errors, text);

    /// <summary>Sends a signal to this process and to no other.</summary>
    public void Signal(int number)
    {
        if (!_process.HasExited)
            _ = Send(_process.Id, number);
    }

    /// <summary>Waits for its end and for everything it printed before.</summary>
    public async Task<ProgramResult> EndAsync()
    {
        using var patience = new CancellationTokenSource(Programs.IsLongRun ? Patience * 10 : Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
            await Task.WhenAll(_output.Ended, _errors.Ended).WaitAsync(patience.Token);
        }
        catch (OperationCanceledException failure)
        {
            throw new TimeoutException($"{_name} does not end; it printed:\n{_output.Text}\n{_errors.Text}", failure);
        }

        return new(_process.ExitCode, _output.Text, _errors.Text);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task FeedAsync(Process process, string? inputFile)
    {
        try
        {
            await using var input = process.StandardInput.BaseStream;
            if (inputFile is null)
                return;

            await using var file = File.OpenRead(inputFile);
            await file.CopyToAsync(input);
        }
        catch (IOException)
        {
            // It ended without reading everything; its exit code says whether that was right.
        }
    }

    private async Task<string> FindAsync(OutputLines lines, string text)
    {
        try
        {
            return await lines.FindAsync(text).WaitAsync(Patience);
        }
        catch (Exception failure) when (failure is TimeoutException or EndOfStreamException)
        {
            throw new InvalidOperationException(
                $"{_name} printed no line with `{text}`, but:\n{_output.Text}\n{_errors.Text}", failure);
        }
    }

    /// <summary>Sends a signal to any process.</summary>
    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Send(int process, int signal);
}
