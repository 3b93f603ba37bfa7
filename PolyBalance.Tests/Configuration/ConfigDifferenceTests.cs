using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Configuration;

internal sealed partial class ConfigDifferenceTests
{
    private const string Before = """
        listeners: [ { bind: ":8000" }, { bind: ":8001" } ]
        routes:
          - { match: { path: /api }, cluster: api }
          - { cluster: web }
        clusters:
          api: { backends: [ "10.0.0.1:80" ] }
          web:
            health: { interval: 10s }
            backends: [ { address: "10.0.0.2:80", name: web-1 }, { address: "10.0.0.3:80", name: web-2 } ]
        """;

    private const string After = """
        listeners: [ { bind: ":8000", expose: [ healthz ] }, { bind: ":8002" } ]
        transport: sockets
        limits: { head: 16KiB }
        routes: [ { cluster: web } ]
        clusters:
          web:
            health: { interval: 5s }
            ejection: off
            backends: [ { address: "10.0.0.2:80", name: web-1, weight: 3 }, { address: "10.0.0.4:80", name: web-3 } ]
        """;

    [Test]
    public void What_came_what_went_and_what_is_another_value_is_told_apart()
    {
        var difference = ConfigDifference.Between(Read(Before), Read(After));

        Assert.That(difference.Added, Is.EqualTo(["listener :8002", "backend web/web-3"]));
        Assert.That(difference.Removed, Is.EquivalentTo(
            ["listener :8001", "route /api", "cluster api", "backend api/10.0.0.1:80", "backend web/web-2"]));
        Assert.That(difference.Changed.Select(one => one.ToString()), Is.SupersetOf((string[])
        [
            "gateway: limits.head 32KiB → 16KiB", "listener :8000: expose (none) → healthz",
            "cluster web: health.interval 10s → 5s", "cluster web: ejection (none) → off",
            "cluster web: ejection.consecutive_failures 5 → (none)", "backend web/web-1: weight 1 → 3",
        ]));
        Assert.That(difference.AtRestart.Single().ToString(), Is.EqualTo("gateway: transport auto → sockets"));
        Assert.That(difference.Kept, Is.EqualTo(["route /"]));
    }

    [Test]
    public void Two_spellings_of_one_configuration_do_not_differ()
    {
        var difference = ConfigDifference.Between(
            Read(Before), Read(Before.Replace("10s", "10000ms", StringComparison.Ordinal)));

        Assert.That(difference.IsEmpty);
        Assert.That(difference.Kept, Has.Count.EqualTo(10));
    }

    // A key that is forgotten in AppliedValues would change unseen.
    [Test]
    public void Every_key_of_the_file_is_a_setting()
    {
        var off = Before.Replace("web:\n", "web:\n    sticky: { }\n", StringComparison.Ordinal)
            .Replace("backends: [ ", "backends: [ { dns: \"a:80\" }, { srv: _a._b.c }, ", StringComparison.Ordinal)
            + "\ntracing: { }\n";
        var shown = AppliedValues.Of(Read(off))
            .SelectMany(group => group.Values.Select(value => group.Kind switch
            {
                "gateway" => value.Key,
                "listener" => "listeners[]." + value.Key,
                "route" => "routes[]." + value.Key,
                "cluster" => "clusters.<name>." + value.Key,
                _ => "clusters.<name>.backends[]." + value.Key,
            }))
            .Append("listeners[].bind").ToHashSet();
        var keys = File.ReadLines(Repository.PathOf("PolyBalance.Host", "surface", "config-keys.txt"))
            .Where(line => line.Length > 0 && line[0] != '#' && !Container().IsMatch(line))
            .Select(line => line.Split(' ')[0]);

        Assert.That(keys.Where(key => !shown.Contains(key)), Is.Empty);
    }

    [GeneratedRegex(@"^\S+( = off)? \((section|sections by name|list, required|list\))")]
    private static partial Regex Container();

    private static ProxyOptions Read(string text)
    {
        var result = ProxyOptions.Parse(text, "test.yaml");
        Assert.That(result.Errors, Is.Empty);
        return result.Options!;
    }
}
