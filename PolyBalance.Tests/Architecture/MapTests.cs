using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Architecture;

/// <summary>
/// PolyBalance.Core/README.md is the map of the house, and PolyBalance.Host/README.md that of its door; they name what
/// exists, where it is.
/// </summary>
internal sealed class MapTests
{
    private const int StepCount = 16;

    private static readonly string Map = MapOf("PolyBalance.Core");

    private static readonly string[] LibraryNames =
        ["Interlocked", "ConcurrentDictionary", "PipeReader", "PipeWriter"];

    private static readonly Regex StepLine =
        new(@"^(?<step>\d+)\. \*\*[^*]+\*\*(?<text>.*(\n   .*)*)", RegexOptions.Multiline);
    private static readonly Regex Marker = new(@"// :: (\d+)\b");
    private static readonly Regex InBackticks = new("`([^`\n]+)`");
    private static readonly Regex FileName = new(@"^[\w./]+\.cs$");
    private static readonly Regex MemberName = new(@"^(?<type>[A-Z]\w+)(\.(?<member>\w+))?$");

    [Test]
    public void The_request_path_has_all_its_steps_in_order()
        => Assert.That(Steps().Select(step => step.Number), Is.EqualTo(Enumerable.Range(1, StepCount)));

    [Test]
    public void Each_step_is_marked_once_in_the_first_file_that_it_names()
    {
        var marked = Markers();

        var wrong = from step in Steps()
                    let expected = NamesIn(step.Text).First(name => FileName.IsMatch(name))
                    let found = marked.Where(mark => mark.Step == step.Number).ToList()
                    where found.Count != 1 || !IsFile(found[0].Path, expected)
                    select $"step {step.Number}: `// :: {step.Number}` should be in {expected} once; it is in "
                        + $"[{string.Join(", ", found.Select(mark => mark.Path))}]";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Each_marker_in_the_code_is_a_step_of_the_map()
        => Findings.AreNone(Markers().Where(mark => mark.Step is < 1 or > StepCount));

    [Test]
    public void Each_step_names_members_of_the_files_it_names()
    {
        var wrong = from step in Steps()
                    let names = NamesIn(step.Text).ToList()
                    let code = string.Join('\n', names.Where(name => FileName.IsMatch(name)).SelectMany(CodeOf))
                    from name in names
                    where MemberName.IsMatch(name) && !FileName.IsMatch(name)
                    let last = name.Split('.')[^1]
                    where !Regex.IsMatch(code, $@"\b{last}\b")
                    select $"step {step.Number}: `{name}` is in none of its files";

        Findings.AreNone(wrong);
    }

    [TestCase("PolyBalance.Core")]
    [TestCase("PolyBalance.Host")]
    public void Every_file_that_the_map_names_exists(string project)
    {
        var files = SourceFile.In("PolyBalance.Core", "PolyBalance.Host").Select(file => file.Path).ToList();
        var map = MapOf(project);

        var wrong = NamesIn(map).Concat(TreeNames(map))
            .Where(name => FileName.IsMatch(name) && !files.Any(file => IsFile(file, name)));

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_type_and_member_that_the_map_names_exists()
    {
        var types = DeclaredNames.Core.GetTypes().ToLookup(type => type.Name.Split('`')[0]);
        var members = DeclaredNames.Core.GetTypes().SelectMany(MembersOf).ToHashSet();

        var wrong = from name in NamesIn(Map)
                    where !FileName.IsMatch(name)
                    let match = MemberName.Match(name)
                    where match.Success
                    let type = match.Groups["type"].Value
                    let member = match.Groups["member"].Value
                    where member.Length > 0
                        ? types.Contains(type) && !types[type].SelectMany(MembersOf).Contains(member)
                        : !types.Contains(type) && !members.Contains(type) && !IsFolderOrLibrary(type)
                    select name;

        Findings.AreNone(wrong);
    }

    [TestCase("PolyBalance.Core")]
    [TestCase("PolyBalance.Host")]
    public void Every_file_is_on_the_map(string project)
    {
        var map = MapOf(project);
        var names = NamesIn(map).Concat(TreeNames(map)).Where(name => FileName.IsMatch(name)).ToHashSet();

        var missing = SourceFile.In(project).Select(file => file.Path)
            .Where(path => !names.Any(name => IsFile(path, name)));

        Findings.AreNone(missing);
    }

    private static string MapOf(string project) => File.ReadAllText(Repository.PathOf(project, "README.md"));

    private static IEnumerable<(int Number, string Text)> Steps()
        => StepLine.Matches(Map)
            .Select(match => (int.Parse(match.Groups["step"].Value, provider: null), match.Groups["text"].Value));

    private static List<(int Step, string Path)> Markers()
        => [.. from file in SourceFile.In("PolyBalance.Core")
               from Match match in Marker.Matches(file.Comments)
               select (int.Parse(match.Groups[1].Value, provider: null), file.Path)];

    private static IEnumerable<string> NamesIn(string text)
        => InBackticks.Matches(Regex.Replace(text, @"```[\s\S]*?```", "")).Select(match => match.Groups[1].Value);

    // The tree is a code block; its file names stand without backticks.
    private static IEnumerable<string> TreeNames(string map)
        => Regex.Matches(map, @"```[\s\S]*?```").SelectMany(block => Regex.Matches(block.Value, @"[\w/]+\.cs\b"))
            .Select(match => match.Value);

    private static IEnumerable<string> CodeOf(string name)
        => SourceFile.In("PolyBalance.Core").Where(file => IsFile(file.Path, name)).Select(file => file.Code);

    private static bool IsFile(string path, string name)
        => path == name || path.EndsWith("/" + name, StringComparison.Ordinal);

    private static IEnumerable<string> MembersOf(Type type)
        => type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)
            .Select(member => member.Name);

    private static bool IsFolderOrLibrary(string name)
        => Directory.Exists(Repository.PathOf("PolyBalance.Core", name)) || LibraryNames.Contains(name);

}
