namespace PolyBalance.Tests.Configuration;

/// <summary>Every key with its default, as the documentation shows them.</summary>
internal static class FullExample
{
    public const string Text = """
        listeners:
          - bind: ":8000"                     # host:port, [v6]:port, unix:/path
            expose: []                        # healthz, readyz, metrics
            trusted_proxies: []               # CIDRs whose X-Forwarded-* are believed
        admin:
          bind: 127.0.0.1:8081
          token_file: ~                       # required off loopback
        routes:                               # first match wins; without routes, the only cluster takes all
          - match: { host: api.example.com, path: /v1/ }
            cluster: api
        clusters:
          web:
            algorithm: round_robin
            host: preserve                    # preserve | backend | literal
            backends:
              - { address: "10.0.0.11:8080", name: web-1, weight: 3 }
              - { address: "10.0.0.12:8080", name: web-2, weight: 1, health: { interval: 2s } }
              - { dns: "web.example.com:8080" }               # every address of the name
              - { srv: _http._tcp.web.example.com }           # every place of the service
            pool: { size: 10, max_connections: 0, idle_timeout: 30s, max_lifetime: 10m }
            timeouts: { connect: 3s, response: 30s, response_idle: 60s, request: ~ }
            health: { kind: http, path: /, interval: 10s, timeout: 5s, unhealthy_threshold: 3, healthy_threshold: 2,
                      jitter: 20%, expect: 200-399 }
            ejection: { consecutive_failures: 5, base_time: 10s, max_time: 5m }
            retries: { attempts: 2, budget: 20%, replay_buffer: 64KiB }
            slow_start: 10s
            sticky: { cookie: X-LB-Backend, max_age: 1h, key_file: ~ }      # absent = off
            when_none_eligible: refuse        # refuse | use_all
          api: { backends: [ "10.0.1.11:8080" ] }
        timeouts: { client_header: 10s, client_idle: 75s, client_body_idle: 30s, client_write: 60s, tunnel_idle: 1h }
        limits: { head: 32KiB, fields: 128, connections: 0 }
        dns: { servers: [], timeout: 1s, min_ttl: 5s, max_ttl: 60s, hold: 30s }        # none: /etc/resolv.conf
        logging: { level: information, access: json, access_path: stdout }
        shutdown: { drain: 10s, delay: 0s, upgrade_drain: 1h }
        transport: auto                       # auto | io_uring | sockets

        """;

    /// <summary>
    /// Every key of it but the names that users choose, with its offset and its 1-based line and column.
    /// </summary>
    public static IEnumerable<(string Name, int Offset, int Line, int Column)> Keys()
    {
        var line = 1;
        var start = 0;
        for (var i = 0; i < Text.Length; i++)
        {
            if (Text[i] == '\n')
                (line, start) = (line + 1, i + 1);
            if (Text[i] != ':' || Text[i + 1] is not (' ' or '\n')
                || Text[start..i].Contains('#', StringComparison.Ordinal))
                continue;

            var begin = i;
            while (begin > start && (char.IsAsciiLetter(Text[begin - 1]) || Text[begin - 1] == '_'))
                begin--;

            if (Text[begin..i] is not ("web" or "api" or ""))
                yield return (Text[begin..i], begin, line, begin - start + 1);
        }
    }
}
