using NUnit.Framework;
using PolyBalance.Configuration;

namespace PolyBalance.Tests.Configuration;

/// <summary>What wrong configurations are answered with: every error, where it is, and what to write instead.</summary>
internal sealed class ConfigErrorTests
{
    [Test]
    public void Five_mistakes_give_five_errors_with_places_and_remedies()
        => Assert.That(Parsing.Errors("""
            listeners:
              - bind: ":80000"
            clusters:
              web:
                backends: [ "10.0.0.11:8080", "10.0.0.11:8080" ]
                health: { intervall: 10s }
                timeouts:
                  response: 30
            routes:
              - cluster: wep
            """), Is.EqualTo((string[])
        [
            "2:11: the port `80000` is outside 1 to 65535; write at most `65535`",
            "5:35: the backend `10.0.0.11:8080` is already in this cluster, at line 5; remove one of the two; a "
                + "larger share is a larger `weight`",
            "6:15: unknown key `intervall`; did you mean `interval`?",
            "8:17: the duration `30` has no unit; write `30s`",
            "10:14: there is no cluster `wep`; did you mean `web`?",
        ]));

    // Below the smallest file, from line 6 on.
    [TestCase("limit: {}", "6:1: unknown key `limit`; did you mean `limits`?")]
    [TestCase("colour: red",
        "6:1: unknown key `colour`; allowed here: `listeners`, `admin`, `routes`, `allow_exec`, `clusters`, `timeouts`,"
        + " `limits`, `dns`, `logging`, `tracing`, `shutdown`, `max_concurrent_probes`, `transport`, `workers`")]
    [TestCase("limits: { head:8KiB }", "6:11: unknown key `head:8KiB`; write a space after the colon of `head:`")]
    [TestCase("limits: {}\nlimits: {}",
        "7:1: the key `limits` is already in this mapping, at line 6; remove one of the two")]
    [TestCase("limits: { head: 8KiB, fields: 1, head: 9KiB }",
        "6:34: the key `head` is already in this mapping, at line 6; remove one of the two")]
    [TestCase("limits: [ 1 ]", "6:9: `limits` must be a mapping, not a list; write `limits: { head: … }`")]
    [TestCase("limits: 5", "6:9: `limits` must be a mapping, not a single value; write `limits: { head: … }`")]
    [TestCase("routes: { cluster: web }",
        "6:9: `routes` must be a list, not a mapping; begin each element with `- `, or write `[ …, … ]`")]
    [TestCase("routes: [ web ]",
        "6:11: an element of `routes` must be a mapping, not a single value; write `{ cluster: … }`")]
    [TestCase("transport: [ auto ]", "6:12: `transport` must be a single value, not a list; write `transport: auto`")]
    [TestCase("workers: 0", "6:10: `0` is no number of workers; write `auto`, or a number from 1 to 256")]
    [TestCase("workers: 04", "6:10: `04` is no number of workers; write `auto`, or a number from 1 to 256")]
    [TestCase("workers: 257", "6:10: `257` is no number of workers; write `auto`, or a number from 1 to 256")]
    [TestCase("workers: many", "6:10: `many` is no number of workers; write `auto`, or a number from 1 to 256")]
    [TestCase("transport: socket", "6:12: `socket` is no transport; did you mean `sockets`?")]
    [TestCase("limits: { head: 100 }", "6:17: 100 is outside 1KiB to 60KiB; write at least `1KiB`")]
    [TestCase("limits: { head: 1MiB }", "6:17: 1MiB is outside 1KiB to 60KiB; write at most `60KiB`")]
    [TestCase("limits: { head: 32K }", "6:17: `32K` is not a size; write `32KiB`")]
    [TestCase("limits: { fields: 0 }", "6:19: 0 is outside 1 to 1024; write at least `1`")]
    [TestCase("limits: { connections: -1 }", "6:24: -1 is outside 0 to 10000000; write at least `0`")]
    [TestCase("timeouts: { client_idle: 0s }", "6:26: 0s is outside 1ms to 168h; write at least `1ms`")]
    [TestCase("timeouts: { client_idle: never }",
        "6:26: `never` is not a duration; write a number and a unit, such as `500ms`, `10s` or `1h30m`")]
    [TestCase("shutdown: { drain: 10 }", "6:20: the duration `10` has no unit; write `10s`")]
    [TestCase("logging: { level: info }", "6:19: `info` is no level; did you mean `information`?")]
    [TestCase("logging: { level: all }", "6:19: `all` is no level; "
        + "write one of `trace`, `debug`, `information`, `warning`, `error`")]
    [TestCase("logging: { access: jsn }", "6:20: `jsn` is no access; did you mean `json`?")]
    [TestCase("logging: { access_path: access.log }",
        "6:25: `access.log` is no place for the access log; write `stdout` or an absolute path")]
    [TestCase("admin: { bind: \"0.0.0.0:8081\" }",
        "6:16: `0.0.0.0:8081` can be reached from other machines without a token; write `token_file`, or bind to "
            + "`127.0.0.1`")]
    [TestCase("admin: { bind: 8081 }",
        "6:16: `8081` is a port, not an address; write `:8081` to listen on every address")]
    [TestCase("admin: no", "6:8: `admin` must be a mapping or `off`; write `off`")]
    [TestCase("admin: false", "6:8: `admin` must be a mapping or `off`; write `off`")]
    [TestCase("admin: { bind: \"127.0.0.1:8000\" }",
        "2:11: `:8000` is already taken by the admin listener `127.0.0.1:8000`; "
        + "choose another port, give `admin` another `bind`, or write `admin: off`")]
    [TestCase("routes: [ { match: { path: v1 }, cluster: web } ]",
        "6:28: the path `v1` does not start with `/`; write `/v1`")]
    [TestCase("routes: [ { match: { path: /v1/* }, cluster: web } ]",
        "6:28: `/v1/*` ends in `*`, but a path is a prefix anyway; write `/v1/`")]
    [TestCase("routes: [ { match: { path: /v1?x }, cluster: web } ]",
        "6:28: `?` cannot be in a path; percent-encode it, or leave it out")]
    [TestCase("routes: [ { match: { host: \"a.b:80\" }, cluster: web } ]",
        "6:28: `a.b:80` has a port, and routes match hosts only; write `a.b`")]
    [TestCase("routes: [ { match: { host: \"a.*.b\" }, cluster: web } ]",
        "6:28: `a.*.b` has a `*` where none can be; write a host name, or `*.` and a suffix")]
    [TestCase("routes: [ { match: { host: a.b/c }, cluster: web } ]",
        "6:28: `a.b/c` is more than a host; write the path into `path`")]
    [TestCase("routes: [ { match: { host: a_!b }, cluster: web } ]",
        "6:28: `a_!b` is no host name; use letters, digits, `-` and dots")]
    [TestCase("routes: [ { match: { host: yes }, cluster: web } ]",
        "6:28: YAML tools take `yes` for a truth value; put it in quotes: `\"yes\"`")]
    [TestCase("routes: [ { match: { method: GET }, cluster: web } ]",
        "6:22: unknown key `method`; allowed here: `host`, `path`")]
    [TestCase("routes: [ { match: {} } ]", "6:11: `cluster` is missing; name the cluster that takes the requests")]
    [TestCase("routes: [ { cluster: ~ } ]", "6:13: `cluster` is empty; name the cluster that takes the requests")]
    [TestCase("routes: [ { cluster: web, max_body: lots } ]",
        "6:37: `lots` is not a size; write bytes, or a number and a unit, such as `64KiB` or `10MiB`")]
    public void A_mistake_at_the_top_level_is_one_error(string lines, string expected)
        => Assert.That(Parsing.Errors(Parsing.Smallest + lines + "\n"), Is.EqualTo((string[])[expected]));

