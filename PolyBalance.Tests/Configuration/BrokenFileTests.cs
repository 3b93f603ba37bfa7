using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Configuration;

/// <summary>
/// Files as people break them, each with every error and warning that it is answered with, word for word. The lines
/// <c># error</c> and <c># warning</c> at the top of a file are what is expected.
/// </summary>
internal sealed class BrokenFileTests
{
    private const string Error = "# error ";
    private const string Warning = "# warning ";

    private static IEnumerable<string> Names
        => Repository.Files("PolyBalance.Tests/Configuration/Broken", "*.yaml")
            .Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Names))]
    public void A_mistake_is_told_with_its_place_and_its_remedy_and_nothing_else_is(string name)
    {
        var text = Read(name);
        var result = Parsing.Parse(text);

        Assert.That(Parsing.Lines(result.Errors), Is.EqualTo(Expected(text, Error)));
        Assert.That(Parsing.Lines(result.Warnings), Is.EqualTo(Expected(text, Warning)));
        Assert.That(result.Errors, Is.Not.Empty);
        Assert.That(result.Errors.Select(error => error.Remedy), Has.None.Empty);
    }

    [Test]
    public void There_are_two_hundred_of_them_and_no_two_are_the_same()
    {
        var broken = Names.Select(Read)
            .Select(text => string.Join('\n', text.Split('\n').SkipWhile(line => line.StartsWith('#'))))
            .ToList();

        Assert.That(broken, Is.Unique);
        Assert.That(broken, Has.Count.GreaterThanOrEqualTo(200));
    }

    /// <summary>What spans keys, what a pattern cannot say, and what no JSON can hold is left to the readers.</summary>
    [Test]
    public void An_editor_marks_most_of_those_that_are_yaml()
    {
        var readable = Names.Select(Read).Where(SchemaCheck.IsYaml).ToList();
        var unmarked = readable.Count(text => SchemaCheck.Fits(text));

        Assert.That(readable, Has.Count.GreaterThanOrEqualTo(150));
        Assert.That(unmarked / (double)readable.Count, Is.LessThan(0.25), $"{unmarked} of {readable.Count}");
    }

    private static string Read(string name)
        => File.ReadAllText(Repository.PathOf("PolyBalance.Tests", "Configuration", "Broken", name + ".yaml"));

    private static IEnumerable<string> Expected(string text, string mark)
        => text.Split('\n').TakeWhile(line => line.StartsWith('#'))
            .Where(line => line.StartsWith(mark, StringComparison.Ordinal)).Select(line => line[mark.Length..]);
}
