using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Architecture;

/// <summary>Names and prose use the words of the vocabulary and no others.</summary>
internal sealed class WordTests
{
    /// <summary>Names that keep a banned word, each with its reason.</summary>
    private static readonly Dictionary<string, string> NamesThatMay = new()
    {
        ["Strategy"] = "the flag -strategy and POLYBALANCE_STRATEGY are spelled so for compatibility",
        ["ClientHeader"] = "the config key client_header is spelled so",
        ["Alive"] = "what /healthz says of this process; a backend is healthy or eligible",
        ["Http2Settings"] = "the name of a field, RFC 7540",
    };

    /// <summary>Types that keep an empty suffix, each with its reason.</summary>
    private static readonly Dictionary<string, string> TypesThatMay = new()
    {
        ["SelectionContext"] = "the circumstances of one selection, and nothing else",
    };

    /// <summary>Documents that explain why a word is not used.</summary>
    private static readonly string[] ExplainingWords =
        ["README.md", "PolyBalance.Core/decisions/0009-client-and-backend.md"];

    private const RegexOptions IgnoreCase = RegexOptions.IgnoreCase;

    private static readonly Assembly[] Product = [DeclaredNames.Core, DeclaredNames.Host];

    [Test]
    public void Declared_names_use_the_vocabulary()
    {
        var wrong = from named in ChosenNames()
                    where !NamesThatMay.Keys.Any(may => named.Name.StartsWith(may, StringComparison.OrdinalIgnoreCase))
                    let words = Vocabulary.WordsOf(Regex.Replace(named.Name, "KeepAlive|HeaderSection", "", IgnoreCase))
                    from ban in Vocabulary.InNames
                    where words.Contains(ban.Word, StringComparer.OrdinalIgnoreCase)
                    select $"{named.Where}: `{ban.Word}` in `{named.Name}`; write {ban.Instead}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Acronyms_are_written_like_words()
    {
        var wrong = from named in ChosenNames()
                    where Vocabulary.ShoutedAcronym.IsMatch(named.Name)
                    select $"{named.Where}: `{named.Name}`";

        Findings.AreNone(wrong);
    }

    [Test]
    public void No_type_ends_in_a_word_that_says_nothing()
    {
        var wrong = from type in Product.SelectMany(DeclaredNames.TypesOf)
                    let last = Vocabulary.WordsOf(BareName(type)).LastOrDefault()
                    where Vocabulary.EmptySuffixes.Contains(last) && !TypesThatMay.ContainsKey(BareName(type))
                    select $"{type.FullName}: what does it do? `{last}` does not say";

        Findings.AreNone(wrong);
    }

    [Test]
    public void No_type_shares_a_name_with_a_folder_of_ours_or_with_the_network_libraries()
    {
        var folders = SourceFolders().Select(folder => Path.GetFileName(folder)!);
        var library = new[] { typeof(System.Net.IPAddress), typeof(HttpClient), typeof(System.Net.WebUtility) }
            .SelectMany(type => type.Assembly.GetExportedTypes())
            .Where(type => type.Namespace is "System.Net" or "System.Net.Http")
            .Select(type => type.Name);
        var taken = folders.Concat(library).ToHashSet();

        var wrong = Product.SelectMany(DeclaredNames.TypesOf).Where(type => taken.Contains(BareName(type)));

        Findings.AreNone(wrong);
    }

    [Test]
    public void No_folder_is_a_drawer()
    {
        var wrong = SourceFolders().Where(folder => Vocabulary.Drawers.Contains(Path.GetFileName(folder)))
            .Select(Repository.Relative);

        Findings.AreNone(wrong);
    }

    [Test]
    public void Code_uses_the_vocabulary_also_for_locals()
    {
        var wrong = from file in WordedSources()
                    from ban in Vocabulary.InCode
                    from Match match in ban.Pattern.Matches(file.Code)
                    select $"{file.Path}:{file.LineOf(match.Index)}: `{match.Value}`; write {ban.Instead}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Comments_use_the_vocabulary()
    {
        var wrong = from file in WordedSources()
                    from found in InProse(file.Comments)
                    select $"{file.Path}:{file.LineOf(found.Index)}: `{found.Word}`; write {found.Instead}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Documents_use_the_vocabulary()
    {
        var wrong = from path in Repository.Files(".", "*.md")
                    let name = Repository.Relative(path)
                    where !ExplainingWords.Contains(name)
                    let text = File.ReadAllText(path)
                    from found in InProse(text)
                    let line = text.AsSpan(0, found.Index).Count('\n') + 1
                    select $"{name}:{line}: `{found.Word}`; write {found.Instead}";

        Findings.AreNone(wrong);
    }

    [TestCase("the upstream server", true)]
    [TestCase("`upstream` as others call it", false)]
    [TestCase("<c>payload</c>", false)]
    [TestCase("the header section and its field lines", false)]
    [TestCase("copies all headers", true)]
    [TestCase("RFC 7239 §4", false)]
    [TestCase("RFC 7230 §4", true)]
    public void What_counts_as_using_a_banned_word(string prose, bool expected)
        => Assert.That(InProse(prose).Any(), Is.EqualTo(expected));

    // The two files that hold the ban list and its examples may spell it out.
    private static IEnumerable<SourceFile> WordedSources()
        => SourceFile.In("PolyBalance.Core", "PolyBalance.Host", "PolyBalance.Tests", "PolyBalance.Benchmarks")
            .Where(file => Path.GetFileName(file.Path) is not ("Vocabulary.cs" or "WordTests.cs"));

    private static IEnumerable<string> SourceFolders()
        => new[] { "PolyBalance.Core", "PolyBalance.Host", "PolyBalance.Tests", "PolyBalance.Benchmarks" }
            .SelectMany(project => Repository.Files(project, "*.cs"))
            .Select(file => Path.GetDirectoryName(file)!)
            .Distinct();

    private static IEnumerable<(string Where, string Name)> ChosenNames()
    {
        foreach (var type in Product.SelectMany(DeclaredNames.TypesOf))
        {
            yield return (type.FullName!, BareName(type));
            foreach (var member in DeclaredNames.MembersOf(type).Where(member => member is not ConstructorInfo))
                yield return ($"{type.FullName}.{member.Name}", member.Name);
            foreach (var parameter in DeclaredNames.ParametersOf(type))
                yield return ($"{type.FullName}.{parameter.Member.Name}({parameter.Name})", parameter.Name!);
        }
    }

    private static IEnumerable<(int Index, string Word, string Instead)> InProse(string text)
    {
        var prose = Regex.Replace(text, @"```[\s\S]*?```|`[^`\n]*`|<c>.*?</c>|<see[^>]*>|<code>[\s\S]*?</code>", Blank);
        return from ban in Vocabulary.InProse
               from Match match in ban.Pattern.Matches(prose)
               select (match.Index, match.Value, ban.Instead);
    }

    private static string Blank(Match match) => Regex.Replace(match.Value, @"[^\n]", " ");

    private static string BareName(Type type) => type.Name.Split('`')[0];
}
