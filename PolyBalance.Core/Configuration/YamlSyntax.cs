namespace PolyBalance.Configuration;

/// <summary>Says in our words what the YAML parser stumbled over, and what to do about it.</summary>
internal static class YamlSyntax
{
    private const string IndentOrQuote = "check the indentation, and put quotes around values that contain `: `";

    // A part of the parser's message, what it means to somebody who writes a configuration, and the way out.
    private static readonly (string Part, string Problem, string Remedy)[] Explanations =
    [
        ("cannot start any token", "a value cannot begin with this character", "put quotes around the value"),
        ("found invalid mapping", "a second `: ` in one value, or a key at the wrong indentation", IndentOrQuote),
        ("mapping values are not allowed", "a second `: ` in one value, or a key at the wrong indentation",
            IndentOrQuote),
        ("did not find expected ',' or '}'", "expected `,` or `}`",
            "close the `{`; put quotes around values that contain `{`, `}` or `,`"),
        ("did not find expected ',' or ']'", "expected `,` or `]`",
            "close the `[`; put quotes around values that contain `[`, `]` or `,`"),
        ("did not find expected '-' indicator", "expected another `- ` of the list",
            "indent the line like the rest of the list, or end the list"),
        ("did not find expected key", "expected a key here", IndentOrQuote),
        ("found unexpected end of stream", "a quote is opened here and never closed", "close it"),
        ("did not find expected node content", "expected a value here", "write one, or close the bracket"),
        ("hexadecimal", "an escape in this value is malformed",
            "use single quotes, in which a backslash is an ordinary character"),
        ("unknown escape", "an escape in this value is unknown",
            "use single quotes, in which a backslash is an ordinary character"),
        ("incompatible YAML document", "the file asks for another version of YAML",
            "remove the line that begins with `%YAML`"),
    ];

    /// <summary>Where a syntax error really is, and what to say about it.</summary>
    /// <param name="text">The whole text.</param>
    /// <param name="line">Where the parser gave up, 1-based.</param>
    /// <param name="column">Where the parser gave up, 1-based.</param>
    /// <param name="message">What the parser said; empty when it said nothing useful.</param>
    public static ((int Line, int Column) At, Flaw Flaw) Explain(string text, long line, long column, string message)
    {
        var at = ((int)Math.Max(1, line), (int)Math.Max(1, column));
        if (message.Contains(" tab ", StringComparison.Ordinal) && IndentingTab(text, at.Item1) is { } tab)
            return (tab, new("a tab is used for indentation", "use spaces"));

        foreach (var (part, problem, remedy) in Explanations)
        {
            if (message.Contains(part, StringComparison.Ordinal))
                return (at, new(problem, remedy));
        }

        var said = message.Length == 0 ? "" : $" ({message.TrimEnd('.')})";
        return (at, new($"the text is not valid YAML from here on{said}", "check indentation, brackets and quotes"));
    }

    // The parser reports the start of the value that the tab breaks, not the tab.
    private static (int Line, int Column)? IndentingTab(string text, int firstLine)
    {
        var line = 1;
        foreach (var range in text.AsSpan().Split('\n'))
        {
            var content = text.AsSpan(range);
            var indentation = content[..^content.TrimStart(" \t").Length];
            if (line++ >= firstLine && indentation.IndexOf('\t') is >= 0 and var tab)
                return (line - 1, tab + 1);
        }

        return null;
    }
}
