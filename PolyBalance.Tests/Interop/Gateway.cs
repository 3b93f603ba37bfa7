using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>The gateway under test: the built executable as a process of its own, on a port of its own.</summary>
internal sealed class Gateway : IAsyncDisposable
{
    private const int StartsMax = 5;

    private readonly string _folder;
    private readonly RunningProgram _process;

    private Gateway(string folder, RunningProgram process, int port)
    {
        _folder = folder;
        _process = process;
        Address = new(IPAddress.Loopback, port);
        Http = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1024 })
        {
            BaseAddress = new Uri($"http://{Address}"),
            Timeout = RunningProgram.Patience,
        };
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; }

    /// <summary>A client of it, for what needs no particular client.</summary>
    public HttpClient Http { get; }

    /// <summary>What it has logged: life cycle, warnings, errors.</summary>
    public IReadOnlyCollection<string> Log => _process.Errors;

    /// <summary>Bytes written to the access log so far.</summary>
    public long AccessLogLength => new FileInfo(AccessLogPath).Length;

    /// <summary>Resident memory now. Unit: bytes.</summary>
    public long Memory => MemoryOf("VmRSS");

    /// <summary>The most resident memory it ever had. Unit: bytes.</summary>
    public long MemoryPeak => MemoryOf("VmHWM");

    /// <summary>Processor time that it has used, on all its threads.</summary>
    public TimeSpan ProcessorTime => _process.ProcessorTime;

    /// <summary>Files that it has open now, sockets included.</summary>
    public int OpenFiles => Directory.GetFiles($"/proc/{_process.Id}/fd").Length;

    private string AccessLogPath => Path.Combine(_folder, "access.log");

    /// <summary>Starts it with one cluster that takes everything, and waits until it accepts.</summary>
    /// <param name="transport">One of <see cref="Transports"/>.</param>
    /// <param name="backends">Addresses of the backends.</param>
    /// <param name="cluster">Further keys of the cluster, in flow style.</param>
    /// <param name="more">Further sections of the file.</param>
    /// <param name="expose">What its listener answers itself.</param>
    public static Task<Gateway> StartAsync(
        string transport, IEnumerable<string> backends, string cluster = "", string more = "", string expose = "")
        => StartAsync(transport, $"clusters:\n  web: {Cluster(backends, cluster)}\n{more}", expose: expose);

    /// <summary>Starts it with a topology of its own, and waits until it accepts.</summary>
    /// <param name="transport">One of <see cref="Transports"/>; the test is ignored where it is not to be had.</param>
    /// <param name="sections">The file without listeners, admin, logging and transport.</param>
    /// <param name="filesMax">How many files it may open; 0: as many as anybody.</param>
    /// <param name="expose">What its listener answers itself.</param>
    public static async Task<Gateway> StartAsync(
        string transport, string sections, int filesMax = 0, string expose = "")
    {
        await Transports.RequireAsync(transport);
        var folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
        for (var start = 1; ; start++)
        {
            var port = FreePort.Next();
            var file = Path.Combine(folder, "polybalance.yaml");
            await File.WriteAllTextAsync(file,
                $$"""
                listeners: [ { bind: "127.0.0.1:{{port}}", expose: [ {{expose}} ] } ]
                admin: off
                logging: { access_path: "{{folder}}/access.log" }
                transport: {{transport}}
                {{sections}}
                """);

            string[] command = [.. Executable.Command, "run", "--config", file];
            var process = filesMax == 0
                ? RunningProgram.Start(command[0], command[1..])
                : RunningProgram.Start("/bin/sh", ["-c", $"ulimit -n {filesMax}; exec \"$@\"", "sh", .. command]);
            try
            {
                await process.ErrorLineAsync("Ready");
                return new(folder, process, port);
            }
            catch (InvalidOperationException)
            {
                await process.DisposeAsync();
                if (start == StartsMax || !process.Errors.Any(IsAboutThePort))
                    throw;
            }
        }
    }

    /// <summary>One cluster as the configuration has it; eligible from the start.</summary>
    public static string Cluster(IEnumerable<string> backends, string keys = "")
        => $"{{ health: off, {(keys.Length > 0 ? keys + ", " : "")}"
            + $"backends: [ {string.Join(", ", backends.Select(backend => $"\"{backend}\""))} ] }}";

    /// <summary>An address below it, as a program's command line wants it.</summary>
    public string At(string target) => $"http://{Address}{target}";

    /// <summary>The content of a response, which must be a success.</summary>
    public Task<string> GetAsync(string target) => Http.GetStringAsync(new Uri(target, UriKind.Relative));

    /// <summary>Waits for a line of its log.</summary>
    public Task<string> LogLineAsync(string text) => _process.ErrorLineAsync(text);

    /// <summary>Sends it a signal.</summary>
    public void Signal(int number) => _process.Signal(number);

    /// <summary>Waits for its end.</summary>
    public Task<ProgramResult> EndAsync() => _process.EndAsync();

    /// <summary>Asks it to stop, and waits until it has.</summary>
    public async Task<ProgramResult> StopAsync()
    {
        _process.Signal(RunningProgram.SigTerm);
        return await _process.EndAsync();
    }

    /// <summary>The access log, parsed. Whole only after <see cref="StopAsync"/>.</summary>
    public IReadOnlyList<JsonElement> AccessLines()
        => [.. File.ReadLines(AccessLogPath).Select(line => JsonDocument.Parse(line).RootElement)];

    /// <summary>Whether some line of the access log, as far as it is written, holds a text.</summary>
    public bool HasAccessLine(string text)
        => File.ReadLines(AccessLogPath).Any(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>Fails when anything went wrong inside: an unexpected exception, or the end of the process.</summary>
    public void AssertHealthy()
    {
        Assert.That(_process.HasEnded, Is.False, "the gateway has ended");
        Assert.That(Log.Where(line => line.Contains("xception", StringComparison.Ordinal)
            || line.Contains("bug in PolyBalance", StringComparison.Ordinal)), Is.Empty);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    // Somebody took the port between our look and its bind.
    private static bool IsAboutThePort(string line) => line.Contains("in use", StringComparison.Ordinal);

    private long MemoryOf(string row)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status")
            .First(line => line.StartsWith(row + ":", StringComparison.Ordinal));
        return 1024 * long.Parse(Regex.Match(line, @"\d+").Value, CultureInfo.InvariantCulture);
    }
}
