using System.Globalization;

namespace PolyBalance.Host;

/// <summary>Where the process begins: arguments in, exit code out.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        ChooseSocketEngine();
        var surroundings = Surroundings.OfProcess(arguments);
        try
        {
            return await CommandLine.RunAsync(arguments, surroundings);
        }
#pragma warning disable CA1031 // Whatever reaches this point is a bug; the exit code is how a supervisor learns of it.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            await surroundings.Error.WriteLineAsync($"polybalance: internal error, please report it: {bug}");
            return ExitCode.InternalError;
        }
    }

    /// <summary>
    /// Completes socket operations on the threads that wait for them, one per processor. The runtime reads these
    /// variables once, when the first socket is made; a value that the user has set stays.
    /// </summary>
    private static void ChooseSocketEngine()
    {
        SetUnlessSet("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        SetUnlessSet(
            "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT",
            Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture));
    }

    private static void SetUnlessSet(string variable, string value)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable)))
            Environment.SetEnvironmentVariable(variable, value);
    }
}
