using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using PolyBalance.Configuration;

namespace PolyBalance.Health;

/// <summary>
/// Passes when a program ends with exit code 0 within the timeout; then it is killed, and all that it has started.
/// </summary>
/// <remarks>
/// No shell is involved. The program learns whom to look at from its environment, which holds nothing else of ours:
/// <c>POLYBALANCE_CLUSTER</c>, <c>POLYBALANCE_BACKEND</c>, <c>POLYBALANCE_ADDRESS</c>, <c>POLYBALANCE_HOST</c> and
/// <c>POLYBALANCE_PORT</c>, beside <c>PATH</c>, <c>HOME</c>, <c>LANG</c> and <c>TZ</c>. Its input is empty.
/// </remarks>
internal sealed class ExecProbe : IProbe
{
    private static readonly string[] Inherited = ["PATH", "HOME", "LANG", "TZ"];

    /// <inheritdoc/>
    public ProbeKind Kind => ProbeKind.Exec;

    /// <inheritdoc/>
    public async ValueTask<ProbeAnswer> RunAsync(ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        // Starting a program takes milliseconds that no loop of the transport has.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        using var process = new Process { StartInfo = StartFor(target) };
        try
        {
            process.Start();
        }
        catch (Exception failure) when (failure is Win32Exception or InvalidOperationException)
        {
            return ProbeAnswer.Failed($"cannot run {target.Check.Command}: {failure.Message}");
        }

        using var deadline = new CancellationTokenSource(target.Check.Timeout, means.Clock);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        process.StandardInput.Close();
        var said = ReadAsync(process.StandardError.BaseStream, over.Token);
        var ignored = ReadAsync(process.StandardOutput.BaseStream, over.Token);
        var hasEnded = await HasEndedAsync(process, over.Token);
        if (!hasEnded)
            Kill(process);

        // What it has left behind may hold its output open: nobody waits for that.
        var exitCode = hasEnded ? process.ExitCode : -1;
        if (hasEnded && exitCode != 0)
            await Task.WhenAny(said, Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancel));
        var words = said.IsCompletedSuccessfully ? await said : "";
        await over.CancelAsync();
        await Task.WhenAll(said, ignored);
        if (!hasEnded)
            return ProbeAnswer.Failed(cancel.IsCancellationRequested ? "stopped" : target.TimedOut);

        var reason = string.Create(CultureInfo.InvariantCulture, $"exit code {exitCode}");
        return new(exitCode == 0, exitCode == 0 || words.Length == 0 ? reason : $"{reason}: {words}");
    }

    private static ProcessStartInfo StartFor(ProbeTarget target)
    {
        var start = new ProcessStartInfo(target.Check.Command!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in target.Check.Args)
            start.ArgumentList.Add(argument);

        // Variables of ours may be secrets that the configuration takes from them.
        start.Environment.Clear();
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
                start.Environment[name] = value;
        }

        var address = target.Address;
        start.Environment["POLYBALANCE_CLUSTER"] = target.Cluster;
        start.Environment["POLYBALANCE_BACKEND"] = target.Backend;
        start.Environment["POLYBALANCE_ADDRESS"] = address.ToString();
        start.Environment["POLYBALANCE_HOST"] = address.IsUnix ? address.Path : address.Host;
        start.Environment["POLYBALANCE_PORT"] = address.Port.ToString(CultureInfo.InvariantCulture);
        return start;
    }

    private static async Task<bool> HasEndedAsync(Process process, CancellationToken over)
    {
        try
        {
            // Not WaitForExitAsync: it waits for the end of the output too, which may never come.
            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            process.Exited += (_, _) => ended.TrySetResult();
            process.EnableRaisingEvents = true;
            if (!process.HasExited)
                await ended.Task.WaitAsync(over);
            return true;
        }
        catch (OperationCanceledException)
        {
            return process.HasExited;
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception failure) when (failure is Win32Exception or InvalidOperationException or AggregateException)
        {
            // It has ended by itself meanwhile, or what it has started has.
        }
    }

    // The first line that says something; a program that never stops talking is read and forgotten.
    private static async Task<string> ReadAsync(Stream output, CancellationToken over)
    {
        var kept = new byte[Limits.ProbeOutputBytesMax];
        var length = 0;
        var rest = new byte[1024];
        try
        {
            while (true)
            {
                var into = length < kept.Length ? kept.AsMemory(length) : rest;
                var count = await output.ReadAsync(into, over);
                if (count == 0)
                    break;
                if (length < kept.Length)
                    length += count;
            }
        }
        catch (Exception failure) when (failure is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // Its time is over; what it has said until now counts.
        }

        return FirstLine(Encoding.UTF8.GetString(kept.AsSpan(0, length)));
    }

    private static string FirstLine(string text)
    {
        var line = text.AsSpan().Trim();
        var end = line.IndexOfAny('\r', '\n');
        var shown = new StringBuilder();
        foreach (var next in end < 0 ? line : line[..end])
        {
            if (shown.Length == 200)
                break;
            shown.Append(char.IsControl(next) ? '?' : next);
        }

        return shown.ToString();
    }
}
