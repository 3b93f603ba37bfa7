using NUnit.Framework;

namespace PolyBalance.Tests.Architecture;

/// <summary>What a look at the whole tree found wrong, all of it, one finding per line.</summary>
internal static class Findings
{
    /// <summary>Fails with every finding.</summary>
    public static void AreNone<T>(IEnumerable<T> wrong)
    {
        var findings = wrong.Select(finding => $"{finding}").Distinct().ToList();

        Assert.That(findings.Count, Is.Zero, string.Join("\n  ", findings.Prepend("")));
    }
}
