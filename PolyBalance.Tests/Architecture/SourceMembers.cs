using System.Text.RegularExpressions;

namespace PolyBalance.Tests.Architecture;

/// <summary>One member of a type as it stands in a file.</summary>
/// <param name="Header">From the first attribute or modifier to the body, on one line.</param>
/// <param name="Body">Its code, comments and string literals blanked; empty when there is none.</param>
/// <param name="FirstLine">1-based; where the declaration starts, documentation not counted.</param>
/// <param name="LastLine">1-based; where the closing brace or semicolon stands.</param>
internal sealed record SourceMember(string Header, string Body, int FirstLine, int LastLine)
{
    private static readonly Regex Attributes = new(@"^(\s*\[[^\]]*\])+");
    private static readonly Regex Called = new(@"([A-Za-z_]\w*)\s*(<[^()]*>)?\s*\(");
    private static readonly string[] Modifiers =
    [
        "public", "internal", "protected", "private", "static", "readonly", "const", "async", "override", "virtual",
        "new",
    ];

    /// <summary>The declaration without its attributes.</summary>
    public string Declaration => Attributes.Replace(Header, "").Trim();

    /// <summary>Has parameters: a method, a constructor, an operator.</summary>
    public bool IsMethod => Name.Length > 0 || Declaration.Contains(" operator ", StringComparison.Ordinal);

    /// <summary>The method's name; of a constructor that of its type; empty when it is no method.</summary>
    public string Name
        // A parenthesis after a modifier opens a tuple, and one after an equals sign belongs to a value.
        => Called.Matches(Declaration.Split('=')[0]).Select(match => match.Groups[1].Value)
            .FirstOrDefault(name => !Modifiers.Contains(name), "");

    /// <summary>Lines from the declaration to the end of the body.</summary>
    public int LineCount => LastLine - FirstLine + 1;
}

/// <summary>Finds the members of all types of a file, those of nested types included.</summary>
/// <remarks>Counts brackets; works on formatted code that compiles, and promises nothing about anything else.</remarks>
internal static class SourceMembers
{
    private static readonly Regex TypeHeader = new(@"\b(class|struct|interface|record|enum)\s+\w+");

    /// <summary>In the order of the file.</summary>
    public static List<SourceMember> Of(SourceFile file)
    {
        var found = new List<SourceMember>();
        Collect(file, 0, file.Code.Length, inType: false, found);
        return found;
    }

    private static void Collect(SourceFile file, int from, int to, bool inType, List<SourceMember> found)
    {
        var code = file.Code;
        for (var start = SkipBlank(code, from, to); start < to; start = SkipBlank(code, start, to))
        {
            var bodyStart = FindBody(code, start, to, out var isBlock);
            var header = code[start..bodyStart];
            var end = isBlock ? Close(code, bodyStart, to) : bodyStart;
            var isType = isBlock && TypeHeader.IsMatch(header.Split(" where ")[0]);

            if (isType || (!inType && isBlock))
                Collect(file, bodyStart + 1, end - 1, inType: true, found);
            else if (inType)
            {
                // `{ get; } = value;` and `=> …;` go on after what looked like the end.
                end = EndOfMember(code, end, to);
                found.Add(new(OneLine(header), code[bodyStart..end], file.LineOf(start), file.LineOf(end - 1)));
            }

            start = Math.Max(end, start + 1);
        }
    }

    private static int SkipBlank(string code, int at, int to)
    {
        while (at < to && (char.IsWhiteSpace(code[at]) || code[at] is '}' or ';' or '#'))
            at = code[at] == '#' ? LineEnd(code, at, to) : at + 1;
        return at;
    }

    private static int LineEnd(string code, int at, int to)
    {
        var end = code.IndexOf('\n', at, to - at);
        return end < 0 ? to : end;
    }

    /// <summary>
    /// The brace, equals sign or semicolon that ends a header: none of those inside parentheses or brackets.
    /// </summary>
    private static int FindBody(string code, int at, int to, out bool isBlock)
    {
        var start = at;
        for (var depth = 0; at < to; at++)
        {
            depth += code[at] switch { '(' or '[' => 1, ')' or ']' => -1, _ => 0 };
            isBlock = code[at] == '{';
            if (depth == 0 && (isBlock || code[at] == ';' || (code[at] == '=' && !NamesOperator(code[start..at]))))
                return at;
        }

        isBlock = false;
        return to;
    }

    // `operator ==(` and its like: the sign is the name.
    private static bool NamesOperator(string header) => Regex.IsMatch(header, @"\boperator\s*[=!<>]*$");

    private static int Close(string code, int brace, int to)
    {
        var depth = 0;
        for (var at = brace; at < to; at++)
        {
            depth += code[at] switch { '{' or '(' or '[' => 1, '}' or ')' or ']' => -1, _ => 0 };
            if (depth == 0)
                return at + 1;
        }

        return to;
    }

    private static int EndOfMember(string code, int at, int to)
    {
        if (at >= to)
            return to;

        if (code[at - 1] == '}')
        {
            var next = at;
            while (next < to && char.IsWhiteSpace(code[next]))
                next++;
            if (next >= to || code[next] != '=')
                return at;

            at = next;
        }

        for (var depth = 0; at < to; at++)
        {
            depth += code[at] switch { '{' or '(' or '[' => 1, '}' or ')' or ']' => -1, _ => 0 };
            if (depth == 0 && code[at] == ';')
                return at + 1;
        }

        return to;
    }

    private static string OneLine(string header) => Regex.Replace(header, @"\s+", " ").Trim();
}
