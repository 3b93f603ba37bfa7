namespace PolyBalance.Host.Configuration;

/// <summary>The text of a configuration, and the name that messages give it.</summary>
/// <param name="Text">YAML or JSON; empty when no file is needed.</param>
/// <param name="Name">As the user wrote it, <c>stdin</c>, or empty when no file is needed.</param>
internal sealed record ConfigText(string Text, string Name);

/// <summary>Finds and reads the configuration file.</summary>
internal static class ConfigFile
{
    /// <summary>Longer files are refused. Unit: bytes.</summary>
    public const int BytesMax = 8 * 1024 * 1024;

    /// <summary>Where a configuration is looked for when none is named; the first that exists is taken.</summary>
    public static readonly IReadOnlyList<string> DefaultPaths =
        ["polybalance.yaml", "/etc/polybalance/polybalance.yaml"];

    /// <summary>Reads the named file, or the first of the default ones.</summary>
    /// <param name="named">What <c>--config</c> says: a path, <c>-</c> for standard input, or <see
    /// langword="null"/>.</param>
    /// <param name="isNeeded">Whether finding no file is a mistake; otherwise the text is empty then.</param>
    /// <param name="surroundings">Where to look.</param>
    /// <param name="config">What was read.</param>
    /// <param name="problem">A line for the user.</param>
    /// <returns>0, or the exit code that goes with the problem.</returns>
    public static int TryRead(
        string? named, bool isNeeded, Surroundings surroundings, out ConfigText config, out string problem)
    {
        config = new("", "");
        problem = "";
        var name = named ?? FindDefault(surroundings.Folder);
        if (name is null)
        {
            if (!isNeeded)
                return ExitCode.Fine;

            problem = NothingFound(surroundings.Folder);
            return ExitCode.Usage;
        }

        var isInput = name == "-";
        var path = Path.Combine(surroundings.Folder, name);
        var text = TextFile.TryRead(
            () => isInput ? surroundings.OpenInput() : File.OpenRead(path), BytesMax, out var flaw);
        if (text is null)
        {
            problem = $"{name}: {flaw}";
            return ExitCode.Refused;
        }

        config = new(text, isInput ? "stdin" : name);
        return ExitCode.Fine;
    }

    private static string? FindDefault(string folder)
    {
        foreach (var path in DefaultPaths)
        {
            if (File.Exists(Path.Combine(folder, path)))
                return path;
        }

        return null;
    }

    private static string NothingFound(string folder)
        => $"no configuration: neither {Path.Combine(folder, DefaultPaths[0])} nor {DefaultPaths[1]} exists. Write one "
            + "(a listener and a cluster with its backends are enough), name one with --config FILE, or write the "
            + "backends into the command line, as in "
            + "polybalance -port=8000 -backends=http://10.0.0.11:8080,http://10.0.0.12:8080; "
            + "to see it work without any of that: polybalance demo";
}
