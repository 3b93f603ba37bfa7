using System.Net;
using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

/// <summary>What right configurations mean.</summary>
internal sealed class ProxyOptionsTests
{
    [Test]
    public void The_smallest_file_gives_every_default()
    {
        var options = Parsing.Options(Parsing.Smallest);

        Assert.That(options, Is.EqualTo(new ProxyOptions
        {
            Listeners = [new ListenerOptions { Bind = Address.Tcp("", 8000) }],
            Routes = [new RouteOptions { Cluster = "web" }],
            Clusters =
            [
                new ClusterOptions
                {
                    Name = "web",
                    Backends =
                    [
                        new BackendOptions { Address = Address.Tcp("10.0.0.11", 8080), Name = "10.0.0.11:8080" },
                        new BackendOptions { Address = Address.Tcp("10.0.0.12", 8080), Name = "10.0.0.12:8080" },
                    ],
                },
            ],
        }));
    }

    [Test]
    public void Defaults_are_those_that_the_documentation_promises()
    {
        var options = Parsing.Options(Parsing.Smallest);
        var cluster = options.Clusters[0];

        Assert.That(options.Admin, Is.EqualTo(new AdminOptions { Bind = Address.Tcp("127.0.0.1", 8081) }));
        Assert.That(options.Timeouts, Is.EqualTo(new ClientTimeoutOptions
        {
            Head = Seconds(10),
            Idle = Seconds(75),
            BodyIdle = Seconds(30),
            Write = Seconds(60),
            TunnelIdle = Seconds(3600),
        }));
        Assert.That(options.Limits,
            Is.EqualTo(new LimitOptions { HeadBytesMax = 32_768, FieldLinesMax = 128, ConnectionsMax = 0 }));
        Assert.That(options.Shutdown, Is.EqualTo(new ShutdownOptions { Drain = Seconds(10), Delay = TimeSpan.Zero }));
        Assert.That(options.Logging,
            Is.EqualTo(new LoggingOptions { Level = LoggingLevel.Information, Access = AccessLogFormat.Json }));
        Assert.That(cluster.Pool, Is.EqualTo(new PoolOptions
        {
            IdleConnections = 10, ConnectionsMax = 0, IdleTimeout = Seconds(30), LifetimeMax = Seconds(600),
        }));
        Assert.That(cluster.Timeouts, Is.EqualTo(new ClusterTimeoutOptions
        {
            Connect = Seconds(3), Response = Seconds(30), ResponseIdle = Seconds(60), Request = null,
        }));
        Assert.That(cluster.Health, Is.EqualTo(new HealthOptions
        {
            Path = "/", Interval = Seconds(10), Timeout = Seconds(5), UnhealthyThreshold = 3, HealthyThreshold = 2,
            JitterPercent = 20, Expect = [new StatusRange(200, 399)],
        }));
        Assert.That(cluster.Retries,
            Is.EqualTo(new RetryOptions { Attempts = 2, BudgetPercent = 20, ReplayBufferBytes = 65_536 }));
        Assert.That(cluster.Ejection, Is.EqualTo(new EjectionOptions
        {
            ConsecutiveFailures = 5, BaseTime = Seconds(10), TimeMax = Seconds(300),
        }));
        Assert.That((cluster.Algorithm, cluster.Host, cluster.SlowStart, cluster.Sticky, cluster.WhenNoneEligible),
            Is.EqualTo(("round_robin", HostPolicy.Preserve, (TimeSpan?)Seconds(10), (StickyOptions?)null,
                NoneEligibleRule.Refuse)));
    }

