using System.Text.RegularExpressions;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>A block of a document that is fenced as code.</summary>
/// <param name="Page">The document, relative to the root.</param>
/// <param name="Line">The 1-based line of the fence.</param>
/// <param name="Language">What it says it is; empty when it says nothing.</param>
/// <param name="Text">What is in it; ends in a line feed.</param>
internal sealed record CodeBlock(string Page, int Line, string Language, string Text)
{
    /// <summary>Where it is, as the name of a test case.</summary>
    public override string ToString() => $"{Page}:{Line}";
}

/// <summary>Documents that people read who operate PolyBalance, and what they are told to write or to type.</summary>
internal static class Page
{
    /// <summary>Those documents, relative to the root.</summary>
    public static IEnumerable<string> All
        => [.. Directory.GetFiles(Repository.Root, "*.md").Select(Repository.Relative).Order(StringComparer.Ordinal),
            .. Repository.Files("docs", "*.md").Select(Repository.Relative),
            .. Repository.Files("deploy", "*.md").Select(Repository.Relative)];

    /// <summary>The fenced blocks of a document, in their order.</summary>
    /// <param name="page">Relative to the root.</param>
    public static IEnumerable<CodeBlock> Blocks(string page)
    {
        var text = Read(page);
        return Regex.Matches(text, @"^```(\w*)\n([\s\S]*?)^```$", RegexOptions.Multiline).Select(match => new CodeBlock(
            page, LineOf(text, match.Index), match.Groups[1].Value, match.Groups[2].Value));
    }

    /// <summary>What stands between single backticks in a document, with its line.</summary>
    /// <param name="page">Relative to the root.</param>
    public static IEnumerable<(int Line, string Text)> Inline(string page)
    {
        var text = Regex.Replace(Read(page), @"```[\s\S]*?```", block => Regex.Replace(block.Value, "[^\n]", " "));
        return Regex.Matches(text, "`([^`\n]+)`").Select(match => (LineOf(text, match.Index), match.Groups[1].Value));
    }

    private static string Read(string page) => File.ReadAllText(Repository.PathOf(page));

    private static int LineOf(string text, int index) => text.AsSpan(0, index).Count('\n') + 1;
}