    // In the smallest file's cluster, from line 6 and column 5 on.
    [TestCase("pools: {}", "6:5: unknown key `pools`; did you mean `pool`?")]
    [TestCase("algorithm: roundrobbin", "6:16: `roundrobbin` is no algorithm; did you mean `round_robin`?")]
    [TestCase("algorithm: fastest", "6:16: `fastest` is no algorithm; write one of `round_robin`, "
        + "`weighted_round_robin`, `least_connections`, `random`, `power_of_two`, `peak_ewma`, `hash`")]
    [TestCase("host: Preserve", "6:11: `Preserve` is neither a keyword nor a host; write `preserve`")]
    [TestCase("host: a b", "6:11: `a b` is no value for Host; write `preserve`, `backend`, or a literal `host:port`")]
    [TestCase("host: \"a:0\"",
        "6:11: `a:0` is no value for Host; write `preserve`, `backend`, or a literal `host:port`")]
    [TestCase("host: on", "6:11: YAML tools take `on` for a truth value; put it in quotes: `\"on\"`")]
    [TestCase("pool: { size: 0x10 }", "6:19: `0x10` is not a whole number; write a number from 0 to 65536")]
    [TestCase("pool: { size: 0123 }", "6:19: `0123` begins with 0, which some YAML tools read as octal; write `123`")]
    [TestCase("pool: { max_connections: 99999 }", "6:30: 99999 is outside 0 to 65536; write at most `65536`")]
    [TestCase("timeouts: { connect: -3s }",
        "6:26: the duration `-3s` is negative; write a number and a unit, such as `500ms`, `10s` or `1h30m`")]
    [TestCase("timeouts: { request: 0s }", "6:26: 0s is outside 1ms to 168h; write at least `1ms`")]
    [TestCase("health: { timeout: 11s }",
        "6:24: `timeout` 11s is longer than `interval` 10s; write `timeout: 10s` or less")]
    [TestCase("health: { interval: 2s, timeout: x }",
        "6:38: `x` is not a duration; write a number and a unit, such as `500ms`, `10s` or `1h30m`")]
    [TestCase("health: { jitter: 101% }", "6:23: `101%` is not a percentage; write a whole number from `0%` to `100%`")]
    [TestCase("health: { jitter: 20 }", "6:23: the percentage `20` has no sign; write `20%`")]
    [TestCase("health: { healthy_threshold: 0 }", "6:34: 0 is outside 1 to 1000; write at least `1`")]
    [TestCase("health: { unhealthy_threshold: -1 }", "6:36: -1 is outside 1 to 1000; write at least `1`")]
    [TestCase("health: { kind: htp }", "6:21: `htp` is no kind of probe; did you mean `http`?")]
    [TestCase("health: { path: healthz }", "6:21: the path `healthz` does not start with `/`; write `/healthz`")]
    [TestCase("health: { expect: 99 }",
        "6:23: `99` is no status code from 100 to 599; write codes or ranges, such as `200-399` or `200,204`")]
    [TestCase("health: { expect: 200-600 }",
        "6:23: `200-600` is no status code from 100 to 599; write codes or ranges, such as `200-399` or `200,204`")]
    [TestCase("health: { expect: 2xx }",
        "6:23: `2xx` is no status code from 100 to 599; write codes or ranges, such as `200-399` or `200,204`")]
    [TestCase("health: { expect: 1-2-3 }",
        "6:23: `1-2-3` is no range of status codes; write codes or ranges, such as `200-399` or `200,204`")]
    [TestCase("health: { expect: 299-200 }", "6:23: the range `299-200` runs backwards; write `200-299`")]
    [TestCase("ejection: { base_time: 10m }",
        null, TestName = "A base time above the default maximum alone is no mistake")]
    [TestCase("ejection: { base_time: 10m, max_time: 1m }",
        "6:43: `max_time` 1m is shorter than `base_time` 10m; write `max_time: 10m` or more")]
    [TestCase("retries: { attempts: 8 }", "6:26: 8 is outside 0 to 7; write at most `7`")]
    [TestCase("retries: { statuses: 200-599 }",
        "6:26: `200-599` goes beyond 429 and 500 to 599: to anything else another backend has no other answer; "
        + "write 429, or codes or ranges from 500 to 599, such as `502-504` or `429,503`")]
    [TestCase("retries: { statuses: \"429-503\" }",
        "6:26: `429-503` goes beyond 429 and 500 to 599: to anything else another backend has no other answer; "
        + "write 429, or codes or ranges from 500 to 599, such as `502-504` or `429,503`")]
    [TestCase("retries: { statuses: 5xx }",
        "6:26: `5xx` is no status code from 100 to 599; write codes or ranges, such as `200-399` or `200,204`")]
    [TestCase("retries: { replay_buffer: 1GiB }", "6:31: 1GiB is outside 0 to 16MiB; write at most `16MiB`")]
    [TestCase("slow_start: 0s", "6:17: 0s is outside 1ms to 168h; write at least `1ms`")]
    [TestCase("sticky: { cookie: \"a b\" }", "6:23: `a b` is no name of a cookie; use letters, digits, `-` and `_`")]
    [TestCase("sticky: { max_age: 3600 }", "6:24: the duration `3600` has no unit; write `3600s`")]
    [TestCase("when_none_eligible: use-all", "6:25: `use-all` is no when_none_eligible; did you mean `use_all`?")]
    public void A_mistake_in_a_cluster_is_one_error(string lines, string? expected)
        => Assert.That(Parsing.Errors(Parsing.InCluster(lines)),
            Is.EqualTo(expected is null ? [] : (string[])[expected]));

