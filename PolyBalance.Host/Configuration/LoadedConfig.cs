using PolyBalance.Configuration;

namespace PolyBalance.Host.Configuration;

/// <summary>A configuration that is in order, and where it came from.</summary>
/// <param name="Options">What applies.</param>
/// <param name="Warnings">What deserves a look.</param>
/// <param name="Name">The file's name in messages.</param>
/// <param name="Text">The text it was read from; empty without a file.</param>
/// <param name="Overriding">The flags and variables that override it, in a fixed order.</param>
internal sealed record LoadedConfig(
    ProxyOptions Options, IReadOnlyList<ConfigError> Warnings, string Name, string Text,
    IReadOnlyList<string> Overriding)
{
    private const string NoFile = "the command line";

    /// <summary>
    /// Where the values come from: <c>polybalance.yaml, overridden by -port and POLYBALANCE_BACKENDS</c>.
    /// </summary>
    public string Source
    {
        get
        {
            var sources = string.Join(" and ", Overriding);
            if (Name == NoFile)
                return $"no file, only {sources}";

            return sources.Length == 0 ? Name : $"{Name}, overridden by {sources}";
        }
    }

    /// <summary>How much it holds: <c>1 listener, 1 cluster, 2 backends, 1 name to resolve</c>.</summary>
    public string Summary
    {
        get
        {
            var (backends, names) = (0, new HashSet<LookUpKey>());
            foreach (var cluster in Options.Clusters)
            {
                backends += cluster.Backends.Count;
                foreach (var lookUp in cluster.LookUps)
                    names.Add(lookUp.Key);
            }

            var parts = new List<string>
            {
                Count(Options.Listeners.Count, "listener"), Count(Options.Clusters.Count, "cluster"),
            };
            if (backends > 0 || names.Count == 0)
                parts.Add(Count(backends, "backend"));
            if (names.Count > 0)
                parts.Add($"{Count(names.Count, "name")} to resolve");
            return string.Join(", ", parts);
        }
    }

    /// <summary>
    /// Reads, overrides and validates a configuration. Prints every problem to <see cref="Surroundings.Error"/>.
    /// </summary>
    /// <param name="named">What <c>--config</c> says, or <see langword="null"/>.</param>
    /// <param name="flags">What the command line sets.</param>
    /// <param name="surroundings">Files, variables and where to print.</param>
    /// <param name="loaded">The configuration; <see langword="null"/> exactly when the result is not 0.</param>
    /// <returns>0, or the exit code of the command.</returns>
    public static int TryLoad(string? named, ConfigOverrides flags, Surroundings surroundings, out LoadedConfig? loaded)
    {
        loaded = null;
        var overrides = flags.Over(ConfigOverrides.FromEnvironment(surroundings.Variable));
        var code = ConfigFile.TryRead(named, overrides.Backends is null, surroundings, out var config, out var problem);
        if (code != ExitCode.Fine)
        {
            surroundings.Error.WriteLine($"polybalance: {problem}");
            return code;
        }

        var name = config.Name.Length == 0 ? NoFile : config.Name;
        var result = SecretFiles.ReadAll(
            ProxyOptions.Parse(config.Text, name, surroundings.Variable, overrides), surroundings.Folder);
        if (result.Options is { } options)
        {
            loaded = new(options, result.Warnings, name, config.Text, SourcesOf(overrides));
            return ExitCode.Fine;
        }

        foreach (var error in result.Errors)
            surroundings.Error.WriteLine(error);
        surroundings.Error.WriteLine($"{Count(result.Errors.Count, "error")} in {name}");
        return ExitCode.Refused;
    }

    private static string Count(int count, string thing) => count == 1 ? $"1 {thing}" : $"{count} {thing}s";

    private static List<string> SourcesOf(ConfigOverrides overrides)
    {
        ReadOnlySpan<ConfigOverride?> all =
        [
            overrides.Port, overrides.Backends, overrides.HealthInterval, overrides.HealthTimeout,
            overrides.BackendTimeout, overrides.Strategy,
        ];
        var sources = new List<string>();
        foreach (var one in all)
        {
            if (one is not null)
                sources.Add(one.Source);
        }

        return sources;
    }
}
