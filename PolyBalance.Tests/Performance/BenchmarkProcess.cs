using System.Diagnostics;
using System.Reflection;
using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Server;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Performance;

/// <summary>Runs the counting commands of the benchmark executable, which print one JSON object per line.</summary>
/// <remarks>
/// In a process of its own for two reasons: what a test runner allocates on its threads does not count, and sockets
/// complete there as they do in the gateway's process, which is settled before a process makes its first socket.
/// </remarks>
internal static class BenchmarkProcess
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Runs one command and reads what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message is what it printed.</exception>
    public static async Task<IReadOnlyList<JsonElement>> RunAsync(params string[] arguments)
    {
        RequireOptimisedCode();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(FindExecutable());
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        using var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet cannot be started");
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var error = process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode == 0
                ? [.. (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)]
                : throw new InvalidOperationException($"exit code {process.ExitCode}: {await output}{await error}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static JsonElement Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.Clone();
    }

    // Without optimisation the compiler makes a class of every async method, and each call allocates one.
    private static void RequireOptimisedCode()
    {
        var debuggable = typeof(ProxyServer).Assembly.GetCustomAttribute<DebuggableAttribute>();
        if (debuggable is { IsJITOptimizerDisabled: true })
            Assert.Ignore("allocations are counted in Release only: dotnet test -c Release");
    }

    private static string FindExecutable()
    {
        // …/bin/Release/net10.0/ of the tests, and the same of the benchmarks.
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var folder = Repository.PathOf("PolyBalance.Benchmarks", "bin", framework.Parent!.Name, framework.Name);
        var executable = Path.Combine(folder, "PolyBalance.Benchmarks.dll");
        if (!File.Exists(executable))
            Assert.Fail($"{Repository.Relative(executable)} is missing: build the solution, not the tests alone");

        var measured = File.ReadAllBytes(Path.Combine(folder, "PolyBalance.Core.dll"));
        var tested = File.ReadAllBytes(typeof(ProxyServer).Assembly.Location);
        if (!measured.AsSpan().SequenceEqual(tested))
            Assert.Fail("the benchmarks were built from another Core: build the solution, not the tests alone");
        return executable;
    }
}
