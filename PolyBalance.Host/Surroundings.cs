namespace PolyBalance.Host;

/// <summary>
/// What a command may use of the process it runs in, so that a test can put something else in its place.
/// </summary>
internal sealed record Surroundings
{
    /// <summary>Where a command's result goes.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Where a command says what is wrong.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Opens standard input. The caller disposes the stream.</summary>
    public required Func<Stream> OpenInput { get; init; }

    /// <summary>Value of an environment variable, or <see langword="null"/> when it is not set.</summary>
    public required Func<string, string?> Variable { get; init; }

    /// <summary>The folder that relative file names start from.</summary>
    public required string Folder { get; init; }

    /// <summary>
    /// The file that the process was started from, as it was called then, and its arguments; null: it cannot be started
    /// from there again.
    /// </summary>
    public (string Executable, IReadOnlyList<string> Arguments)? Self { get; init; }

    /// <summary>The surroundings of this very process.</summary>
    /// <param name="arguments">Its arguments.</param>
    public static Surroundings OfProcess(IReadOnlyList<string> arguments) => new()
    {
        // By now: the system calls it something else once another file has taken its place.
        Self = Environment.ProcessPath is not { } path ? null
            : Path.GetFileNameWithoutExtension(path) == "dotnet"
                ? (path, [Environment.GetCommandLineArgs()[0], .. arguments])
                : (path, arguments),
        Output = Console.Out,
        Error = Console.Error,
        OpenInput = Console.OpenStandardInput,
        Variable = Environment.GetEnvironmentVariable,
        Folder = Environment.CurrentDirectory,
    };
}
