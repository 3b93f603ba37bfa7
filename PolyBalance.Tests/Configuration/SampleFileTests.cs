using NUnit.Framework;
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
}
