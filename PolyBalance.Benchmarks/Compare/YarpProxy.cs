using System.Reflection;

namespace PolyBalance.Benchmarks.Compare;

/// <summary>YARP as a proxy under test: built when it is wanted, and no part of the solution.</summary>
internal static class YarpProxy
{
    private const string Source = "yarp.cs";
    private const string Project = "yarp.csproj";

    /// <summary>Builds it once per comparison, from the sources in this executable, and starts it on Kestrel.</summary>
    public static async Task<ProxyStart> PrepareAsync(
        Workbench workbench, string folder, int port, CancellationToken stop)
    {
        var executable = await BuildAsync(workbench, stop);
        var library = Path.Combine(Path.GetDirectoryName(executable)!, "Yarp.ReverseProxy.dll");
        var version = AssemblyName.GetAssemblyName(library).Version?.ToString(3) ?? "";
        return new(
            "dotnet",
            [executable, $"{port}", .. workbench.Backends],
            $"{version} on .NET {Environment.Version}");
    }

    private static async Task<string> BuildAsync(Workbench workbench, CancellationToken stop)
    {
        var folder = Path.Combine(workbench.Folder, "yarp-build");
        var executable = Path.Combine(folder, "out", "yarp.dll");
        if (File.Exists(executable))
            return executable;

        Directory.CreateDirectory(folder);
        foreach (var name in (string[])[Source, Project])
            await workbench.WriteAsync(folder, name, ReadResource(name), stop);

        workbench.Progress.Say("building YARP");
        var (exitCode, output) = await ChildProgram.RunAsync(
            "dotnet",
            [
                "build", Path.Combine(folder, Project), "-c", "Release", "-o", Path.Combine(folder, "out"),
                "-v", "q", "-nologo",
            ],
            stop,
            ("MSBUILDDISABLENODEREUSE", "1"), ("UseSharedCompilation", "false"), ("DOTNET_CLI_UI_LANGUAGE", "en"));
        if (exitCode != 0)
            throw new LeftOutException($"YARP could not be built: {FirstError(output)}");
        return executable;
    }

    private static string FirstError(string output)
    {
        var line = output.Split('\n').FirstOrDefault(one => one.Contains("error", StringComparison.Ordinal)) ?? output;
        return line[Math.Max(0, line.IndexOf("error", StringComparison.Ordinal))..].Trim();
    }

    private static string ReadResource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"Peers/{name}")
            ?? throw new InvalidOperationException($"Peers/{name} is not embedded");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
