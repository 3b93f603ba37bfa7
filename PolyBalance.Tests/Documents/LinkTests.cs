using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Architecture;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Documents;

/// <summary>Links into a page lead to a heading of it; that pages exist, TidyTests see to.</summary>
internal sealed class LinkTests
{
    [Test]
    public void Every_link_into_a_page_leads_to_a_heading()
    {
        var wrong = from path in Repository.Files(".", "*.md")
                    from Match link in Regex.Matches(WithoutCode(path), @"\]\(([^)#\s:]*)#([^)\s]+)\)")
                    let target = link.Groups[1].Value
                    let page = target.Length == 0 ? path : Path.Combine(Path.GetDirectoryName(path)!, target)
                    where page.EndsWith(".md", StringComparison.Ordinal)
                        && !Headings(page).Contains(link.Groups[2].Value)
                    select $"{Repository.Relative(path)}: {link.Value}";

        Findings.AreNone(wrong);
    }

    [TestCase("Limits and timeouts", "limits-and-timeouts")]
    [TestCase("`clusters.<name>.backends[].health`", "clustersnamebackendshealth")]
    [TestCase("Sticky sessions (cookie)", "sticky-sessions-cookie")]
    public void A_heading_is_linked_as_GitHub_does(string heading, string expected)
        => Assert.That(AnchorOf(heading), Is.EqualTo(expected));

    private static HashSet<string> Headings(string page)
        => [.. Regex.Matches(WithoutCode(page), "^#{1,6} (.+)$", RegexOptions.Multiline)
            .Select(heading => AnchorOf(heading.Groups[1].Value))];

    private static string AnchorOf(string heading)
        => Regex.Replace(heading.Trim().ToLowerInvariant(), @"[^\w\- ]", "").Replace(' ', '-');

    private static string WithoutCode(string path)
        => Regex.Replace(File.ReadAllText(path), @"```[\s\S]*?```", "");
}
