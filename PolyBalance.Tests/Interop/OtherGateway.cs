using System.Globalization;
using System.Net;

namespace PolyBalance.Tests.Interop;

/// <summary>nginx or haproxy in the place of PolyBalance, for comparisons.</summary>
internal sealed class OtherGateway : IAsyncDisposable
{
    private readonly string _folder;
    private readonly RunningProgram _process;

    private OtherGateway(string folder, RunningProgram process, int port)
    {
        _folder = folder;
        _process = process;
        Address = new(IPAddress.Loopback, port);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>Starts nginx before a backend.</summary>
    public static Task<OtherGateway> StartNginxAsync(string backend) => StartAsync(
        Programs.Find("nginx"), "event method",
        (folder, port) =>
            $$"""
            daemon off;
            master_process off;
            pid {{folder}}/nginx.pid;
            error_log stderr notice;
            events { }
            http {
              access_log off;
              client_header_timeout 2s;
              client_body_timeout 2s;
              client_body_temp_path {{folder}}/body;
              proxy_temp_path {{folder}}/proxy;
              fastcgi_temp_path {{folder}}/fastcgi;
              uwsgi_temp_path {{folder}}/uwsgi;
              scgi_temp_path {{folder}}/scgi;
              server {
                listen 127.0.0.1:{{port}};
                location / {
                  proxy_pass http://{{backend}};
                  proxy_http_version 1.1;
                  proxy_set_header Host $http_host;
                  proxy_request_buffering off;
                }
              }
            }

            """,
        (folder, file) => ["-e", "stderr", "-p", folder, "-c", file]);

    /// <summary>Starts haproxy before a backend.</summary>
    public static Task<OtherGateway> StartHaproxyAsync(string backend) => StartAsync(
        Programs.FindOptional("haproxy"), "Loading success",
        (_, port) =>
            $"""
            defaults
              mode http
              timeout connect 3s
              timeout client 3s
              timeout server 3s
            listen all
              bind 127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}
              server one {backend}

            """,
        (_, file) => ["-W", "-db", "-f", file]);

    public async ValueTask DisposeAsync()
    {
        // haproxy's first process ends the second one, when it is told to.
        _process.Signal(RunningProgram.SigTerm);
        await _process.EndAsync();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<OtherGateway> StartAsync(
        string program, string ready, Func<string, int, string> configuration, Func<string, string, string[]> arguments)
    {
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        var file = Path.Combine(folder, "gateway.conf");
        var port = FreePort.Next();
        await File.WriteAllTextAsync(file, configuration(folder, port));
        var process = RunningProgram.Start(program, arguments(folder, file));
        await process.ErrorLineAsync(ready);
        return new(folder, process, port);
    }
}
