namespace PolyBalance.Tests.Support;

/// <summary>Where the sources are that the running tests were built from.</summary>
internal static class Repository
{
    /// <summary>The folder of the solution file, found upwards from the test assembly.</summary>
    public static readonly string Root = FindRoot();

    /// <summary>A path below the root.</summary>
    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    /// <summary>A path as it is written in messages: relative to the root, with slashes.</summary>
    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    /// <summary>The files of a folder that somebody wrote: build output is left out.</summary>
    public static IEnumerable<string> Files(string folder, string pattern)
        => Directory.EnumerateFiles(PathOf(folder), pattern, SearchOption.AllDirectories)
            .Where(file => !IsBuildOutput(Relative(file)))
            .Order(StringComparer.Ordinal);

    private static bool IsBuildOutput(string relative)
        => relative.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or ".git" or "TestResults"
            or "BenchmarkDotNet.Artifacts");

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "PolyBalance.slnx")))
                return at.FullName;
        }

        throw new InvalidOperationException($"No PolyBalance.slnx above {AppContext.BaseDirectory}");
    }
}
