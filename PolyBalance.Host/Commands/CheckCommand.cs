using PolyBalance.Configuration;
using PolyBalance.Host.Configuration;

namespace PolyBalance.Host.Commands;

/// <summary><c>polybalance check</c>: is this configuration in order?</summary>
internal static class CheckCommand
{
    /// <summary>
    /// Prints every error and every warning, and says what the configuration holds when there is no error.
    /// </summary>
    /// <param name="named">What <c>--config</c> says, or <see langword="null"/>.</param>
    /// <param name="surroundings">Files and where to print.</param>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string? named, Surroundings surroundings)
    {
        var code = LoadedConfig.TryLoad(named, new ConfigOverrides(), surroundings, out var config);
        if (config is null)
            return code;

        foreach (var warning in config.Warnings)
            surroundings.Error.WriteLine($"warning: {warning}");
        var overriding = config.Overriding.Count == 0 ? "" : $" (with {string.Join(" and ", config.Overriding)})";
        surroundings.Output.WriteLine($"{config.Name} is valid: {config.Summary}{overriding}");
        return ExitCode.Fine;
    }
}
