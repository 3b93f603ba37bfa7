using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Architecture;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Scenarios;

/// <summary>The truth tables of LIFECYCLE.md and the scenarios are one list, row by row.</summary>
internal sealed class LifecycleTests
{
    private static readonly Regex Row = new(@"^\| (?<name>[^|]+?) +\|(?<cells>.*)\|$", RegexOptions.Multiline);

    [Test]
    public void Every_row_of_the_truth_tables_is_a_scenario()
        => Findings.AreNone(Rows().Except(Scenarios()));

    [Test]
    public void Every_scenario_is_a_row_of_the_truth_tables()
        => Findings.AreNone(Scenarios().Except(Rows()));

    [Test]
    public void No_row_is_there_twice_and_no_cell_is_empty()
    {
        var twice = Rows().GroupBy(name => name).Where(rows => rows.Count() > 1).Select(rows => $"{rows.Key}: twice");
        var empty = Row.Matches(Text())
            .Where(row => row.Groups["cells"].Value.Split('|').Any(string.IsNullOrWhiteSpace))
            .Select(row => $"{row.Groups["name"].Value}: an empty cell");

        Findings.AreNone(twice.Concat(empty));
    }

    private static string Text() => File.ReadAllText(Repository.PathOf("PolyBalance.Core", "Proxy", "LIFECYCLE.md"));

    // The first cell is the name of the test, in plain words.
    private static IEnumerable<string> Rows()
        => Row.Matches(Text())
            .Select(row => row.Groups["name"].Value)
            .Where(name => name != "what happens" && !name.StartsWith('-'))
            .Select(name => Regex.Replace(name.Replace("'", "", StringComparison.Ordinal), "[^A-Za-z0-9]+", "_"));

    private static IEnumerable<string> Scenarios()
        => typeof(ScenarioTests).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(ScenarioTests)))
            .SelectMany(type => type.GetMethods())
            .Where(method => method.IsDefined(typeof(TestAttribute), inherit: false)
                || method.IsDefined(typeof(TestCaseAttribute), inherit: false))
            .Select(method => method.Name);
}
