using System.Text.RegularExpressions;

namespace PolyBalance.Configuration;

/// <summary>Says in our words what the YAML parser stumbled over, and what to do about it.</summary>
internal static partial class YamlSyntax
{
    private const string IndentOrQuote = "check the indentation, and put quotes around values that contain `: `";

    // A part of the parser's message, what it means to somebody who writes a configuration, and the way out.
    private static readonly (string Part, string Problem, string Remedy)[] Explanations =
    [
        ("found invalid mapping", "a second `: ` in one value, or a key at the wrong indentation", IndentOrQuote),
        ("mapping values are not allowed", "a second `: ` in one value, or a key at the wrong indentation",
            IndentOrQuote),
        ("did not find expected ',' or '}'", "expected `,` or `}`",
            "write a comma between two keys, close the `{`, and put quotes around values that contain `{`, `}` or `,`"),
        ("did not find expected ',' or ']'", "expected `,` or `]`",
            "write a comma between two elements, close the `[`, and put quotes around values that contain `[`, `]` "
            + "or `,`"),
        ("did not find expected '-' indicator", "expected another `- ` of the list",
            "indent the line like the rest of the list, or end the list"),
        ("did not find expected key", "expected a key here", IndentOrQuote),
        ("found unexpected end of stream", "a quote is opened here and never closed", "close it"),
        ("quoted scalar, found wrong indentation", "a quote is opened here and never closed", "close it"),
        ("did not find expected node content", "expected a value here", "write one, or close the bracket"),
        ("hexadecimal", "an escape in this value is malformed",
            "use single quotes, in which a backslash is an ordinary character"),
        ("unknown escape", "an escape in this value is unknown",
            "use single quotes, in which a backslash is an ordinary character"),
        ("incompatible YAML document", "the file asks for another version of YAML",
            "remove the line that begins with `%YAML`"),
        ("expected <document end>", "to YAML the configuration has ended above this line",
            "write one mapping that begins with `listeners:` and `clusters:`"),
    ];

    /// <summary>Where a syntax error really is, and what to say about it.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="gaveUp">Where the parser gave up, both 1-based.</param>
    /// <param name="message">What the parser said; empty when it said nothing useful.</param>
    /// <param name="open">The innermost bracket that is open there, if there is one.</param>
    public static ((int Line, int Column) At, Flaw Flaw) Explain(
        string text, (int Line, int Column) gaveUp, string message, (char Sign, int Line, int Column)? open)
    {
        // The parser counts the line ends of Unicode, too.
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        if (message.Contains(" tab ", StringComparison.Ordinal) && IndentingTab(lines, gaveUp.Line) is { } tab)
            return (tab, new("a tab is used for indentation", "use spaces"));

        var line = LineOf(lines, gaveUp.Line);
        if (open is { } bracket && !IsQuote(message) && IsNeverClosed(lines, gaveUp, message, bracket.Line))
        {
            return ((bracket.Line, bracket.Column),
                new($"a `{bracket.Sign}` is opened here and never closed", "close it"));
        }

        if (message.Contains("cannot start any token", StringComparison.Ordinal))
        {
            var sign = gaveUp.Column <= line.Length ? Flaw.Show(line[gaveUp.Column - 1].ToString()) : "this";
            return (gaveUp, new($"a value cannot begin with {sign}", "put quotes around the value"));
        }

        if (open is null && ExplainLine(lines, gaveUp, line, message) is { } found)
            return found;

        foreach (var (part, problem, remedy) in Explanations)
        {
            if (message.Contains(part, StringComparison.Ordinal))
                return (gaveUp, new(problem, remedy));
        }

        var said = message.Length == 0 ? "" : $" ({message.TrimEnd('.')})";
        return (gaveUp,
            new($"the text is not valid YAML from here on{said}", "check indentation, brackets and quotes"));
    }

