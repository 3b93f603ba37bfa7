using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class LookUpOptionsTests
{
    [Test]
    public void Names_stand_beside_addresses()
    {
        var cluster = Read("""
            - { dns: "Backend.Default.svc:8080" }
                  - { srv: "_http._tcp.backend.", weight: 2, name: web, drain: true, backup: true, health: off }
                  - "10.0.0.9:8080"
            """);

        Assert.That(cluster.Backends.Select(backend => backend.Name), Is.EqualTo(["10.0.0.9:8080"]));
        Assert.That(cluster.LookUps, Is.EqualTo(new LookUpOptions[]
        {
            new() { Key = new(LookUpKind.Addresses, "backend.default.svc"), Port = 8080 },
            new()
            {
                Key = new(LookUpKind.Places, "_http._tcp.backend."), Port = 0, Weight = 2, Prefix = "web",
                IsDrained = true, IsBackup = true, Health = null,
            },
        }));
    }

    [Test]
    public void Everything_about_looking_up_has_a_default()
        => Assert.That(Parsing.With("").Dns, Is.EqualTo(new DnsOptions
        {
            Servers = [],
            Timeout = TimeSpan.FromSeconds(1),
            TimeToLiveMin = TimeSpan.FromSeconds(5),
            TimeToLiveMax = TimeSpan.FromSeconds(60),
            Hold = TimeSpan.FromSeconds(30),
        }));

    [TestCase("10.0.0.10", "10.0.0.10:53")]
    [TestCase("10.0.0.10:5353", "10.0.0.10:5353")]
    [TestCase("'::1'", "[::1]:53")]
    [TestCase("'[::1]'", "[::1]:53")]
    [TestCase("'[::1]:5353'", "[::1]:5353")]
    public void A_server_has_the_usual_port_unless_it_says_another(string written, string expected)
        => Assert.That(Parsing.With($"dns: {{ servers: [ {written} ] }}").Dns.Servers.Select(one => $"{one}"),
            Is.EqualTo([expected]));

    [TestCase("53")]
    [TestCase("10.1")]
    [TestCase("'[10.0.0.1]'")]
    [TestCase("'::1:53:'")]
    [TestCase("10.0.0.1:0")]
    public void What_is_no_address_is_no_server(string written)
        => Assert.That(Parsing.Errors($"{Parsing.Smallest}dns: {{ servers: [ {written} ] }}\n"),
            Has.Exactly(1).Items.And.All.Contain("write an IP address"));

    [Test]
    public void What_was_found_comes_behind_what_is_written()
    {
        var file = Parsing.Options(Text("""
            - { dns: "a:80", name: web, weight: 3 }
                  - "10.0.0.9:80"
            """));
        var key = file.Clusters[0].LookUps[0].Key;

        var given = FoundBackends.None.With(key, [Place("10.0.0.1"), Place("10.0.0.9"), Place("::1")]).ApplyTo(file);

        Assert.That(given.Clusters[0].Backends.Select(one => (one.Name, $"{one.Address}", one.Weight, one.Source)),
            Is.EqualTo(new (string, string, int, string?)[]
            {
                ("10.0.0.9:80", "10.0.0.9:80", 1, null),
                ("web-10.0.0.1:80", "10.0.0.1:80", 3, "dns a"),
                ("web-[::1]:80", "[::1]:80", 3, "dns a"),
            }));
        Assert.That(FoundBackends.None.ApplyTo(file), Is.EqualTo(file));
    }

    [Test]
    public void Places_of_later_priorities_are_backups_and_the_key_puts_a_name_behind_all_others()
    {
        var file = Parsing.Options(Text("[ { srv: _a._b.c }, { srv: _a._b.d, backup: true }, \"10.0.0.9:80\" ]"));
        var found = FoundBackends.None;
        foreach (var (lookUp, net) in file.Clusters[0].LookUps.Zip((string[])["1", "2"]))
        {
            found = found.With(lookUp.Key,
            [
                Place($"10.0.{net}.1") with { Port = 80 }, Place($"10.0.{net}.2") with { Port = 80, Rank = 1 },
            ]);
        }

        var given = found.ApplyTo(file).Clusters[0].Backends;

        Assert.That(given.OrderBy(one => one.Tier).Select(one => $"{one.Address}"), Is.EqualTo(
            ["10.0.0.9:80", "10.0.1.1:80", "10.0.1.2:80", "10.0.2.1:80", "10.0.2.2:80"]));
        Assert.That(given.Select(one => one.Tier > 0), Is.EqualTo([false, false, true, true, true]));
    }

    [Test]
    public void A_place_that_two_names_have_is_one_backend()
    {
        var file = Parsing.Options(Text("[ { dns: \"a:80\" }, { dns: \"b:80\" }, { dns: \"b:81\" } ]"));
        var found = FoundBackends.None;
        foreach (var key in FoundBackends.KeysOf(file))
            found = found.With(key, [Place("10.0.0.1")]);

        Assert.That(FoundBackends.KeysOf(file), Has.Count.EqualTo(2), "each name is looked up once");
        Assert.That(found.ApplyTo(file).Clusters[0].Backends.Select(one => $"{one.Address} {one.Source}"),
            Is.EqualTo(["10.0.0.1:80 dns a", "10.0.0.1:81 dns b"]));
    }

    [TestCase(1, "1 3", "1 3")]
    [TestCase(2, "1 3", "2 6")]
    [TestCase(0, "1 3", "0 0")]
    [TestCase(1000, "1 1", "1000 1000")]
    [TestCase(1000, "1 4", "250 1000")]
    [TestCase(1000, "1 1000", "1 1000")]
    [TestCase(500, "1 1000", "1 1000")]
    public void Shares_and_weights_multiply_up_to_what_a_weight_may_be(int weight, string shares, string expected)
    {
        var file = Parsing.Options(Text($"[ {{ srv: _a._b.c, weight: {weight} }} ]"));
        var places = shares.Split(' ').Select((share, index)
            => new FoundPlace($"10.0.0.{index}", 80, int.Parse(share, provider: null), IsLeaving: false));

        var given = FoundBackends.None.With(file.Clusters[0].LookUps[0].Key, [.. places]).ApplyTo(file);

        Assert.That(string.Join(' ', given.Clusters[0].Backends.Select(one => one.Weight)), Is.EqualTo(expected));
    }

    [Test]
    public void What_another_file_does_not_ask_for_is_forgotten()
    {
        var (two, one) = (Parsing.Options(Text("[ { dns: \"a:80\" }, { dns: \"b:80\" } ]")),
            Parsing.Options(Text("[ { dns: \"a:80\" } ]")));
        var found = FoundBackends.None;
        foreach (var key in FoundBackends.KeysOf(two))
            found = found.With(key, [Place("10.0.0.1")]);

        Assert.That(found.For(one).ApplyTo(two).Clusters[0].Backends.Select(backend => backend.Source),
            Is.EqualTo(["dns a"]));
        Assert.That(found.For(two), Is.SameAs(found));
    }

    private static FoundPlace Place(string host) => new(host, Port: 0, Share: 1, IsLeaving: false);

    private static ClusterOptions Read(string backends) => Parsing.Options(Text(backends)).Clusters[0];

    private static string Text(string backends)
        => $"listeners: [ {{ bind: \":8000\" }} ]\nclusters:\n  web:\n    backends:\n      {backends}\n";
}
