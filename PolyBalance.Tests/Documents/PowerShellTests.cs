using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Documents;

/// <summary>
/// Blocks of PowerShell do what the block of bash before them does: each is read as a list of steps, and the lists are
/// the same. Those of bash are typed by CommandTests; PowerShell itself is not at hand everywhere.
/// </summary>
internal sealed class PowerShellTests
{
    private static readonly Regex Requests = new(
        @"^1\.\.(?<count>\d+) \| ForEach-Object -Parallel \{ Invoke-RestMethod http://(?<address>[\w.:]+) "
        + @"-MaximumRetryCount \d+ -RetryIntervalSec \d+ \}$");

    private static IEnumerable<CodeBlock> Blocks
        => Page.All.SelectMany(Page.Blocks).Where(block => block.Language == "powershell");

    [TestCaseSource(nameof(Blocks))]
    public void A_block_has_the_steps_of_the_block_of_bash_before_it(CodeBlock block)
    {
        var twin = Page.Blocks(block.Page).TakeWhile(other => other.Line < block.Line).Last();
        Assert.That(twin.Language, Is.EqualTo("bash"));

        // A line that begins with a blank goes on with the one before.
        var statements = Regex.Replace(block.Text, @"\n +", " ").TrimEnd('\n').Split('\n');
        Assert.That(
            statements.SelectMany(OfPowerShell), Is.EqualTo(TypedLine.Of(twin).Select(line => OfBash(line.Text))));
    }

    [TestCase("Get-ChildItem")]
    [TestCase("1..20 | ForEach-Object { Invoke-RestMethod http://localhost:8000 }")]
    public void A_statement_that_is_not_known_here_is_no_step(string statement)
        => Assert.That(() => OfPowerShell(statement).ToList(), Throws.TypeOf<NotSupportedException>());

    private static string[] OfPowerShell(string statement)
    {
        var isStart = Regex.IsMatch(statement,
            @"^\$started = (""[^""]+"",? ?)+\| ForEach-Object "
            + @"\{ Start-Process polybalance -PassThru -ArgumentList \$_ \}$");
        return statement switch
        {
            "$started | Stop-Process" => ["stop what was started"],
            _ when isStart
                => [.. Regex.Matches(statement, "\"([^\"]+)\"").Select(one => $"start {one.Groups[1].Value}")],
            _ when Requests.Match(statement) is { Success: true } found
                => [$"{found.Groups["count"].Value} requests to {found.Groups["address"].Value}"],
            _ when statement.StartsWith("polybalance ", StringComparison.Ordinal) => [statement],
            _ => throw new NotSupportedException($"{statement}: no test knows what it does in bash"),
        };
    }

    private static string OfBash(string line)
    {
        var start = Regex.Match(line, @"^polybalance (.+?)( > \S+)? &$");
        var requests = Regex.Match(line, @"^curl .*""([\w.:]+)/\?\[1-(\d+)\]""$");
        return start.Success ? $"start {start.Groups[1].Value}"
            : requests.Success ? $"{requests.Groups[2].Value} requests to {requests.Groups[1].Value}"
            : Regex.IsMatch(line, @"^kill( %\d)+$") ? "stop what was started"
            : line;
    }
}
