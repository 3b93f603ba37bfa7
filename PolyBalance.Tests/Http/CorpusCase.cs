using System.Globalization;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>What the bytes of a case are, which follows from the area it lies in.</summary>
internal enum CorpusKind
{
    /// <summary>Bytes from a client; expected is what they are read as.</summary>
    Request,

    /// <summary>Bytes from a backend; expected is what they are read as.</summary>
    Response,

    /// <summary>Bytes from a client; expected is what a backend gets.</summary>
    ForwardedRequest,

    /// <summary>Bytes from a backend; expected is what a client gets.</summary>
    ForwardedResponse,
}

/// <summary>One file of the corpus: bytes, and what has to be seen in them.</summary>
/// <remarks>
/// <para>
/// A file begins with <c>#</c> lines that say why. Its bytes follow, in escaped text (<see cref="CorpusText"/>); the
/// lines are joined without anything between them, so a line of the protocol ends in <c>\r\n</c> written out. Then
/// comes a line of ten hyphens, then the expected events, one per line, or <c>forwards:</c> and the bytes that leave.
/// </para>
/// <para>
/// The bytes of a response are preceded by a line <c>&gt;&gt; METHOD</c>: what they answer. The comments may hold
/// directives, each on a line of its own: <c># trusted</c>, <c># tls</c>, <c># forwarded</c>, <c># close</c>,
/// <c># host NAME</c>, <c># client HTTP/1.0</c>.
/// </para>
/// </remarks>
internal sealed record CorpusCase(string Name, CorpusKind Kind, byte[] Bytes, MethodKind Answers)
{
    private const string Divider = "----------";
    private const string ForwardsMark = "forwards:";
    private const string TimesMark = " times: ";

    /// <summary>The expected events, each in the spelling of <see cref="EventLog.ToLines"/>.</summary>
    public required IReadOnlyList<string> Expected { get; init; }

    /// <summary>Settings of the forwarding that differ from the usual ones.</summary>
    public required IReadOnlyList<string> Directives { get; init; }

    /// <summary>Why the case exists, in the words of its file.</summary>
    public required IReadOnlyList<string> Comments { get; init; }

    /// <summary>Whether a directive is given.</summary>
    public bool Has(string directive) => Directives.Contains(directive);

    /// <summary>What follows a directive's name, or null.</summary>
    public string? ValueOf(string directive)
        => Directives.FirstOrDefault(line => line.StartsWith(directive + " ", StringComparison.Ordinal))
            ?[(directive.Length + 1)..];

    /// <summary>Reads the text of a file.</summary>
    /// <param name="name">Area and file name: <c>smuggling/cl-te</c>.</param>
    /// <param name="text">All of the file.</param>
    /// <exception cref="FormatException">The file does not follow the format.</exception>
    public static CorpusCase Parse(string name, string text)
    {
        var lines = text.Split('\n').ToList();
        if (lines[^1].Length == 0)
            lines.RemoveAt(lines.Count - 1);

        var divider = lines.IndexOf(Divider);
        if (divider < 0 || divider == lines.Count - 1)
            throw new FormatException($"{name}: no expectation");

        var comments = lines.TakeWhile(line => line.StartsWith('#')).Select(line => line[1..].Trim()).ToList();
        var kind = KindOf(name);
        var at = comments.Count;
        var answers = kind is CorpusKind.Response or CorpusKind.ForwardedResponse
            ? MethodOf(name, lines[at++])
            : MethodKind.Other;

        return new CorpusCase(name, kind, CorpusText.Unescape(string.Concat(lines[at..divider])), answers)
        {
            Expected = ReadExpected(lines[(divider + 1)..]),
            Directives = comments.Where(IsDirective).ToList(),
            Comments = comments.Where(line => !IsDirective(line)).ToList(),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static CorpusKind KindOf(string name) => name[..name.IndexOf('/', StringComparison.Ordinal)] switch
    {
        "forwarding" => CorpusKind.ForwardedRequest,
        "forwarding-response" => CorpusKind.ForwardedResponse,
        var area when area.StartsWith("response-", StringComparison.Ordinal) => CorpusKind.Response,
        _ => CorpusKind.Request,
    };

    private static MethodKind MethodOf(string name, string line)
        => line.StartsWith(">> ", StringComparison.Ordinal)
            && Enum.TryParse<MethodKind>(line[3..], ignoreCase: true, out var method)
            ? method
            : throw new FormatException($"{name}: a response needs a line `>> METHOD` before its bytes");

    private static bool IsDirective(string comment)
        => comment is "trusted" or "tls" or "forwarded" or "close" or "client HTTP/1.0"
            || (comment.StartsWith("host ", StringComparison.Ordinal) && !comment[5..].Contains(' '));

    private static List<string> ReadExpected(List<string> lines)
    {
        if (lines[0] == ForwardsMark)
            return EventLog.LinesOf("forwards", CorpusText.Unescape(string.Concat(lines[1..])));

        var expected = new List<string>();
        foreach (var line in lines)
        {
            var times = line.IndexOf(TimesMark, StringComparison.Ordinal);
            var isRepeated = int.TryParse(line[..Math.Max(0, times)], CultureInfo.InvariantCulture, out var count);
            var once = CorpusText.Escape(CorpusText.Unescape(isRepeated ? line[(times + TimesMark.Length)..] : line));
            expected.AddRange(Enumerable.Repeat(once, isRepeated ? count : 1));
        }

        return expected;
    }
}
