using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Configuration;

/// <summary>The file that users start from.</summary>
internal sealed class SampleFileTests
{
    [Test]
    public void The_example_in_the_repository_is_valid_and_warns_of_nothing()
    {
        var text = File.ReadAllText(Repository.PathOf("polybalance.yaml"));
        var result = Parsing.Parse(text);

        Assert.That(result.Errors.Concat(result.Warnings), Is.Empty);
        Assert.That(result.Options!.Clusters[0].Backends.Select(backend => backend.Name),
            Is.EqualTo((string[])["127.0.0.1:9001", "127.0.0.1:9002"]));
    }

    [Test]
    public void Its_first_line_tells_editors_where_the_schema_is()
    {
        const string Comment = "# yaml-language-server: $schema=";
        var line = File.ReadLines(Repository.PathOf("polybalance.yaml")).First();

        Assert.That(line, Does.StartWith(Comment));
        Assert.That(File.ReadAllText(Repository.PathOf(line[Comment.Length..])), Is.EqualTo(ConfigSchema.Write()));
    }
}
