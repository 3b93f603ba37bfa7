namespace PolyBalance.Tests.Interop;

/// <summary>One nginx as a backend: a single process, so that a signal to it is a signal to all of it.</summary>
internal sealed class NginxBackend : IAsyncDisposable
{
    private const int StartsMax = 5;

    private readonly string _folder;
    private readonly RunningProgram _process;

    private NginxBackend(string folder, RunningProgram process, int port)
    {
        _folder = folder;
        _process = process;
        Address = $"127.0.0.1:{port}";
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>What it serves under <c>/files/</c>.</summary>
    public string Files => Path.Combine(_folder, "files");

    /// <summary>Whether <c>/healthz</c> answers 200; 404 otherwise.</summary>
    public bool IsUp
    {
        get => File.Exists(UpFile(_folder));
        set
        {
            if (value)
                File.WriteAllText(UpFile(_folder), "");
            else
                File.Delete(UpFile(_folder));
        }
    }

    /// <summary>Whether <c>/counted</c> answers 500; 200 otherwise.</summary>
    public bool IsFailing
    {
        get => File.Exists(FailingFile(_folder));
        set
        {
            if (value)
                File.WriteAllText(FailingFile(_folder), "");
            else
                File.Delete(FailingFile(_folder));
        }
    }

    /// <summary>Requests for <c>/counted</c> that it has answered: each is a line of two bytes.</summary>
    public long Counted => new FileInfo(CountFile(_folder)).Length / 2;

    /// <summary>Starts one and waits until it listens.</summary>
    /// <param name="name">What it says in the field X-Backend of every response.</param>
    public static Task<NginxBackend> StartAsync(string name) => StartAtAsync(name, port: null);

    /// <summary>Starts one and waits until it listens, where another one listened before.</summary>
    /// <param name="name">What it says in the field X-Backend of every response.</param>
    /// <param name="port">The port; null: any.</param>
    public static async Task<NginxBackend> StartAtAsync(string name, int? port)
    {
        var nginx = Programs.Find("nginx");
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "files"));
        await File.WriteAllTextAsync(UpFile(folder), "");
        for (var start = 1; ; start++)
        {
            var chosen = port ?? FreePort.Next();
            var file = Path.Combine(folder, "nginx.conf");
            await File.WriteAllTextAsync(file, Configuration(folder, name, chosen));
            var process = RunningProgram.Start(nginx, ["-e", "stderr", "-p", folder, "-c", file]);
            try
            {
                // Logged after the sockets listen.
                await process.ErrorLineAsync("event method");
                return new(folder, process, chosen);
            }
            catch (InvalidOperationException)
            {
                await process.DisposeAsync();

                // Perhaps somebody took the port between our look and its bind.
                if (start == StartsMax)
                    throw;
            }
        }
    }

    /// <summary>Sends it a signal.</summary>
    public void Signal(int number) => _process.Signal(number);

    /// <summary>Ends it without a chance to say goodbye; returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Signal(RunningProgram.SigKill);
        await _process.EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static string UpFile(string folder) => Path.Combine(folder, "up");

    private static string FailingFile(string folder) => Path.Combine(folder, "failing");

    private static string CountFile(string folder) => Path.Combine(folder, "counted.log");

    private static string Configuration(string folder, string name, int port) =>
        $$"""
        daemon off;
        master_process off;
        pid {{folder}}/nginx.pid;
        error_log stderr notice;
        events { worker_connections 4096; }
        http {
          access_log off;
          log_format one "+";
          default_type text/plain;
          types { }
          client_max_body_size 0;
          client_body_temp_path {{folder}}/body;
          proxy_temp_path {{folder}}/proxy;
          fastcgi_temp_path {{folder}}/fastcgi;
          uwsgi_temp_path {{folder}}/uwsgi;
          scgi_temp_path {{folder}}/scgi;
          keepalive_requests 1000000;
          sendfile on;
          gzip_proxied any;
          gzip_min_length 100;
          server {
            listen 127.0.0.1:{{port}} backlog=4096;
            add_header X-Backend {{name}} always;
            location / { return 200 "hello from nginx\n"; }
            location = /counted {
              access_log {{CountFile(folder)}} one;
              if (-f {{FailingFile(folder)}}) { return 500 "failing\n"; }
              return 200 "counted\n";
            }
            location = /healthz {
              if (!-f {{UpFile(folder)}}) { return 404; }
              return 200 "up\n";
            }
            location /files/ {
              alias {{folder}}/files/;
              gzip on;
              gzip_types text/plain;
              dav_methods PUT DELETE;
            }
          }
        }
        """;
}
