using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class HashOptionsTests
{
    private const string Nat = "many clients behind one address (NAT) go to one backend";

    [TestCase("client_ip", HashKeyKind.ClientAddress, "")]
    [TestCase("path", HashKeyKind.Path, "")]
    [TestCase("host", HashKeyKind.Host, "")]
    [TestCase("header:X-User", HashKeyKind.Field, "X-User")]
    [TestCase("\"cookie:session_id\"", HashKeyKind.Cookie, "session_id")]
    [TestCase("query:user", HashKeyKind.Query, "user")]
    public void The_key_is_a_part_of_the_request(string written, HashKeyKind kind, string name)
    {
        var lines = $"algorithm: hash\nhash: {{ key: {written}, load: 150% }}";
        Assert.That(Parsing.Cluster(lines).Hash,
            Is.EqualTo(new HashOptions { Key = new(kind, name), LoadPercent = 150 }));
        Assert.That(Parsing.Warnings(Parsing.InCluster("health: off\nejection: off\nslow_start: off\n" + lines)),
            Is.Empty);
    }

    [TestCase("key: cookies:name", "7:18: `cookies:name` is nothing to hash; did you mean `cookie:NAME`?")]
    [TestCase("key: header", "7:18: `header` needs a name; write `header:NAME`")]
    [TestCase("key: \"cookie:\"", "7:18: `cookie` needs a name; write `cookie:NAME`")]
    [TestCase("key: path:/a", "7:18: `path` takes no name; write `path`")]
    [TestCase("key: \"header:a b\"", "7:18: `a b` cannot be the name of a header; write `header:NAME`")]
    [TestCase("load: 125", "7:19: `125` is not a percentage; write one such as `125%`, or `off`")]
    [TestCase("load: 100%", "7:19: 100% is outside 101% to 1000%; the average itself is 100%, and somebody must be "
        + "above it; write more, or `off`")]
    [TestCase("load: 1001%", "7:19: 1001% is outside 101% to 1000%; write at most `1000%`, or `off`")]
    public void A_mistake_in_the_section_is_an_error(string keys, string expected)
        => Assert.That(Parsing.Errors(Parsing.InCluster($"algorithm: hash\nhash: {{ {keys} }}")),
            Is.EqualTo((string[])[expected]));

    [Test]
    public void The_bound_can_be_off()
        => Assert.That(Parsing.Cluster("algorithm: hash\nhash: { key: path, load: off }").Hash.LoadPercent, Is.Zero);

    [TestCase("ip_hash")]
    [TestCase("IP-Hash")]
    public void Ip_hash_is_hash_by_the_clients_address_with_a_warning(string written)
    {
        var lines = $"algorithm: {written}";
        var cluster = Parsing.Cluster(lines);

        Assert.That((cluster.Algorithm, cluster.Hash), Is.EqualTo(("hash", HashOptions.Default)));
        Assert.That(Parsing.Warnings(Parsing.InCluster(lines)),
            Does.Contain($"6:16: {Nat}; consider `sticky`"));
    }

    [Test]
    public void Ip_hash_hashes_nothing_else()
        => Assert.That(Parsing.Errors(Parsing.InCluster("algorithm: ip_hash\nhash: { key: path }")),
            Is.EqualTo((string[])["7:11: `algorithm: ip_hash` hashes the client's address and nothing else; "
                + "write `algorithm: hash`"]));

    [Test]
    public void Hash_without_a_key_warns_and_with_one_does_not()
    {
        Assert.That(Parsing.Warnings(Parsing.InCluster("algorithm: hash")), Does.Contain(
            $"6:16: {Nat}; consider `sticky`, or write `hash: {{ key: client_ip }}` if it is meant"));
        Assert.That(Parsing.Warnings(Parsing.InCluster("algorithm: hash\nhash: { key: client_ip }")), Is.Empty);
    }

    [Test]
    public void The_section_warns_when_the_algorithm_does_not_hash()
        => Assert.That(Parsing.Warnings(Parsing.InCluster("algorithm: random\nhash: { key: path }")),
            Is.EqualTo((string[])["7:11: `hash` has no effect with `algorithm: random`; write `algorithm: hash`"]));
}
