using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>strace(1): writes down the system calls of the gateway, or makes some of them fail.</summary>
internal static class Strace
{
    /// <summary>Starts the executable under it.</summary>
    /// <param name="options">What to do with which calls.</param>
    /// <param name="arguments">The command line of the executable.</param>
    /// <returns>The executable itself: signals reach it, and strace ends with it.</returns>
    /// <exception cref="IgnoreException">strace is not installed, or may not trace processes here.</exception>
    public static async Task<RunningProgram> StartAsync(string[] options, params string[] arguments)
    {
        var strace = Programs.FindOptional("strace");

        // The tracer is a grandchild (-D), so that what was started is the program.
        string[] always = ["-D", "-f", "-qq"];
        var tried = await RunningProgram.RunAsync(strace, [.. always, "-o", "/dev/null", "true"]);
        if (tried.ExitCode != 0 || tried.Errors.Length > 0)
            Assert.Ignore($"strace may not trace processes here: {tried.Errors}");
        return RunningProgram.Start(
            strace, [.. always, .. options, .. Executable.Command, .. arguments]);
    }
}
