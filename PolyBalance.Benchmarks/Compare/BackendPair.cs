namespace PolyBalance.Benchmarks.Compare;

/// <summary>Two backends on one nginx with one worker, the same for every proxy.</summary>
internal sealed class BackendPair : IAsyncDisposable
{
    /// <summary>Length of the content of <c>/</c>. Unit: bytes.</summary>
    public const int SmallLength = 49;

    private const int MediumLength = 10 * 1024;
    private const int LargeLength = 1024 * 1024;

    private readonly ChildProgram _nginx;

    private BackendPair(ChildProgram nginx, IReadOnlyList<string> addresses)
    {
        _nginx = nginx;
        Addresses = addresses;
    }

    /// <summary>Where they listen.</summary>
    public IReadOnlyList<string> Addresses { get; }

    /// <summary>Starts them.</summary>
    /// <exception cref="LeftOutException">nginx is missing or does not start.</exception>
    public static async Task<BackendPair> StartAsync(Workbench workbench, CancellationToken stop)
    {
        var path = ChildProgram.Find("nginx")
            ?? throw new LeftOutException("nginx, which the backends are, is not installed");
        var folder = workbench.MakeFolder("backends");
        await File.WriteAllTextAsync(Path.Combine(folder, "10k"), new string('k', MediumLength), stop);
        await File.WriteAllTextAsync(Path.Combine(folder, "1m"), new string('m', LargeLength), stop);
        int[] ports = [Workbench.FreePort(), Workbench.FreePort()];
        var file = await workbench.WriteAsync(folder, "backends.conf", Configuration(folder, ports), stop);

        var nginx = ChildProgram.Start(path, ["-e", "stderr", "-p", folder, "-c", file]);
        try
        {
            foreach (var port in ports)
                await Readiness.WaitAsync(nginx, port, stop);
        }
        catch
        {
            await nginx.DisposeAsync();
            throw;
        }

        return new(nginx, [.. ports.Select(port => $"127.0.0.1:{port}")]);
    }

    public ValueTask DisposeAsync() => _nginx.DisposeAsync();

    private static string Configuration(string folder, int[] ports) =>
        $$"""
        {{NginxText.Process(folder, workers: 1)}}
        http {
          access_log off;
          default_type text/plain;
          sendfile on;
          keepalive_timeout 3600s;
          keepalive_requests 1000000000;
          client_max_body_size 0;
          client_body_buffer_size 2m;
        {{NginxText.Folders(folder)}}
          upstream self { server 127.0.0.1:{{ports[0]}}; keepalive 512; keepalive_requests 1000000000; }
        {{Backend(folder, ports[0])}}
        {{Backend(folder, ports[1])}}
        }

        """;

    // An upload is read to its end before it is answered: the answer is fetched from / by a request without content.
    // SSI takes the length off a response, so that it leaves in chunks.
    private static string Backend(string folder, int port) =>
        $$"""
          server {
            listen 127.0.0.1:{{port}} backlog=4096;
            location = / { return 200 "{{new string('s', SmallLength)}}"; }
            location = /10k { alias {{folder}}/10k; }
            location = /1m { alias {{folder}}/1m; }
            location = /chunked { alias {{folder}}/10k; ssi on; ssi_types *; }
            location = /upload {
              proxy_pass http://self/;
              proxy_method GET;
              proxy_pass_request_body off;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header Content-Length "";
            }
          }
        """;
}
