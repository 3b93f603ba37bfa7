using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Architecture;

namespace PolyBalance.Tests.Documents;

/// <summary>What documents fence as code: configurations are right, and commands say that they are commands.</summary>
internal sealed class BlockTests
{
    private static IEnumerable<CodeBlock> Configurations
        => Page.All.SelectMany(Page.Blocks).Where(block => block.Language == "yaml");

    [TestCaseSource(nameof(Configurations))]
    public async Task A_configuration_in_a_document_passes_check(CodeBlock block)
        => Assert.That(await ConfigPiece.ComplaintsAsync(block.Text), Is.Empty);

    [Test]
    public void Commands_are_fenced_as_bash_or_powershell()
    {
        // Others are not looked at by CommandTests.
        var wrong = from block in Page.All.SelectMany(Page.Blocks)
                    where block.Language is not ("bash" or "powershell")
                        && Regex.IsMatch(block.Text, @"^(polybalance|dotnet|bash|curl|docker|kubectl|systemctl|apt)\b",
                            RegexOptions.Multiline)
                    select block;

        Findings.AreNone(wrong);
    }
}
