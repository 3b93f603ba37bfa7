using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

internal sealed class HealthKeyTests
{
    [Test]
    public void An_http_check_can_be_told_everything()
        => Assert.That(
            Parsing.Cluster("""
                health:
                  path: /healthz
                  host: API.example.com:8080
                  fields: { X-Probe: "1", Accept: text/plain }
                  expect: 200,204
                  expect_field: "X-Ready: yes"
                  expect_body: all fine
                """).Health,
            Is.EqualTo(HealthOptions.Default with
            {
                Path = "/healthz",
                Host = "api.example.com:8080",
                Fields = [new("X-Probe", "1"), new("Accept", "text/plain")],
                Expect = [new(200, 200), new(204, 204)],
                ExpectField = new("X-Ready", "yes"),
                ExpectBody = "all fine",
            }));

    [Test]
    public void A_status_may_mean_that_a_backend_wants_no_new_work()
        => Assert.That(Parsing.Cluster("health: { drain_on: \"404,503\" }").Health!.DrainOn,
            Is.EqualTo((StatusRange[])[new(404, 404), new(503, 503)]));

    [TestCase("health: { drain_on: 204 }", "the status 204 is in `expect` and in `drain_on`")]
    [TestCase("health: { expect: 200-404, drain_on: 400-499 }", "the status 400 is in `expect` and in `drain_on`")]
    [TestCase("health: { kind: tcp, drain_on: 404 }", "`drain_on` means nothing to a probe of kind `tcp`")]
    public void It_must_mean_one_thing(string keys, string problem)
        => Assert.That(Parsing.Errors(Parsing.InCluster(keys)).Single(), Does.Contain(problem));

    [Test]
    public void A_field_may_have_any_value_when_none_is_written()
        => Assert.That(Parsing.Cluster("health: { expect_field: X-Ready }").Health!.ExpectField,
            Is.EqualTo(new ProbeField("X-Ready", "")));

    [Test]
    public void Other_kinds_have_keys_of_their_own()
    {
        Assert.That(Parsing.Cluster("health: { kind: tcp, interval: 2s }").Health!.Kind, Is.EqualTo(ProbeKind.Tcp));
        Assert.That(Parsing.Cluster("health: { kind: grpc, service: shop.v1.Orders, host: \"a:1\" }").Health!.Service,
            Is.EqualTo("shop.v1.Orders"));

        var exec = Parsing.Options("allow_exec: true\n" + Parsing.InCluster(
            "health: { kind: exec, command: /usr/bin/check, args: [ -v, a b ] }"));
        Assert.That(exec.Clusters[0].Health, Is.EqualTo(HealthOptions.Default with
        {
            Kind = ProbeKind.Exec,
            Command = "/usr/bin/check",
            Args = ["-v", "a b"],
        }));
        Assert.That(exec.AllowsExec);
    }

    [Test]
    public void A_backend_overrides_single_keys_and_another_kind_forgets_those_of_the_first()
    {
        var cluster = Parsing.Options("""
            listeners: [ { bind: ":8000" } ]
            clusters:
              web:
                backends:
                  - { address: a:80, health: { path: /b } }
                  - { address: b:80, health: { kind: tcp } }
                health: { path: /a, interval: 4s, timeout: 1s, fields: { X-A: "1" } }
            """).Clusters[0];

        Assert.That(cluster.Backends[0].Health, Is.EqualTo(cluster.Health! with { Path = "/b" }));
        Assert.That(cluster.Backends[1].Health, Is.EqualTo(HealthOptions.Default with
        {
            Kind = ProbeKind.Tcp,
            Interval = TimeSpan.FromSeconds(4),
            Timeout = TimeSpan.FromSeconds(1),
        }));
    }

    [Test]
    public void The_number_of_probes_at_once_is_bounded_at_the_top()
    {
        Assert.That(Parsing.With("").ConcurrentProbesMax, Is.EqualTo(64));
        Assert.That(Parsing.With("max_concurrent_probes: 8\n").ConcurrentProbesMax, Is.EqualTo(8));
        Assert.That(Parsing.Errors(Parsing.Smallest + "max_concurrent_probes: 0\n"),
            Is.EqualTo((string[])["6:24: 0 is outside 1 to 4096; write at least `1`"]));
    }

    // In the smallest file's cluster, from line 6 and column 5 on.
    [TestCase("health: { kind: tcp, path: /x }",
        "6:26: `path` means nothing to a probe of kind `tcp`; remove it, or write `kind: http`")]
    [TestCase("health: { kind: grpc, expect: 200 }",
        "6:27: `expect` means nothing to a probe of kind `grpc`; remove it, or write `kind: http`")]
    [TestCase("health: { service: a }",
        "6:15: `service` means nothing to a probe of kind `http`; remove it, or write `kind: grpc`")]
    [TestCase("health: { args: [ a ] }",
        "6:15: `args` means nothing to a probe of kind `http`; remove it, or write `kind: exec`")]
    [TestCase("health: { kind: exec, command: /x }",
        "6:21: probes of kind `exec` run programs, which is not allowed; write `allow_exec: true` at the top level")]
    [TestCase("health: { host: \"a b\" }", "6:21: `a b` is no host; write `host` or `host:port`")]
    [TestCase("health: { fields: { Host: a } }", "6:31: `Host` is not for `fields` to say; write `host`")]
    [TestCase("health: { fields: { content-length: \"1\" } }",
        "6:41: `content-length` is not for `fields` to say; remove it")]
    [TestCase("health: { fields: { \"a b\": c } }", "6:32: `a b` is no field name; write one such as `X-Probe`")]
    [TestCase("health: { fields: { X-A: \"a\\r\\nb\" } }",
        "6:30: `a??b` is no field value; write at most 1024 printable ASCII characters")]
    [TestCase("health: { expect_body: \"\" }",
        "6:28: the text must not be empty or long; write at most 1024 characters")]
    [TestCase("health: { kind: grpc, service: \"a b\" }",
        "6:36: `a b` is no name of a gRPC service; write one such as `shop.v1.Orders`")]
    public void A_mistake_in_a_check_is_one_error(string lines, string expected)
        => Assert.That(Parsing.Errors(Parsing.InCluster(lines)), Is.EqualTo((string[])[expected]));

    [TestCase("kind: exec", "a probe of kind `exec` needs `command`; write `command: /path/of/the/program`")]
    [TestCase("kind: exec, command: check",
        "`check` is no absolute path; write one such as `/usr/local/bin/check`; arguments go into `args`")]
    public void A_program_must_be_named_by_an_absolute_path(string keys, string expected)
        => Assert.That(
            Parsing.Errors("allow_exec: true\n" + Parsing.InCluster($"health: {{ {keys} }}")).Single(),
            Does.EndWith(expected));
}