    // Outside of brackets one look at the line tells more than the parser does.
    private static ((int Line, int Column) At, Flaw Flaw)? ExplainLine(
        string[] lines, (int Line, int Column) gaveUp, string line, string message)
    {
        var isMapping = message.Contains("invalid mapping", StringComparison.Ordinal);
        if (!isMapping && !message.Contains("expected key", StringComparison.Ordinal))
            return null;

        var (above, number) = LineAbove(lines, gaveUp.Line);
        if (isMapping && LoneWord().Match(above) is { Success: true, Groups: [_, var word] })
        {
            return ((number, word.Index + word.Length + 1),
                new($"`{word.Value}` has no colon behind it", $"write `{word.Value}:`"));
        }

        if (isMapping || gaveUp.Column > line.Length)
            return null;
        if (line[gaveUp.Column - 1] is ']' or '}')
            return (gaveUp, new($"this `{line[gaveUp.Column - 1]}` closes nothing", "remove it"));
        if (line.AsSpan(0, gaveUp.Column - 1).TrimEnd(':') is [.., var bracket and (']' or '}')])
        {
            return (gaveUp, new($"to YAML the value ends with the `{bracket}` before this",
                "put quotes around the whole value"));
        }

        if (gaveUp.Column != Indentation(line) + 1)
            return null;

        if (GluedColon().Match(line) is { Success: true, Groups: [_, var key, ..] })
            return (gaveUp, new($"no blank follows the colon of `{key.Value}:`", "write one"));
        if (EqualsSign().Match(line) is { Success: true, Groups: [_, var name] })
            return (gaveUp, new("`=` stands where a colon belongs", $"write `{name.Value}: …`"));

        return (gaveUp, new("nothing above begins in this column, so YAML cannot tell where the line belongs",
            "indent it exactly like its neighbours"));
    }

    private static bool IsQuote(string message) => message.Contains("quoted scalar", StringComparison.Ordinal);

    // At the end of the text, or where the next key of a block begins; and the parser says nothing at all where a line
    // ends between an element and what it takes for a key.
    private static bool IsNeverClosed(string[] lines, (int Line, int Column) gaveUp, string message, int openLine)
        => message.Length == 0
            || (message.Contains("did not find expected", StringComparison.Ordinal)
                && lines.Skip(gaveUp.Line - 1).Index()
                    .All(line => IsEmpty(line.Item, line.Index == 0 ? gaveUp.Column - 1 : 0)))
            || (gaveUp.Line > openLine && message.Contains("did not find expected ','", StringComparison.Ordinal)
                && BlockKey().IsMatch(LineOf(lines, gaveUp.Line))
                && Indentation(LineOf(lines, gaveUp.Line)) <= Indentation(LineOf(lines, openLine)));

    private static string LineOf(string[] lines, int number) => number <= lines.Length ? lines[number - 1] : "";

    private static int Indentation(string line) => line.Length - line.TrimStart(' ').Length;

    // Nothing but blanks and a comment from there on.
    private static bool IsEmpty(string line, int from)
        => line.AsSpan(Math.Min(from, line.Length)).TrimStart() is [] or ['#', ..];

    // The nearest line above that has something on it.
    private static (string Line, int Number) LineAbove(string[] lines, int number)
    {
        for (var above = Math.Min(number - 1, lines.Length); above > 0; above--)
        {
            if (!IsEmpty(lines[above - 1], from: 0))
                return (lines[above - 1], above);
        }

        return ("", 0);
    }

    // The parser reports the start of the value that the tab breaks, not the tab.
    private static (int Line, int Column)? IndentingTab(string[] lines, int firstLine)
    {
        for (var index = firstLine - 1; index < lines.Length; index++)
        {
            var content = lines[index].AsSpan();
            var indentation = content[..^content.TrimStart(" \t").Length];
            if (indentation.IndexOf('\t') is >= 0 and var tab)
                return (index + 1, tab + 1);
        }

        return null;
    }

    [GeneratedRegex("^ *(?:- )?([A-Za-z_][A-Za-z0-9_-]*)\\s*(?:#.*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex LoneWord();

    [GeneratedRegex("^ *([A-Za-z_][A-Za-z0-9_]*):[^ ]", RegexOptions.CultureInvariant)]
    private static partial Regex GluedColon();

    [GeneratedRegex("^ *([A-Za-z_][A-Za-z0-9_]*) *=", RegexOptions.CultureInvariant)]
    private static partial Regex EqualsSign();

    [GeneratedRegex("^ *[A-Za-z_][A-Za-z0-9_-]*:(?: |$)", RegexOptions.CultureInvariant)]
    private static partial Regex BlockKey();
}
