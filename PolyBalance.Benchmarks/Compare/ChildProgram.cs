using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>
/// A process that the comparison started: what it prints last, its end. It does not outlive the comparison.
/// </summary>
internal sealed partial class ChildProgram : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int LinesKept = 40;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // Variables that would make another program of a proxy than its users run.
    private static readonly string[] ForeignVariables =
    [
        "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT",
        "DOTNET_gcServer", "DOTNET_TieredPGO", "DOTNET_TieredCompilation", "NOTIFY_SOCKET", "JOURNAL_STREAM",
        "INVOCATION_ID", "http_proxy", "ALL_PROXY",
    ];

    private static readonly string[] Folders =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
        "/usr/local/sbin", "/usr/sbin", "/sbin",
    ];

    private readonly Process _process;
    private readonly Queue<string> _lines = new();

    private ChildProgram(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Its process id, the root of its process tree.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>What it printed last, on both outputs.</summary>
    public IReadOnlyList<string> LastLines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Where a program is, on the path or where daemons live; absent when it is not installed.</summary>
    public static string? Find(string name)
        => Folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Starts a program that runs until it is told to end.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="arguments">Its command line.</param>
    public static ChildProgram Start(string path, IReadOnlyList<string> arguments)
    {
        var process = new Process { StartInfo = Describe(path, arguments) };
        process.Start();
        process.StandardInput.Close();
        return new(process);
    }

    /// <summary>Runs a program to its end and takes both outputs; it is killed when the comparison stops.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="stop">Ends it.</param>
    /// <param name="variables">Set in its environment.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string path, IReadOnlyList<string> arguments, CancellationToken stop,
        params (string Name, string Value)[] variables)
    {
        var description = Describe(path, arguments);
        foreach (var (name, value) in variables)
            description.Environment[name] = value;
        using var process = new Process { StartInfo = description };
        process.Start();
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(stop);
            var errors = process.StandardError.ReadToEndAsync(stop);
            await process.WaitForExitAsync(stop);
            return (process.ExitCode, await output + await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Returns when it has ended, by itself or because it was told to.</summary>
    public Task WaitForEndAsync(CancellationToken stop) => _process.WaitForExitAsync(stop);

    public async ValueTask DisposeAsync()
    {
        var tree = ProcessTree.Of(_process.Id);
        if (!_process.HasExited)
        {
            _ = SendSignal(_process.Id, SigTerm);
            using var patience = new CancellationTokenSource(Patience);
            await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // Whoever ignores the request goes all the same, with everything it started.
        if (!_process.HasExited)
        {
            foreach (var process in tree)
                _ = SendSignal(process, SigKill);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static ProcessStartInfo Describe(string path, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(path)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var name in ForeignVariables)
            start.Environment.Remove(name);
        return start;
    }

    private void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
            return;

        lock (_lines)
        {
            if (_lines.Count == LinesKept)
                _lines.Dequeue();
            _lines.Enqueue(line.Trim());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
