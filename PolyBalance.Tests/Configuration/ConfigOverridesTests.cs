using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class ConfigOverridesTests
{
    [Test]
    public void Flags_alone_are_a_configuration()
    {
        var result = Parse("", new()
        {
            Port = new("8000", "-port"),
            Backends = new("http://b1:8080, http://b2:8081", "-backends"),
            HealthInterval = new("10", "-health-interval"),
            HealthTimeout = new("2s", "-health-timeout"),
            BackendTimeout = new("1m", "-backend-timeout"),
            Strategy = new("Round-Robin", "-strategy"),
        });
        var cluster = result.Options!.Clusters[0];

        Assert.That(result.Options.Listeners, Is.EqualTo((ListenerOptions[])[new() { Bind = Address.Tcp("", 8000) }]));
        Assert.That(result.Options.Routes, Is.EqualTo((RouteOptions[])[new() { Cluster = "default" }]));
        Assert.That(cluster.Backends.Select(backend => backend.Name), Is.EqualTo((string[])["b1:8080", "b2:8081"]));
        Assert.That((cluster.Name, cluster.Algorithm), Is.EqualTo(("default", "round_robin")));
        Assert.That((cluster.Health!.Interval, cluster.Health.Timeout, cluster.Timeouts.Response),
            Is.EqualTo((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(2), TimeSpan.FromMinutes(1))));
    }

    [Test]
    public void Backends_alone_are_a_configuration()
    {
        var options = Parse("", new() { Backends = new("b1:80", "-backends") }).Options!;

        Assert.That(options.Listeners[0].Bind, Is.EqualTo(Address.Tcp("", 8000)));
        Assert.That(options.Clusters[0].Name, Is.EqualTo("default"));
    }

    [Test]
    public void Flags_count_more_than_the_file()
    {
        var options = Parse(Parsing.InCluster("timeouts: { response: 5s, connect: 1s }"), new()
        {
            Port = new("9000", "-port"),
            Backends = new("b1:80", "-backends"),
            BackendTimeout = new("7", "-backend-timeout"),
        }).Options!;

        Assert.That(options.Listeners[0].Bind.Port, Is.EqualTo(9000));
        Assert.That(options.Clusters[0].Name, Is.EqualTo("web"));
        Assert.That(options.Clusters[0].Backends.Select(backend => backend.Name), Is.EqualTo((string[])["b1:80"]));
        Assert.That(options.Clusters[0].Timeouts, Is.EqualTo(new ClusterTimeoutOptions
        {
            Response = TimeSpan.FromSeconds(7), Connect = TimeSpan.FromSeconds(1),
        }));
    }

    [Test]
    public void Durations_count_for_every_cluster_and_backends_for_the_default_one()
    {
        var options = Parse("""
            listeners: [ { bind: ":8000" } ]
            routes: [ { match: { path: /a }, cluster: other }, { cluster: default } ]
            clusters:
              other: { backends: [ "a:80" ], health: off }
              default:
            """, new()
        {
            Backends = new("b:80", "-backends"),
            HealthInterval = new("30s", "-health-interval"),
        }).Options!;

        Assert.That(options.Clusters.Select(cluster => cluster.Backends[0].Name),
            Is.EqualTo((string[])["a:80", "b:80"]));
        Assert.That(options.Clusters.Select(cluster => cluster.Health?.Interval),
            Is.EqualTo((TimeSpan?[])[null, TimeSpan.FromSeconds(30)]));
    }

    [Test]
    public void The_system_may_choose_a_port_only_for_a_flag()
        => Assert.That(Parse(Parsing.Smallest, new() { Port = new("0", "-port") }).Options!.Listeners[0].Bind.Port,
            Is.Zero);

    [Test]
    public void Wrong_values_are_errors_all_at_once_that_name_the_flag()
        => Assert.That(Parsing.Lines(Parse(Parsing.Smallest + "limit: {}\n", new()
        {
            Port = new("99999", "-port"),
            Backends = new("https://b1", "-backends"),
            HealthInterval = new("soon", "POLYBALANCE_HEALTH_INTERVAL"),
            Strategy = new("least_conections", "-strategy"),
        }).Errors), Is.EquivalentTo((string[])
        [
            "-port: the port `99999` is outside 1 to 65535; write at most `65535`",
            "-backends: TLS to backends is not part of this version; write `http://…` and the backend's plain port",
            "POLYBALANCE_HEALTH_INTERVAL: `soon` is not a duration; write a number and a unit, such as `500ms`, `10s` "
                + "or `1h30m`",
            "-strategy: `least_conections` is no algorithm; did you mean `least_connections`?",
            "6:1: unknown key `limit`; did you mean `limits`?",
        ]));

    [TestCase("", "-backends: there is no backend in the list; write addresses with commas between them")]
    [TestCase(" , ", "-backends: there is no backend in the list; write addresses with commas between them")]
    [TestCase("a:80,a:80",
        "-backends: the backend `a:80` is already in this cluster, in -backends; remove one of the two; "
        + "a larger share is a larger `weight`")]
    public void A_wrong_list_of_backends_is_an_error(string list, string expected)
        => Assert.That(Parsing.Lines(Parse("", new() { Backends = new(list, "-backends") }).Errors),
            Is.EqualTo((string[])[expected]));

    [Test]
    public void Backends_without_a_cluster_to_go_to_are_an_error()
        => Assert.That(Parsing.Lines(Parse("""
            listeners: [ { bind: ":8000" } ]
            routes: [ { match: { path: /a }, cluster: a }, { cluster: b } ]
            clusters: { a: { backends: [ "a:80" ] }, b: { backends: [ "b:80" ] } }
            """, new() { Backends = new("c:80", "-backends") }).Errors), Is.EqualTo((string[])
            ["-backends: the file has several clusters, and none of them is named `default`; "
                + "name one of them `default`, or write the backends into the file"]));

    [TestCase("eight", "-port: `eight` is no port; write a number from 1 to 65535")]
    [TestCase("", "-port: `` is no port; write a number from 1 to 65535")]
    [TestCase("8081", "-port: `:8081` is already taken by the admin listener `127.0.0.1:8081`; "
        + "choose another port, give `admin` another `bind`, or write `admin: off`")]
    public void A_wrong_port_is_an_error(string port, string expected)
        => Assert.That(Parsing.Lines(Parse(Parsing.Smallest, new() { Port = new(port, "-port") }).Errors),
            Is.EqualTo((string[])[expected]));

    [Test]
    public void A_timeout_longer_than_its_interval_is_an_error_wherever_they_come_from()
        => Assert.That(Parsing.Lines(Parse(Parsing.InCluster("health: { timeout: 5s }"),
            new() { HealthInterval = new("2", "-health-interval") }).Errors),
            Is.EqualTo((string[])["6:24: `timeout` 5s is longer than `interval` 2s; write `timeout: 2s` or less"]));

    [Test]
    public void Flags_for_probes_take_effect_without_a_warning()
        => Assert.That(Parsing.Lines(Parse(Parsing.Smallest,
            new() { HealthInterval = new("2", "-health-interval") }).Warnings), Is.Empty);

    [Test]
    public void The_environment_is_read_by_its_names_and_empty_means_unset()
    {
        var overrides = ConfigOverrides.FromEnvironment(name => name switch
        {
            "POLYBALANCE_PORT" => "1",
            "POLYBALANCE_BACKENDS" => "2",
            "POLYBALANCE_HEALTH_INTERVAL" => "3",
            "POLYBALANCE_HEALTH_TIMEOUT" => "4",
            "POLYBALANCE_BACKEND_TIMEOUT" => "5",
            "POLYBALANCE_STRATEGY" => "",
            _ => throw new ArgumentException(name),
        });

        Assert.That(overrides, Is.EqualTo(new ConfigOverrides
        {
            Port = new("1", "POLYBALANCE_PORT"),
            Backends = new("2", "POLYBALANCE_BACKENDS"),
            HealthInterval = new("3", "POLYBALANCE_HEALTH_INTERVAL"),
            HealthTimeout = new("4", "POLYBALANCE_HEALTH_TIMEOUT"),
            BackendTimeout = new("5", "POLYBALANCE_BACKEND_TIMEOUT"),
        }));
    }

    [Test]
    public void Flags_count_more_than_the_environment()
    {
        var flags = new ConfigOverrides { Port = new("1", "-port"), Strategy = new("rr", "-strategy") };
        var environment = ConfigOverrides.FromEnvironment(name => name == "POLYBALANCE_STRATEGY" ? null : "9");

        Assert.That(flags.Over(environment), Is.EqualTo(environment with
        {
            Port = new("1", "-port"),
            Strategy = new("rr", "-strategy"),
        }));
        Assert.That(new ConfigOverrides().Over(flags), Is.EqualTo(flags));
    }

    [Test]
    public void Without_a_file_errors_still_say_what_is_missing()
        => Assert.That(Parsing.Lines(Parse("", new() { Port = new("8000", "-port") }).Errors), Is.EqualTo((string[])
            ["1:1: `clusters` is missing; write `clusters: { web: { backends: [ \"10.0.0.1:8080\" ] } }`"]));

    private static ConfigResult Parse(string text, ConfigOverrides overrides)
        => ProxyOptions.Parse(text, Parsing.File, environment: null, overrides);
}