    [Test]
    public void The_documentations_full_example_means_the_defaults()
    {
        var options = Parsing.Options(FullExample.Text);
        var web = options.Clusters[0];

        Assert.That(options.Listeners[0], Is.EqualTo(new ListenerOptions { Bind = Address.Tcp("", 8000) }));
        Assert.That(options.Admin, Is.EqualTo(AdminOptions.Default));
        Assert.That(options.Routes[0],
            Is.EqualTo(new RouteOptions { Host = "api.example.com", Path = "/v1/", Cluster = "api" }));
        Assert.That((web.Pool, web.Timeouts, web.Health, web.Ejection, web.Retries, web.Sticky),
            Is.EqualTo((PoolOptions.Default, ClusterTimeoutOptions.Default, HealthOptions.Default,
                EjectionOptions.Default, RetryOptions.Default, StickyOptions.Default)));
        Assert.That((options.Timeouts, options.Limits, options.Logging, options.Shutdown, options.Transport),
            Is.EqualTo((ClientTimeoutOptions.Default, LimitOptions.Default, LoggingOptions.Default,
                ShutdownOptions.Default, TransportKind.Auto)));
        Assert.That(web.Backends[0], Is.EqualTo(new BackendOptions
        {
            Address = Address.Tcp("10.0.0.11", 8080), Name = "web-1", Weight = 3,
        }));
        Assert.That(web.Backends[1].Health,
            Is.EqualTo(HealthOptions.Default with { Interval = Seconds(2), Timeout = Seconds(2) }));
    }

    [Test]
    public void Sessions_that_are_signed_with_a_key_made_at_the_start_are_worth_a_warning()
    {
        const string Warning = "cookies are signed with a key that is made at the start: sessions end when this "
            + "process ends, and other instances do not know them; write `key_file`";

        Assert.That(Parsing.Warnings(FullExample.Text), Is.EqualTo(new[] { $"27:13: {Warning}" }));
        Assert.That(Parsing.Warnings(Parsing.InCluster("sticky: { key_file: keys }")), Is.Empty);
    }

    [Test]
    public void What_is_off_is_not_warned_of()
        => Assert.That(Parsing.Warnings(Parsing.InCluster("""
            health: off
            ejection: off
            retries: off
            slow_start: off
            sticky: off
            when_none_eligible: refuse
            """)), Is.Empty);

    [TestCase("502-504", "502-504")]
    [TestCase("\"429, 503\"", "429-429,503-503")]
    [TestCase("500-599", "500-599")]
    [TestCase("~", "")]
    public void Statuses_that_are_retried_are_429_and_server_errors(string written, string expected)
    {
        var statuses = Parsing.Cluster($"retries: {{ statuses: {written} }}").Retries!.Statuses;

        Assert.That(string.Join(',', statuses.Select(range => $"{range.First}-{range.Last}")), Is.EqualTo(expected));
    }

    [Test]
    public void Features_can_be_turned_off()
    {
        var cluster = Parsing.Cluster("health: off\nejection: off\nretries: off\nslow_start: off");

        Assert.That((cluster.Health, cluster.Ejection, cluster.Retries, cluster.SlowStart),
            Is.EqualTo(((HealthOptions?)null, (EjectionOptions?)null, (RetryOptions?)null, (TimeSpan?)null)));
        Assert.That(cluster.Backends[0].Health, Is.Null);
        Assert.That(Parsing.With("admin: off").Admin, Is.Null);
    }

    [Test]
    public void A_section_with_nothing_in_it_means_its_defaults()
        => Assert.That(Parsing.With("admin:\nlimits:\ntimeouts: ~\n"), Is.EqualTo(Parsing.Options(Parsing.Smallest)));

    [Test]
    public void A_backend_overrides_what_it_names_of_the_clusters_probing()
    {
        var cluster = Parsing.Options("""
            listeners: [ { bind: ":8000" } ]
            clusters:
              web:
                health: { path: /healthz, interval: 20s }
                backends:
                  - a:80
                  - { address: b:80, health: { timeout: 1s } }
                  - { address: c:80, health: off }
            """).Clusters[0];
        var inherited = HealthOptions.Default with { Path = "/healthz", Interval = Seconds(20) };

        Assert.That(cluster.Backends.Select(backend => backend.Health),
            Is.EqualTo((HealthOptions?[])[inherited, inherited with { Timeout = Seconds(1) }, null]));
    }

