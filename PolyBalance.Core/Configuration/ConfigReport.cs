namespace PolyBalance.Configuration;

/// <summary>What is wrong with a value and what to write instead; the reader that has the value knows where.</summary>
/// <param name="Problem">What is wrong, without a period.</param>
/// <param name="Remedy">What to do about it, without a period; may be empty.</param>
internal sealed record Flaw(string Problem, string Remedy)
{
    private const int ShownMax = 60;

    /// <summary>A piece of the user's text as an error quotes it: in backquotes, one line, not too long.</summary>
    /// <param name="text">What the user wrote.</param>
    public static string Show(string text)
    {
        var shown = string.Concat(text.Take(ShownMax).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return text.Length > ShownMax ? $"`{shown}…`" : $"`{shown}`";
    }
}

/// <summary>Either a value or what is wrong with the text that should have held one.</summary>
/// <typeparam name="T">What the text means.</typeparam>
/// <param name="Value">Meaningful only without a flaw.</param>
/// <param name="Flaw">What is wrong, if anything is.</param>
internal readonly record struct Parsed<T>(T Value, Flaw? Flaw)
{
    /// <summary>A value that was readable.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator Parsed<T>(T value) => new(value, null);

    /// <summary>A text that was not.</summary>
    /// <param name="flaw">What is wrong.</param>
    public static implicit operator Parsed<T>(Flaw flaw) => new(default!, flaw);
}

/// <summary>Collects everything that is found in one configuration, so that the user sees all of it at once.</summary>
internal sealed class ConfigReport
{
    private readonly List<ConfigError> _errors = [];
    private readonly List<ConfigError> _warnings = [];

    /// <summary>Every error once, in the order of the file; those of flags and variables come first.</summary>
    public IReadOnlyList<ConfigError> Errors => InOrder(_errors);

    /// <summary>Every warning once, in the order of the file.</summary>
    public IReadOnlyList<ConfigError> Warnings => InOrder(_warnings);

    /// <summary>Whether the configuration can not be used.</summary>
    public bool HasErrors => _errors.Count > 0;

    /// <summary>How often something was found wrong so far.</summary>
    public int ErrorCount => _errors.Count;

    /// <summary>Where readers describe their keys; <see langword="null"/> when a real configuration is read.</summary>
    public List<ConfigKey>? Keys { get; init; }

    /// <summary>Whether a whole configuration is read, so that other sections than the one at hand exist.</summary>
    public bool IsOfFile { get; init; }

    /// <summary>Whether probes may run programs: <c>allow_exec</c>, which is read before what depends on it.</summary>
    public bool AllowsExec { get; set; }

    /// <summary>Notes something that makes the configuration unusable.</summary>
    /// <param name="at">Where.</param>
    /// <param name="problem">What is wrong, without a period.</param>
    /// <param name="remedy">What to do about it, without a period; may be empty.</param>
    public void Error(Position at, string problem, string remedy)
        => _errors.Add(new(at.File, at.Line, at.Column, problem, remedy));

    /// <summary>Notes a flaw that makes the configuration unusable.</summary>
    /// <param name="at">Where.</param>
    /// <param name="flaw">What is wrong.</param>
    public void Error(Position at, Flaw flaw) => Error(at, flaw.Problem, flaw.Remedy);

    /// <summary>Notes something that is probably not meant.</summary>
    /// <param name="at">Where.</param>
    /// <param name="problem">What is odd, without a period.</param>
    /// <param name="remedy">What to do about it, without a period; may be empty.</param>
    public void Warning(Position at, string problem, string remedy)
        => _warnings.Add(new(at.File, at.Line, at.Column, problem, remedy));

    // An alias is read at every place that uses it, so what is wrong with it is found more than once.
    private static List<ConfigError> InOrder(List<ConfigError> found)
        => [.. found.Distinct().OrderBy(error => error.Line).ThenBy(error => error.Column)];
}