    // What stands between the brackets of `backends: [ … ]`, from column 17 on.
    [TestCase("{ name: x }",
        "3:17: `address` is missing; write `address: \"10.0.0.1:8080\"`, or a name as `dns` or `srv`")]
    [TestCase("{ address: , weight: 2 }",
        "3:19: `address` is empty; write `address: \"10.0.0.1:8080\"`, or a name as `dns` or `srv`")]
    [TestCase("https://a",
        "3:17: TLS to backends is not part of this version; write `http://…` and the backend's plain port")]
    [TestCase("a:80, http://A",
        "3:23: the backend `a:80` is already in this cluster, at line 3; remove one of the two; "
        + "a larger share is a larger `weight`")]
    [TestCase("{ address: a:80, name: x }, { address: b:80, name: x }",
        "3:68: the name `x` is already in this cluster, at line 3; give each backend its own name")]
    [TestCase("a:80, { address: b:80, name: a:80 }",
        "3:46: the name `a:80` is already in this cluster, at line 3; give each backend its own name")]
    [TestCase("{ address: a:80, weight: 1001 }", "3:42: 1001 is outside 0 to 1000; write at most `1000`")]
    [TestCase("{ address: a:80, weight: 1.5 }", "3:42: `1.5` is not a whole number; write a number from 0 to 1000")]
    [TestCase("{ address: a:80, name: a b }",
        "3:40: `a b` is no name; use at most 63 letters, digits, `-`, `_`, `.` and `:`")]
    [TestCase("{ address: a:80, name: 42 }", "3:40: YAML tools take `42` for a number; put it in quotes: `\"42\"`")]
    [TestCase("{ address: a:80, name: 2026-01-01 }",
        "3:40: YAML tools take `2026-01-01` for a date; put it in quotes: `\"2026-01-01\"`")]
    [TestCase("{ adress: a:80 }", "3:19: unknown key `adress`; did you mean `address`?")]
    [TestCase("[ a:80 ]",
        "3:17: an element of `backends` must be a mapping, not a list; write `{ address: … }`")]
    public void A_mistake_in_a_backend_is_reported_where_it_is(string backends, string expected)
        => Assert.That(Parsing.Errors($$"""
            listeners: [ { bind: ":8000" } ]
            clusters: { web: {
                backends: [ {{backends}} ] } }
            """), Is.EqualTo(expected.Split('|')));