    [TestCase("preserve", HostPolicyKind.Preserve, "")]
    [TestCase("backend", HostPolicyKind.Backend, "")]
    [TestCase("API.example.com", HostPolicyKind.Literal, "api.example.com")]
    [TestCase("\"api.example.com:8443\"", HostPolicyKind.Literal, "api.example.com:8443")]
    [TestCase("\"[::1]:80\"", HostPolicyKind.Literal, "[::1]:80")]
    public void Host_is_a_keyword_or_a_literal(string written, HostPolicyKind kind, string value)
    {
        var host = Parsing.Cluster($"host: {written}").Host;

        Assert.That((host.Kind, host.Value), Is.EqualTo((kind, value)));
    }

    [TestCase("round_robin", "round_robin")]
    [TestCase("round-robin", "round_robin")]
    [TestCase("RoundRobin", "round_robin")]
    [TestCase("rr", "round_robin")]
    [TestCase("RR", "round_robin")]
    [TestCase("wrr", "weighted_round_robin")]
    [TestCase("least-connections", "least_connections")]
    [TestCase("leastconn", "least_connections")]
    [TestCase("lc", "least_connections")]
    [TestCase("Random", "random")]
    [TestCase("P2C", "power_of_two")]
    [TestCase("ewma", "peak_ewma")]
    [TestCase("consistent-hash", "hash")]
    public void Algorithms_have_many_spellings(string written, string expected)
        => Assert.That(Parsing.Cluster($"algorithm: {written}").Algorithm, Is.EqualTo(expected));

    [TestCase("200,204", new[] { 200, 200, 204, 204 })]
    [TestCase("200-299, 304", new[] { 200, 299, 304, 304 })]
    public void Expected_status_codes_are_ranges(string written, int[] bounds)
    {
        var ranges = Parsing.Cluster($"health: {{ expect: \"{written}\" }}").Health!.Expect;

        Assert.That(ranges.SelectMany(range => (int[])[range.First, range.Last]), Is.EqualTo(bounds));
        Assert.That(ranges[0].Contains(200) && !ranges[0].Contains(500));
    }

    [Test]
    public void Trusted_proxies_are_networks_or_single_addresses()
    {
        var listener = Parsing.Options("""
            listeners:
              - bind: ":8000"
                expose: [ healthz, metrics ]
                trusted_proxies: [ 10.0.0.0/8, 192.168.1.1, "fd00::/8", "::1" ]
            clusters: { web: { backends: [ "a:80" ] } }
            """).Listeners[0];

        Assert.That(listener.TrustedProxies, Is.EqualTo((IPNetwork[])
        [
            IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("192.168.1.1/32"),
            IPNetwork.Parse("fd00::/8"), IPNetwork.Parse("::1/128"),
        ]));
        Assert.That(listener.Expose, Is.EqualTo((string[])["healthz", "metrics"]));
    }

    [Test]
    public void Routes_keep_their_order_and_match_what_they_say()
    {
        var options = Parsing.Options("""
            listeners: [ { bind: ":8000" } ]
            clusters: { api: { backends: [ "a:80" ] }, web: { backends: [ "b:80" ] } }
            routes:
              - { match: { host: API.Example.com, path: /v1 }, cluster: api, max_body: 10MiB }
              - { match: { host: "*.Example.com" }, cluster: web, max_body: 0 }
              - cluster: web
            """);

        Assert.That(options.Routes, Is.EqualTo((RouteOptions[])
        [
            new() { Host = "api.example.com", Path = "/v1", Cluster = "api", MaxBody = 10_485_760 },
            new() { Host = "*.example.com", Cluster = "web", MaxBody = 0 },
            new() { Cluster = "web" },
        ]));
        Assert.That(options.Clusters.Select(cluster => cluster.Name), Is.EqualTo((string[])["api", "web"]));
    }

