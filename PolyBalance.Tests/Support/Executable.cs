namespace PolyBalance.Tests.Support;

/// <summary>
/// What tests start as the gateway: the assembly that was built with them, or the published file that the variable
/// <c>POLYBALANCE_EXECUTABLE</c> names.
/// </summary>
internal static class Executable
{
    /// <summary>The published file; null: there is none, and the built assembly is meant.</summary>
    public static readonly string? Published = Environment.GetEnvironmentVariable("POLYBALANCE_EXECUTABLE") is
    { Length: > 0 } path
        ? File.Exists(path)
            ? Path.GetFullPath(path)
            : throw new InvalidOperationException($"POLYBALANCE_EXECUTABLE names {path}, which does not exist")
        : null;

    /// <summary>The program and the first of its arguments.</summary>
    public static readonly string[] Command = Published is not null
        ? [Published]
        : [Runner, Path.Combine(AppContext.BaseDirectory, "polybalance.dll")];

    // The one that runs the tests, when it is no program of its own.
    private static string Runner
        => Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
}
