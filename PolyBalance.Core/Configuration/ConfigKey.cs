namespace PolyBalance.Configuration;

/// <summary>How the value of a key is built.</summary>
internal enum KeyKind
{
    /// <summary>A single value.</summary>
    Value,

    /// <summary>A list of single values.</summary>
    List,

    /// <summary>A mapping of single values whose keys the user chooses.</summary>
    Pairs,

    /// <summary>A mapping whose keys are given.</summary>
    Section,

    /// <summary>The same, or <c>off</c>.</summary>
    SectionOrOff,

    /// <summary>A list of sections.</summary>
    Items,

    /// <summary>Sections by names that the user chooses.</summary>
    Entries,
}

/// <summary>What is known of one key of the configuration, told by the very code that reads it.</summary>
/// <param name="Section">
/// Where it stands, such as <c>clusters.&lt;name&gt;.pool</c>; empty at the top. Elements of lists are <c>[]</c>.
/// </param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">How its value is built.</param>
/// <param name="Purpose">What it is for, in one sentence.</param>
internal sealed record ConfigKey(string Section, string Name, KeyKind Kind, string Purpose)
{
    /// <summary>What each single value may be.</summary>
    public ConfigForm? Form { get; init; }

    /// <summary>What the names may be that the user chooses.</summary>
    public TextForm? Names { get; init; }

    /// <summary>The default as the file would write it; <see langword="null"/> for none.</summary>
    public string? Default { get; init; }

    /// <summary>Whether the file has to have it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Whether there must be something in it.</summary>
    public bool IsFilled { get; init; }

    /// <summary>
    /// Keys of the section of which exactly one is written, this one among them; empty: it has nothing to do with
    /// others.
    /// </summary>
    public IReadOnlyList<string> Alternatives { get; init; } = [];

    /// <summary>The key of an element that a single value stands for; <see langword="null"/>: none.</summary>
    public string? Shorthand { get; init; }

    /// <summary>Name and place.</summary>
    public string Path => Section.Length == 0 ? Name : $"{Section}.{Name}";

    /// <summary>Where the keys below it stand.</summary>
    public string Inside => Kind switch
    {
        KeyKind.Items => Path + "[]",
        KeyKind.Entries => Path + ".<name>",
        _ => Path,
    };

    /// <summary>The line of the reference: name, default, what may be written, and what it is for.</summary>
    public override string ToString()
    {
        var words = Kind switch
        {
            KeyKind.List => $"list of {Form!.Words}",
            KeyKind.Pairs => $"mapping of {Form!.Words}",
            KeyKind.Section => "section",
            KeyKind.SectionOrOff => "section, or off",
            KeyKind.Items => "list",
            KeyKind.Entries => "sections by name",
            _ => Form!.Words,
        };
        var shown = Default is null ? "" : $" = {Default}";
        var need = IsRequired ? ", required"
            : Alternatives.Count > 0 ? $", one of {string.Join(", ", Alternatives)}"
            : "";
        return $"{Path}{shown} ({words}{need}): {Purpose}";
    }
}