    [TestCase("", "1:1: `listeners` is missing; write `listeners: [ { bind: \":8000\" } ]`|"
        + "1:1: `clusters` is missing; write `clusters: { web: { backends: [ \"10.0.0.1:8080\" ] } }`")]
    [TestCase("# nothing\n", "1:1: `listeners` is missing; write `listeners: [ { bind: \":8000\" } ]`|"
        + "1:1: `clusters` is missing; write `clusters: { web: { backends: [ \"10.0.0.1:8080\" ] } }`")]
    [TestCase("just words",
        "1:1: the file must be a mapping, not a single value; begin with `listeners:` and `clusters:`")]
    [TestCase("- a\n- b\n", "1:1: the file must be a mapping, not a list; begin with `listeners:` and `clusters:`")]
    [TestCase("listeners: []\nclusters: {}\n", "1:12: there is no listener; write `listeners: [ { bind: \":8000\" } ]`|"
        + "2:11: there is no cluster; write `clusters: { web: { backends: [ \"10.0.0.1:8080\" ] } }`")]
    [TestCase("listeners: [ {} ]\nclusters: { web: { backends: [] } }\n",
        "1:14: `bind` is missing; write `bind: \":8000\"`")]
    [TestCase("listeners: [ { bind: \":0\" } ]\nclusters: { web: { backends: [] } }\n",
        "1:22: the port `0` is outside 1 to 65535; write at least `1`")]
    [TestCase("listeners: [ { bind: \":1\", expose: [ admin ] } ]\nclusters: { web: { backends: [] } }\n",
        "1:38: `admin` cannot be exposed; possible are `healthz`, `readyz`, `metrics`")]
    [TestCase("listeners: [ { bind: \":1\", expose: [ metric ] } ]\nclusters: { web: { backends: [] } }\n",
        "1:38: `metric` cannot be exposed; did you mean `metrics`?")]
    [TestCase("listeners: [ { bind: \":1\", trusted_proxies: [ 10.0.0.1/8 ] } ]\nclusters: { web: { backends: [] } }\n",
        "1:47: `10.0.0.1/8` has bits beyond its prefix; write `10.0.0.0/8`")]
    [TestCase("listeners: [ { bind: \":1\", trusted_proxies: [ 10.0.0.0/33 ] } ]\n"
        + "clusters: { web: { backends: [] } }\n",
        "1:47: `10.0.0.0/33` is no network; write a prefix length from 0 to 32")]
    [TestCase("listeners: [ { bind: \":1\", trusted_proxies: [ lan ] } ]\nclusters: { web: { backends: [] } }\n",
        "1:47: `lan` is no network; write one such as `10.0.0.0/8`, or a single IP address")]
    [TestCase("listeners: [ { bind: \":1\" }, { bind: \"10.0.0.1:1\" } ]\nclusters: { web: { backends: [] } }\n",
        "1:38: `10.0.0.1:1` is already taken by the listener `:1` at line 1; choose another port, or remove one of "
            + "the two")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: { web: }\n",
        "2:13: `backends` is missing; write `backends: [ \"10.0.0.1:8080\" ]`, or `[]` for none")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: [ web ]\n",
        "2:11: `clusters` must be a mapping, not a list; write `clusters: { NAME: { backends: … } }`")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: { web: [ \"a:80\" ] }\n",
        "2:18: `web` must be a mapping, not a list; write `web: { backends: … }`")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: { \"a b\": { backends: [] } }\n",
        "2:13: `a b` is no name; use at most 63 letters, digits, `-`, `_`, `.` and `:`")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: { on: { backends: [] } }\n",
        "2:13: YAML tools take `on` for a truth value; put it in quotes: `\"on\"`")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: { a: { backends: [] }, b: { backends: [] } }\n",
        "2:34: there is more than one cluster, and no routes choose between them; write `routes`, or keep one cluster")]
    [TestCase("listeners: [ { bind: \":1\" } ]\nclusters: { a: { backends: [] }, a: { backends: [] } }\n",
        "2:34: the key `a` is already in this mapping, at line 2; remove one of the two")]
    public void A_mistake_in_the_whole_is_reported_where_it_is(string text, string expected)
        => Assert.That(Parsing.Errors(text), Is.EqualTo(expected.Split('|')));

    [TestCase("{ match: { host: a.b } }, { match: { host: a.b, path: /x } }", true)]
    [TestCase("{ match: { host: \"*.b\" } }, { match: { host: a.b } }", true)]
    [TestCase("{ match: { host: \"*.b\" } }, { match: { host: \"*.a.b\" } }", true)]
    [TestCase("{ match: { path: / } }, { match: { host: a.b } }", true)]
    [TestCase("{ match: { path: /v1 } }, { match: { path: /v1/x } }", true)]
    [TestCase("{ match: { path: /v1 } }, { match: { path: /v10 } }", false)]
    [TestCase("{ match: { path: /v1/ } }, { match: { path: /v1 } }", false)]
    [TestCase("{ match: { host: a.b } }, { match: { path: /x } }", false)]
    [TestCase("{ match: { host: \"*.b\" } }, { match: { host: b } }", false)]
    [TestCase("{ match: { host: a.b, path: /x } }, { match: { host: a.b } }", false)]
    public void A_route_that_nothing_can_reach_is_a_warning(string matches, bool expected)
    {
        var routes = matches.Replace("} }", "}, cluster: web }");
        var warnings = Parsing.Warnings(Parsing.Smallest + $"routes: [\n  {routes.Replace("}, {", "},\n  {")} ]\n");

        Assert.That(warnings, Is.EqualTo(expected
            ? (string[])["8:3: no request gets to this route: the one at line 7 takes them all; put it before that "
                + "one, or remove it"]
            : []));
    }

    [Test]
    public void An_error_without_a_remedy_ends_after_the_problem()
        => Assert.That(new ConfigError("f", 1, 2, "wrong", "").ToString(),
            Is.EqualTo("f:1:2: wrong"));
}
