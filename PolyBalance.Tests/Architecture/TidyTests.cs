using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Architecture;

/// <summary>The size and shape of files: what a reviewer should not have to say.</summary>
internal sealed class TidyTests
{
    private const int ColumnsMax = 120;
    private const int MethodLinesMax = 70;
    private const int FileLinesMax = 400;

    private static readonly string[] Projects =
        ["PolyBalance.Core", "PolyBalance.Host", "PolyBalance.Tests", "PolyBalance.Benchmarks"];

    /// <summary>Files that may be longer, each with its reason.</summary>
    private static readonly Dictionary<string, string> LongFiles = [];

    [Test]
    public void Lines_fit_a_screen()
    {
        var wrong = from file in SourceFile.In(Projects)
                    let tables = Tables(file)
                    from line in file.Lines.Index()
                    where line.Item.Length > ColumnsMax && !tables.Contains(line.Index)
                    select $"{file.Path}:{line.Index + 1}: {line.Item.Length} columns; {ColumnsMax} are the limit";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Methods_fit_a_screen()
    {
        var wrong = from file in SourceFile.In(Projects)
                    from member in SourceMembers.Of(file)
                    where member.IsMethod && member.LineCount > MethodLinesMax
                    select $"{file.Path}:{member.FirstLine}: {member.Name} has {member.LineCount} lines; split it at "
                        + $"{MethodLinesMax}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Files_can_be_read_at_once()
    {
        var wrong = from file in SourceFile.In(Projects)
                    let count = file.Lines.Length - 1
                    where count > FileLinesMax && !LongFiles.ContainsKey(file.Path)
                    select $"{file.Path}: {count} lines; {FileLinesMax} are the limit";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Lines_end_in_line_feeds_and_files_in_one()
    {
        var wrong = from file in SourceFile.In(Projects)
                    where file.Text.Contains('\r') || !file.Text.EndsWith('\n')
                        || file.Text.EndsWith("\n\n", StringComparison.Ordinal)
                    select file.Path;

        Findings.AreNone(wrong);
    }

    [Test]
    public void Nothing_is_left_for_later()
    {
        var wrong = from path in Projects.SelectMany(project => Repository.Files(project, "*"))
                        .Concat(Repository.Files(".ci", "*")).Concat(Repository.Files(".build", "*"))
                        .Append(Repository.PathOf("README.md"))
                    where Path.GetExtension(path) is ".cs" or ".md" or ".csproj" or ".yaml" or ""
                        && Path.GetFileName(path) != "Vocabulary.cs"
                    from line in File.ReadLines(path).Index()
                    where Vocabulary.Leftovers.IsMatch(line.Item)
                    select $"{Repository.Relative(path)}:{line.Index + 1}: do it, or write it down as an issue";

        Findings.AreNone(wrong);
    }

    [Test]
    public void The_product_is_compiled_one_way_only()
    {
        var wrong = from file in SourceFile.In("PolyBalance.Core", "PolyBalance.Host")
                    from Match match in Regex.Matches(file.Code, @"^\s*#(if|region)\b", RegexOptions.Multiline)
                    select $"{file.Path}:{file.LineOf(match.Index)}: no conditional code and no regions";

        Findings.AreNone(wrong);
    }

    [Test]
    public void A_file_has_one_namespace_and_it_is_its_folder()
    {
        var wrong = from file in SourceFile.In(Projects)
                    let folder = Path.GetDirectoryName(file.Path)!.Replace('\\', '/').Replace('/', '.')
                    let expected = folder.Replace("PolyBalance.Core", "PolyBalance", StringComparison.Ordinal)
                    let found = Regex.Match(file.Code, @"^namespace ([\w.]+);", RegexOptions.Multiline).Groups[1].Value
                    where found != expected && !HasOnlyStatements(file)
                    select $"{file.Path}: namespace `{found}` should be `{expected}`";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_test_can_fail()
    {
        var members = SourceFile.In("PolyBalance.Tests")
            .SelectMany(file => SourceMembers.Of(file).Select(member => (file.Path, Member: member)))
            .Where(found => found.Member.IsMethod)
            .ToList();
        var asserting = AssertingMethods([.. members.Select(found => found.Member)]);

        var wrong = from found in members
                    where IsTest(found.Member) && !asserting.Contains(found.Member.Name)
                        && !found.Member.Header.Contains("ExpectedResult", StringComparison.Ordinal)
                    select $"{found.Path}:{found.Member.FirstLine}: {found.Member.Name} asserts nothing";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_document_has_one_title()
    {
        var wrong = from path in Repository.Files(".", "*.md")
                    let text = Regex.Replace(File.ReadAllText(path), @"```[\s\S]*?```", "")
                    let titles = Regex.Count(text, "^# ", RegexOptions.Multiline)
                    where titles != 1 || !text.StartsWith("# ", StringComparison.Ordinal)
                    select $"{Repository.Relative(path)}: {titles} titles; one, on the first line, is right";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_link_in_a_document_leads_somewhere()
    {
        var wrong = from path in Repository.Files(".", "*.md")
                    let text = Regex.Replace(File.ReadAllText(path), @"```[\s\S]*?```|`[^`\n]*`", "")
                    from Match link in Regex.Matches(text, @"\]\(([^)#\s]+)(#[^)]*)?\)")
                    let target = link.Groups[1].Value
                    where !target.Contains("://", StringComparison.Ordinal)
                        && !Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, target))
                    select $"{Repository.Relative(path)}: {target}";

        Findings.AreNone(wrong);
    }

    // An entry point of statements, or attributes of the assembly.
    private static bool HasOnlyStatements(SourceFile file)
        => !Regex.IsMatch(file.Code, @"^namespace |\bclass ", RegexOptions.Multiline);

    private static bool IsTest(SourceMember member)
        => Regex.IsMatch(member.Header, @"\[[^\]]*\b(Test|TestCase|TestCaseSource|Property|Theory)\b");

    /// <summary>Names of methods that assert, themselves or through another method of the tests.</summary>
    private static HashSet<string> AssertingMethods(List<SourceMember> methods)
    {
        var asserting = methods
            .Where(method => Regex.IsMatch(method.Body, @"\bAssert\.|\bCheck\.|\bThrowOnFailure\b"))
            .Select(method => method.Name)
            .ToHashSet();

        for (var before = -1; before != asserting.Count;)
        {
            before = asserting.Count;
            var callers = methods.Where(method => Regex.Matches(method.Body, @"\b(\w+)\s*(<[\w, ]+>)?\(")
                .Any(call => asserting.Contains(call.Groups[1].Value)));
            asserting.UnionWith(callers.Select(method => method.Name).ToList());
        }

        return asserting;
    }

    /// <summary>
    /// Lines whose columns are laid out by hand: 0-based, between `disable format` and `restore format`.
    /// </summary>
    private static HashSet<int> Tables(SourceFile file)
    {
        var inside = false;
        var lines = new HashSet<int>();
        foreach (var (index, line) in file.Lines.Index())
        {
            inside = inside
                ? !line.Contains("#pragma warning restore format", StringComparison.Ordinal)
                : line.Contains("#pragma warning disable format", StringComparison.Ordinal);
            if (inside)
                lines.Add(index);
        }

        return lines;
    }
}
