using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>The changelog for users: its form, and that it knows the version which is built.</summary>
internal sealed class ChangelogTests
{
    private static readonly string Text = File.ReadAllText(Repository.PathOf("CHANGELOG.md"));

    [Test]
    public void Its_newest_version_is_that_of_the_product()
        => Assert.That(Versions()[0], Does.StartWith($"[{ProductVersion.Text.Split('+')[0]}] - "));

    [Test]
    public void Every_version_has_a_date_or_is_unreleased()
        => Assert.That(Versions(), Has.All.Match(@"^\[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2}|Unreleased)$"));

    [Test]
    public void Changes_are_of_the_usual_kinds()
        => Assert.That(Headings("###"), Is.Not.Empty.And.All.AnyOf(
            "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"));

    private static List<string> Versions() => Headings("##");

    private static List<string> Headings(string level)
        => [.. Regex.Matches(Text, $"^{level} (.+)$", RegexOptions.Multiline).Select(line => line.Groups[1].Value)];
}
