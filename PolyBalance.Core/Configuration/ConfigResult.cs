namespace PolyBalance.Configuration;

/// <summary>What <see cref="ProxyOptions.Parse"/> makes of a text: options, or every error in it; never both.</summary>
public sealed record ConfigResult
{
    /// <summary>
    /// The validated configuration; <see langword="null"/> exactly when <see cref="Errors"/> is not empty.
    /// </summary>
    public ProxyOptions? Options { get; init; }

    /// <summary>Everything that is wrong, in the order of the file.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>What is allowed, but probably not what the user wants; in the order of the file.</summary>
    public IReadOnlyList<ConfigError> Warnings { get; init; } = [];
}
