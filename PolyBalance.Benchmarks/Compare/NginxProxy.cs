namespace PolyBalance.Benchmarks.Compare;

/// <summary>nginx as a proxy under test.</summary>
internal static class NginxProxy
{
    /// <summary>
    /// A worker per processor, ample connections to the backends, bodies streamed in blocks of 64 KiB as PolyBalance
    /// does, and not put on disk.
    /// </summary>
    /// <remarks>
    /// With its usual buffers of 4 KiB nginx took two to three times as much CPU for 1 MiB, and nothing less for small
    /// responses: that would be an easy peer. HAProxy keeps its usual 16 KiB, because 64 KiB made it slower.
    /// </remarks>
    /// <param name="logs">Whether each exchange becomes a line of JSON in a file.</param>
    public static PrepareProxy Prepare(bool logs) => async (workbench, folder, port, stop) =>
    {
        var path = ChildProgram.Find("nginx") ?? throw new LeftOutException("nginx is not installed");
        var (_, version) = await ChildProgram.RunAsync(path, ["-v"], stop);
        var name = logs ? "nginx-log-on.conf" : "nginx.conf";
        var file = await workbench.WriteAsync(folder, name, Configuration(workbench, folder, port, logs), stop);
        return new(
            path, ["-e", "stderr", "-p", folder, "-c", file], version.Replace("nginx version: nginx/", "").Trim());
    };

    private static string Configuration(Workbench workbench, string folder, int port, bool logs) =>
        $$"""
        {{NginxText.Process(folder, Workbench.Workers)}}
        http {
          {{(logs ? LogLines(folder) : "access_log off;")}}
          keepalive_timeout 75s;
          keepalive_requests 1000000000;
          client_max_body_size 0;
          client_body_buffer_size 64k;
        {{NginxText.Folders(folder)}}
          upstream backends {
            {{string.Join(' ', workbench.Backends.Select(backend => $"server {backend};"))}}
            keepalive 1024;
            keepalive_requests 1000000000;
            keepalive_timeout 60s;
          }
          server {
            listen 127.0.0.1:{{port}} backlog=4096 reuseport;
            location / {
              proxy_pass http://backends;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Host $http_host;
              proxy_set_header X-Forwarded-For $remote_addr;
              proxy_set_header X-Forwarded-Proto $scheme;
              proxy_set_header X-Forwarded-Host $http_host;
              proxy_set_header X-Request-Id $request_id;
              proxy_request_buffering off;
              proxy_buffers 8 64k;
              proxy_busy_buffers_size 128k;
              proxy_max_temp_file_size 0;
            }
          }
        }

        """;

    private static string LogLines(string folder) =>
        $$"""
        log_format json escape=json '{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
            '"target":"$request_uri","status":$status,"bytes":$body_bytes_sent,"duration":$request_time,'
            '"backend":"$upstream_addr","request_id":"$request_id"}';
          access_log {{folder}}/access.log json buffer=64k flush=1s;
        """;
}
