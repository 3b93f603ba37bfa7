using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class ConfigReferenceTests
{
    [TestCase("listeners (list, required): Where client connections are accepted.")]
    [TestCase("admin.bind = 127.0.0.1:8081 (address): Where operators connect.")]
    [TestCase("routes[].match.path = / (request path): Prefix of the request's path, matched on segment borders.")]
    [TestCase("clusters.<name>.timeouts.request = off (duration, 1ms to 168h; or off): The whole exchange with all "
        + "its attempts.")]
    [TestCase("clusters.<name>.backends[].weight = 1 (count, 0 to 1000): Share of the traffic relative to the other "
        + "backends.")]
    [TestCase("limits.head = 32KiB (size, 1KiB to 60KiB): Longest request head.")]
    [TestCase("logging.access = json (json|combined|off): The form of the access log.")]
    public void A_key_is_described_by_name_default_type_and_purpose(string line)
        => Assert.That(Lines(), Does.Contain(line));

    [Test]
    public void Every_key_of_the_full_example_is_described()
    {
        var described = Lines().Select(line => line.Split(' ')[0].Split('.')[^1].Replace("[]", "")).ToHashSet();
        var written = FullExample.Text.Split('\n')
            .SelectMany(line => line.Split('#')[0].Split('{', ',', '-'))
            .Where(part => part.Contains(':', StringComparison.Ordinal)
                && !part.Contains('"', StringComparison.Ordinal))
            .Select(part => part.Split(':')[0].Trim())
            .Except(["web", "api"]);

        Assert.That(written, Is.SubsetOf(described));
    }

    [Test]
    public void No_key_is_described_twice()
        => Assert.That(Lines().Select(line => line.Split(' ')[0]), Is.Unique);

    [Test]
    public void Every_default_is_a_value_that_the_key_takes()
    {
        // Describe and Parse go through the same reads; this holds the shown text to what is parsed.
        foreach (var line in Lines().Where(line => line.Contains(" = ", StringComparison.Ordinal)))
        {
            var path = line.Split(" = ")[0];
            var shown = line.Split(" = ")[1].Split(" (")[0];
            var value = shown.StartsWith('[') ? shown : $"\"{shown}\"";

            Assert.That(Parsing.Errors(Placed(path, value)), Is.Empty, line);
        }
    }

    private static string Placed(string path, string value)
    {
        var text = """
            {"listeners":[{"bind":":8000"LISTENER}],"routes":[{"cluster":"web"ROUTE}],
            "clusters":{"web":{"backends":[{"address":"a:80"BACKEND}]CLUSTER}}ROOT}
            """;
        var (place, keys) = path switch
        {
            _ when path.StartsWith("listeners[].", StringComparison.Ordinal) => ("LISTENER", path[12..]),
            _ when path.StartsWith("routes[].", StringComparison.Ordinal) => ("ROUTE", path[9..]),
            _ when path.StartsWith("clusters.<name>.backends[].", StringComparison.Ordinal) => ("BACKEND", path[27..]),
            _ when path.StartsWith("clusters.<name>.", StringComparison.Ordinal) => ("CLUSTER", path[16..]),
            _ => ("ROOT", path),
        };
        var nested = keys.Split('.').Reverse().Aggregate(value, (inner, key) => $"{{\"{key}\":{inner}}}")[1..^1];
        text = text.Replace(place, "," + nested, StringComparison.Ordinal);
        return new[] { "LISTENER", "ROUTE", "BACKEND", "CLUSTER", "ROOT" }.Aggregate(text,
            (all, name) => all.Replace(name, ""));
    }

    private static string[] Lines() => ConfigReference.Describe().TrimEnd('\n').Split('\n');
}
