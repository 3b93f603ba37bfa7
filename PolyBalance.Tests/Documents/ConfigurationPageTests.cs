using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>The configuration reference: made from the code, with examples that are right.</summary>
internal sealed class ConfigurationPageTests
{
    private const string Update = "POLYBALANCE_UPDATE_SURFACE";

    private static IEnumerable<string> Examples
        => Repository.Files("PolyBalance.Tests/Documents/Examples", "*.yaml").Select(Repository.Relative);

    [Test]
    public void The_page_is_what_the_code_says_of_its_keys()
    {
        var path = Repository.PathOf("docs", "configuration.md");
        var current = ConfigurationPage.Write();
        if (Environment.GetEnvironmentVariable(Update) == "1")
            File.WriteAllText(path, current);

        var written = File.Exists(path) ? File.ReadAllLines(path) : [];
        Assert.That(written, Is.EqualTo(current.TrimEnd('\n').Split('\n')),
            $"docs/configuration.md is stale; run the tests with {Update}=1 to write it");
    }

    [Test]
    public void Every_key_of_the_surface_is_on_the_page()
    {
        var page = ConfigurationPage.Write();

        foreach (var key in ConfigReference.Keys())
            Assert.That(page, Does.Contain($"| `{key.Name}` |"), key.Path);
        foreach (var section in ConfigurationPage.SectionPaths)
            Assert.That(page, Does.Contain($"# `{section}`\n"));
    }

    [TestCaseSource(nameof(Examples))]
    public async Task An_example_is_right_and_belongs_to_a_section(string path)
    {
        var text = await File.ReadAllTextAsync(Repository.PathOf(path));

        Assert.That(await ConfigPiece.ComplaintsAsync(text), Is.Empty);
        Assert.That(ConfigurationPage.SectionPaths.Select(ConfigurationPage.ExampleOf).Select(Repository.Relative),
            Does.Contain(path), "no section is shown with it");
    }

    [Test]
    public void Every_variable_that_stands_in_for_the_file_is_on_the_page()
    {
        var asked = new List<string>();
        ConfigOverrides.FromEnvironment(name =>
        {
            asked.Add(name);
            return null;
        });

        Assert.That(asked, Has.Count.GreaterThan(1));
        foreach (var name in asked)
            Assert.That(ConfigurationPage.Write(), Does.Contain($"`{name}`"));
    }
}