    [Test]
    public void Json_is_a_configuration_too()
    {
        var json = "{\n\t\"listeners\":[{\"bind\":\":8000\"}],\n\t\"admin\": \"off\",\n"
            + "\t\"clusters\": {\n\t\t\"web\": {\"backends\":[\"10.0.0.11:8080\",\"10.0.0.12:8080\"],\n"
            + "\t\t\t\"pool\":{\"size\":5}, \"health\": null, \"host\":\"\\u0061.\\/\"}\n\t}\n}";
        var sound = json.Replace(".\\/", "");

        Assert.That(Parsing.Errors(json), Is.EqualTo((string[])
            ["6:46: `a./` is no value for Host; write `preserve`, `backend`, or a literal `host:port`"]));
        Assert.That(Parsing.Options(sound).Clusters[0].Pool.IdleConnections, Is.EqualTo(5));
        Assert.That(Parsing.Options(sound).Clusters[0].Host, Is.EqualTo(HostPolicy.Literal("a")));
        Assert.That(Parsing.Options(sound).Admin, Is.Null);
    }

    [Test]
    public void The_access_log_goes_to_standard_output_or_to_a_file()
    {
        Assert.That(Parsing.With("logging: { access_path: stdout }").Logging.AccessPath, Is.Null);
        Assert.That(Parsing.With("logging: { access: combined, access_path: /var/log/a.log, level: debug }").Logging,
            Is.EqualTo(new LoggingOptions
            {
                Access = AccessLogFormat.Combined, AccessPath = "/var/log/a.log", Level = LoggingLevel.Debug,
            }));
        Assert.That(Parsing.With("logging: { access: off }").Logging.Access, Is.EqualTo(AccessLogFormat.Off));
    }

    [Test]
    public void An_admin_listener_for_other_machines_has_a_token()
        => Assert.That(Parsing.With("admin: { bind: \"0.0.0.0:9000\", token_file: /etc/polybalance/token }").Admin,
            Is.EqualTo(new AdminOptions { Bind = Address.Tcp("0.0.0.0", 9000), TokenFile = "/etc/polybalance/token" }));

    [Test]
    public void A_cluster_without_backends_is_allowed_with_a_warning()
    {
        var result = Parsing.Parse("listeners: [ { bind: \":8000\" } ]\nclusters: { web: { backends: [] } }");

        Assert.That(result.Options!.Clusters[0].Backends, Is.Empty);
        Assert.That(Parsing.Lines(result.Warnings), Is.EqualTo((string[])
            ["2:30: a cluster without backends answers every request with 503; add a backend"]));
    }

    [Test]
    public void Aliases_repeat_what_their_anchor_holds()
    {
        var options = Parsing.Options("""
            listeners: [ { bind: ":8000" } ]
            routes: [ { match: { host: a.b }, cluster: one }, { cluster: two } ]
            clusters:
              one: &pattern { backends: [ "a:80" ], host: backend }
              two: *pattern
            """);

        Assert.That(options.Clusters[1], Is.EqualTo(options.Clusters[0] with { Name = "two" }));
    }

    [Test]
    public void A_byte_order_mark_is_no_part_of_the_first_key()
        => Assert.That(Parsing.Options("\uFEFF" + Parsing.Smallest), Is.EqualTo(Parsing.Options(Parsing.Smallest)));

    [Test]
    public void Quoted_words_are_just_words()
        => Assert.That(Parsing.Options("""
            listeners: [ { bind: ":8000" } ]
            clusters: { "on": { backends: [ { address: "a:80", name: "1234" } ] } }
            """).Clusters[0].Backends[0].Name, Is.EqualTo("1234"));

    [Test]
    public void Options_compare_by_value_all_the_way_down()
    {
        var one = Parsing.Options(FullExample.Text);
        var same = Parsing.Options(FullExample.Text);
        var other = Parsing.Options(FullExample.Text.Replace("interval: 2s", "interval: 3s"));

        Assert.That(one == same && one.GetHashCode() == same.GetHashCode());
        Assert.That(one.Clusters[0], Is.Not.EqualTo(other.Clusters[0]));
        Assert.That(one.Clusters[1], Is.EqualTo(other.Clusters[1]));
    }

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
