using System.CommandLine.Parsing;
using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Tests.Architecture;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>What documents tell readers to type works: it is typed here, or it is said what shows it instead.</summary>
[Platform("Linux", Reason = "network namespaces")]
internal sealed class CommandTests
{
    /// <summary>What a line that begins so has to print: an exit code says little.</summary>
    private static readonly (string Line, string Pattern)[] Prints =
    [
        ("polybalance status", "^web .* [0-9.]+:[0-9]+ +healthy "),
        ("polybalance drain web-2 --wait", "web-2 is drained: nothing is in flight"),
        ("polybalance drain web-3 --wait", "web-3 is drained: nothing is in flight"),
        ("polybalance plan && polybalance reload", "reloaded: generation 2; nothing differs"),
        ("polybalance explain /cart", "It goes to web-[12]"),
        ("polybalance top", "2 of [23] eligible|1 of 2 eligible"),
        ("polybalance errors", "none since the start"),
        ("curl -s --parallel", "(hello from (fast|slow)\\s*){20}"),
        ("curl localhost:8000", "hello from web-[12]"),
    ];

    /// <summary>Programs that a test may start; everything else has to be in <see cref="OtherwiseShown"/>.</summary>
    private static readonly string[] Typeable = ["polybalance", "curl", "openssl", "promtool", "editor", "kill"];

    private static IEnumerable<CodeBlock> Blocks
        => Page.All.SelectMany(Page.Blocks).Where(block => block.Language == "bash" && Typed(block).Any());

    [TestCaseSource(nameof(Blocks))]
    public async Task Every_command_of_a_block_works(CodeBlock block)
    {
        var lines = Typed(block).ToList();
        Assert.That(lines.SelectMany(line => line.Programs).Except(Typeable), Is.Empty,
            "not typed for safety's sake: say in OtherwiseShown what shows that it works");
        foreach (var program in lines.SelectMany(line => line.Programs).Intersect(["curl", "openssl", "promtool"]))
            Programs.Find(program);

        await using var network = await DocumentedNetwork.StartAsync(lines);
        var result = await network.TypeAsync(lines);

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        var expected = Prints.Where(one => lines.Any(
            line => line.Text.StartsWith(one.Line, StringComparison.Ordinal)));
        foreach (var (line, pattern) in expected)
            Assert.That(result.Output, Does.Match($"(?m){pattern}"), line);
    }

    [TestCase("polybalance plan && polybalance reload", "polybalance polybalance")]
    [TestCase("curl localhost:8000 | apt install x", "curl apt")]
    [TestCase("polybalance backend --port 9001 &", "polybalance")]
    public void Which_programs_a_line_starts(string line, string expected)
        => Assert.That(string.Join(' ', new TypedLine("", line).Programs), Is.EqualTo(expected));

    [Test]
    public void Every_command_that_is_not_typed_is_in_a_document()
    {
        var written = Page.All.SelectMany(Page.Blocks).Where(block => block.Language == "bash")
            .SelectMany(TypedLine.Of).Select(line => line.Text);

        Assert.That(OtherwiseShown.All.Select(one => one.Command), Is.Unique.And.SubsetOf(written));
    }

    [Test]
    public void What_shows_a_command_instead_exists()
    {
        var steps = File.ReadAllText(Repository.PathOf(".ci", "run"));
        var tests = typeof(CommandTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance)
                .Where(method => method.IsDefined(typeof(NUnitAttribute)))
                .Select(method => $"{type.Name}.{method.Name}"))
            .ToHashSet();

        var wrong = from one in OtherwiseShown.All
                    where one.ShownBy.StartsWith(OtherwiseShown.Step, StringComparison.Ordinal)
                        ? !steps.Contains(one.ShownBy[OtherwiseShown.Step.Length..], StringComparison.Ordinal)
                        : !tests.Contains(one.ShownBy)
                    select $"{one.Command}: there is no {one.ShownBy}";

        Findings.AreNone(wrong);
    }

    [Test]
    public void Every_command_of_ours_in_a_sentence_is_understood()
    {
        var found = (from page in Page.All
                     from part in Page.Inline(page)
                     where Regex.IsMatch(part.Text, "^polybalance( |$)")
                     let typed = part.Text.Split('>')[0].Trim()
                     select (Place: $"{page}:{part.Line}", Typed: typed)).ToList();
        Assert.That(found, Has.Count.AtLeast(10));

        var wrong = from one in found
                    let arguments = CommandLineParser.SplitCommandLine(one.Typed).Skip(1).ToArray()
                    from error in CommandLine.Parse(arguments, Surroundings.OfProcess([])).Errors
                    select $"{one.Place}: `{one.Typed}`: {error.Message}";

        Findings.AreNone(wrong);
    }

    [Test]
    public async Task The_benchmarks_say_what_they_can()
    {
        // …/bin/Release/net10.0/ of the tests, and the same of the benchmarks.
        var framework = new DirectoryInfo(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var executable = Repository.PathOf(
            "PolyBalance.Benchmarks", "bin", framework.Parent!.Name, framework.Name, "PolyBalance.Benchmarks.dll");
        Assert.That(executable, Does.Exist, "build the solution, not the tests alone");

        var result = await RunningProgram.RunAsync("dotnet", executable, "--help");

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(result.Output, Does.Contain("compare"));
    }

    private static IEnumerable<TypedLine> Typed(CodeBlock block)
        => TypedLine.Of(block).Where(line => !OtherwiseShown.All.Any(one => one.Command == line.Text));
}
