namespace PolyBalance.Benchmarks.Compare;

/// <summary>HAProxy as a proxy under test.</summary>
internal static class HaproxyProxy
{
    /// <summary>
    /// A thread per processor; connections to the backends are reused for every request, as all the others do.
    /// </summary>
    /// <param name="logs">Whether each exchange becomes a line of JSON in a file.</param>
    public static PrepareProxy Prepare(bool logs) => async (workbench, folder, port, stop) =>
    {
        var path = ChildProgram.Find("haproxy") ?? throw new LeftOutException("haproxy is not installed");
        var (_, said) = await ChildProgram.RunAsync(path, ["-v"], stop);
        var version = said.Split('\n')[0].Replace("HAProxy version ", "").Split(' ')[0];
        var name = logs ? "haproxy-log-on.cfg" : "haproxy.cfg";
        var file = await workbench.WriteAsync(folder, name, Configuration(workbench, port, logs), stop);

        // It logs to no file by itself, only to its output.
        return logs
            ? new("/bin/sh", ["-c", $"exec {path} -db -f {file} > {folder}/access.log"], version)
            : new(path, ["-db", "-f", file], version);
    };

    private static string Configuration(Workbench workbench, int port, bool logs) =>
        $$"""
        global
          nbthread {{Workbench.Workers}}
          maxconn 12000
          no strict-limits
        {{(logs ? "  log stdout format raw local0 info" : "")}}
        defaults
          mode http
          timeout connect 3s
          timeout client 75s
          timeout server 60s
          timeout http-keep-alive 75s
          option forwardfor
          http-reuse always
        frontend all
          bind 127.0.0.1:{{port}} backlog 4096
          http-request set-header X-Forwarded-Proto http
          http-request set-header X-Forwarded-Host %[req.hdr(host)]
          unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt
          unique-id-header X-Request-Id
        {{(logs ? LogLines : "")}}
          default_backend web
        backend web
          balance roundrobin
          default-server pool-purge-delay 60s
        {{string.Join('\n', workbench.Backends.Select((backend, index) => $"  server web-{index + 1} {backend}"))}}

        """;

    // A log format is one line.
    private const string LogLines =
        "  log global\n  log-format '"
        + """{"time":"%tr","client":"%ci","method":"%HM","target":"%HP","status":%ST,"bytes":%B,"duration":%Ta,"""
        + "\"backend\":\"%s\",\"request_id\":\"%ID\"}'";
}
