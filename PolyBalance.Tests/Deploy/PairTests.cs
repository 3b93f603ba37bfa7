using System.Globalization;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Host;

namespace PolyBalance.Tests.Deploy;

/// <summary>The files of the keepalived pairs agree with each other; FailoverTests run them.</summary>
internal sealed class PairTests
{
    private static readonly string[] Pairs = ["active-passive", "active-active"];

    [Test]
    public async Task The_configuration_of_the_gateways_is_valid()
    {
        using var run = new CommandLineRun();
        run.File("sticky.keys", "0123456789-0123456789-0123456789-01\n");
#pragma warning disable CA1416 // Only where there are file modes.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(Path.Combine(run.Folder, "sticky.keys"), UnixFileMode.UserRead);
#pragma warning restore CA1416
        run.File("polybalance.yaml", DeployFiles.Text("keepalived/polybalance.yaml")
            .Replace("/etc/polybalance/", "", StringComparison.Ordinal));

        Assert.That(await run.RunAsync("check"), Is.Zero, string.Join('\n', run.Errors));
        Assert.That(run.Errors, Is.Empty);
    }

    /// <summary>What differs between the nodes of a pair is their name, their priorities, and who is who.</summary>
    [TestCaseSource(nameof(Pairs))]
    public void The_nodes_of_a_pair_mirror_each_other(string pair)
    {
        var (a, b) = (Read(pair, "node-a"), Read(pair, "node-b"));

        Assert.That(Values(a, "virtual_router_id"), Is.Unique.And.EqualTo(Values(b, "virtual_router_id")));
        Assert.That(Values(a, "advert_int"), Is.EqualTo(Values(b, "advert_int")));
        Assert.That(Addresses(a), Is.Unique.And.EqualTo(Addresses(b)));
        Assert.That(Values(a, "unicast_src_ip").Distinct(), Is.EqualTo(Peers(b).Distinct()));
        Assert.That(Values(b, "unicast_src_ip").Distinct(), Is.EqualTo(Peers(a).Distinct()));
        Assert.That(Values(a, "priority").Zip(Values(b, "priority")), Has.All.Matches<(string A, string B)>(
            priorities => priorities.A != priorities.B));
        Assert.That(a.Contains("nopreempt", StringComparison.Ordinal), Is.EqualTo(pair == "active-passive"));
    }

    [Test]
    public void Of_two_active_nodes_each_comes_first_for_one_address()
        => Assert.That(
            Values(Read("active-active", "node-a"), "priority"),
            Is.EqualTo(Values(Read("active-active", "node-b"), "priority").Reverse()));

    [TestCaseSource(nameof(Pairs))]
    public void An_address_moves_within_three_seconds_and_before_a_gateway_that_stops_refuses(string pair)
    {
        var text = Read(pair, "node-b");
        var checks = Number(text, "interval") * Number(text, "fall");
        var advert = Number(text, "advert_int");

        // Who steps back says so, and the other one takes over after a part of advert_int.
        Assert.That(checks + advert, Is.LessThan(3));
        // A node that says nothing any more is missed after three of them and that part.
        Assert.That(4 * advert, Is.LessThan(3));

        var delay = DeployFiles.Seconds(
            DeployFiles.Documents("keepalived/polybalance.yaml")[0].Text("shutdown/delay"));
        Assert.That(delay, Is.AtLeast(checks + advert + 1));

        var curl = Regex.Match(DeployFiles.Text("keepalived/check-polybalance"), @"--max-time ([\d.]+)");
        Assert.That(double.Parse(curl.Groups[1].Value, CultureInfo.InvariantCulture),
            Is.LessThan(Number(text, "timeout")), "the check says no before it is killed");
    }

    private static string Read(string pair, string node)
        => Regex.Replace(DeployFiles.Text($"keepalived/{pair}/{node}.conf"), @"#.*", "");

    private static string[] Values(string text, string key)
        => [.. Regex.Matches(text, $@"^\s*{key} (\S+)$", RegexOptions.Multiline)
            .Select(match => match.Groups[1].Value)];

    private static double Number(string text, string key)
        => double.Parse(Values(text, key)[0], CultureInfo.InvariantCulture);

    private static IEnumerable<string> Addresses(string text) => InBlocks(text, "virtual_ipaddress");

    private static IEnumerable<string> Peers(string text) => InBlocks(text, "unicast_peer");

    private static IEnumerable<string> InBlocks(string text, string name)
        => Regex.Matches(text, name + @" \{([^}]*)\}").Select(block => block.Groups[1].Value.Trim());
}
