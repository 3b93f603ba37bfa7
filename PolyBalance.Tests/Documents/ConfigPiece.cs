using PolyBalance.Tests.Host;

namespace PolyBalance.Tests.Documents;

/// <summary>A piece of a configuration as a document shows it, made whole and checked as an operator does it.</summary>
internal static class ConfigPiece
{
    private const string Listeners = "listeners:\n  - bind: \":8000\"\n";
    private const string Clusters = "clusters:\n  web:\n    backends: [ \"10.0.0.11:8080\", \"10.0.0.12:8080\" ]\n";
    private const string Files = "/etc/polybalance/";
    private const string Secret = "0123456789-0123456789-0123456789-01\n";

    /// <summary>The piece, and what the smallest configuration has besides.</summary>
    public static string Completed(string piece)
        => (HasSection(piece, "listeners") ? "" : Listeners) + (HasSection(piece, "clusters") ? "" : Clusters) + piece;

    /// <summary>What <c>polybalance check</c> has against it; empty when it is right.</summary>
    /// <param name="piece">What the document shows.</param>
    public static async Task<string> ComplaintsAsync(string piece)
    {
        using var run = new CommandLineRun();

        // The files of secrets that an operator makes first, beside the configuration.
        foreach (var name in (string[])["sticky.keys", "admin.token"])
        {
            run.File(name, Secret);
#pragma warning disable CA1416 // Only where there are file modes.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(Path.Combine(run.Folder, name), UnixFileMode.UserRead);
#pragma warning restore CA1416
        }

        run.File("polybalance.yaml", Completed(piece).Replace(Files, "", StringComparison.Ordinal));
        var code = await run.RunAsync("check");
        return code == 0 && run.Errors.Length == 0 ? "" : $"{code}: {string.Join('\n', run.Errors)}";
    }

    private static bool HasSection(string piece, string key)
        => $"\n{piece}".Contains($"\n{key}:", StringComparison.Ordinal);
}
