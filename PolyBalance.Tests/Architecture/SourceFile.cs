using System.Collections.Concurrent;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Architecture;

/// <summary>A C# file taken apart into code, comments and string literals, each at its original place.</summary>
/// <remarks>
/// A scanner, not a parser: it knows what a compiler's lexer knows about quotes and comments and nothing about grammar.
/// The three texts have the length and the line breaks of the file; what belongs to another text is blank.
/// </remarks>
internal sealed class SourceFile
{
    private static readonly ConcurrentDictionary<string, SourceFile> Known = new();

    private readonly char[] _code;
    private readonly char[] _comments;
    private readonly char[] _strings;
    private int _at;

    private SourceFile(string path, string text)
    {
        Path = path;
        Text = text;
        _code = Blank(text);
        _comments = Blank(text);
        _strings = Blank(text);
        ScanCode(insideHole: false);
        Code = new string(_code);
        Comments = new string(_comments);
        Strings = new string(_strings);
    }

    /// <summary>Relative to the root, with slashes.</summary>
    public string Path { get; }

    /// <summary>The whole file.</summary>
    public string Text { get; }

    /// <summary>Neither comments nor what stands between quotes.</summary>
    public string Code { get; }

    /// <summary>Comments, those for documentation included.</summary>
    public string Comments { get; }

    /// <summary>What stands between quotes, the holes of interpolated strings left out.</summary>
    public string Strings { get; }

    /// <summary>The lines of the file.</summary>
    public string[] Lines => Text.Split('\n');

    /// <summary>Reads one file, once.</summary>
    public static SourceFile Read(string path)
        => Known.GetOrAdd(path, static path => new(Repository.Relative(path), File.ReadAllText(path)));

    /// <summary>Takes a text apart that is in no file.</summary>
    public static SourceFile Of(string text) => new("text.cs", text);

    /// <summary>Every C# file of the named projects or folders.</summary>
    public static IEnumerable<SourceFile> In(params string[] folders)
        => folders.SelectMany(folder => Repository.Files(folder, "*.cs")).Select(Read);

    /// <summary>The 1-based line of a position.</summary>
    public int LineOf(int position) => Text.AsSpan(0, position).Count('\n') + 1;

    private static char[] Blank(string text) => [.. text.Select(c => c is '\n' or '\r' ? c : ' ')];

    private char Peek(int ahead = 0) => _at + ahead < Text.Length ? Text[_at + ahead] : '\0';

    private bool Sees(string what) => string.CompareOrdinal(Text, _at, what, 0, what.Length) == 0;

    private void Move(char[] into, int count)
    {
        for (var end = Math.Min(_at + count, Text.Length); _at < end; _at++)
            into[_at] = Text[_at];
    }

    private void ScanCode(bool insideHole)
    {
        var depth = 0;
        while (_at < Text.Length)
        {
            if (Sees("//"))
                Move(_comments, LengthUpTo("\n"));
            else if (Sees("/*"))
                Move(_comments, LengthUpTo("*/") + 2);
            else if (Peek() == '\'')
                ScanCharacter();
            else if (Peek() is '"' or '$' or '@' && StringStarts(out var dollars, out var verbatim))
                ScanString(dollars, verbatim);
            else
            {
                depth += Peek() switch { '{' => 1, '}' => -1, _ => 0 };
                if (insideHole && depth < 0)
                    return;

                Move(_code, 1);
            }
        }
    }

    private int LengthUpTo(string end)
    {
        var found = Text.IndexOf(end, _at, StringComparison.Ordinal);
        return (found < 0 ? Text.Length : found) - _at;
    }

    private void ScanCharacter()
    {
        Move(_code, 1);
        while (_at < Text.Length && Peek() is not ('\'' or '\n'))
            Move(_strings, Peek() == '\\' ? 2 : 1);
        Move(_code, 1);
    }

    private bool StringStarts(out int dollars, out bool verbatim)
    {
        dollars = 0;
        verbatim = false;
        var ahead = 0;
        for (; Peek(ahead) is '$' or '@'; ahead++)
        {
            dollars += Peek(ahead) == '$' ? 1 : 0;
            verbatim |= Peek(ahead) == '@';
        }

        return Peek(ahead) == '"';
    }

    private void ScanString(int dollars, bool verbatim)
    {
        while (Peek() is '$' or '@')
            Move(_code, 1);

        var quotes = 0;
        while (Peek(quotes) == '"')
            quotes++;

        // Two quotes are an empty string, not the start of a raw one.
        var isRaw = quotes >= 3 && !verbatim;
        quotes = isRaw ? quotes : 1;
        Move(_code, quotes);
        ScanContent(new string('"', quotes), isRaw, dollars, verbatim);
        Move(_code, quotes);
    }

    private void ScanContent(string closing, bool isRaw, int dollars, bool verbatim)
    {
        // A hole opens with as many braces as the string has dollars; a plain string doubles a brace to mean it.
        var opening = new string('{', Math.Max(dollars, 1));
        while (_at < Text.Length)
        {
            if (verbatim && Sees("\"\""))
                Move(_strings, 2);
            else if (Sees(closing))
                return;
            else if (!isRaw && !verbatim && Peek() == '\\')
                Move(_strings, 2);
            else if (dollars > 0 && !isRaw && Sees("{{"))
                Move(_strings, 2);
            else if (dollars > 0 && Sees(opening))
            {
                Move(_code, opening.Length);
                ScanCode(insideHole: true);
                Move(_code, opening.Length);
            }
            else
                Move(_strings, 1);
        }
    }
}
