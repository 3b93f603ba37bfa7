using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// The executable as operators run it, without its access log, while strace writes every system call of it down.
/// </summary>
internal sealed partial class TracedGateway : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("polybalance-").FullName;
    private readonly Dictionary<string, long> _calls = [];
    private RunningProgram _process = null!;
    private StreamReader _trace = null!;
    private string _text = "";

    private TracedGateway()
    {
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address { get; private set; } = null!;

    /// <summary>Starts it. Ignores the test where nothing can be traced, or where there is no such transport.</summary>
    /// <param name="transport">One of <see cref="Transports"/>.</param>
    /// <param name="backend">Where the only backend listens.</param>
    public static async Task<TracedGateway> StartAsync(string transport, EndPoint backend)
    {
        await Transports.RequireAsync(transport);
        var gateway = new TracedGateway();
        try
        {
            await gateway.LaunchAsync(transport, backend);
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>How often each system call was made since the start, as far as it is written down.</summary>
    public IReadOnlyDictionary<string, long> Calls()
    {
        _text += _trace.ReadToEnd();
        var end = _text.LastIndexOf('\n') + 1;
        foreach (var line in _text.AsSpan(0, end).EnumerateLines())
        {
            // A call during which another thread was heard of has a second line, without an opening parenthesis.
            if (CallName().Match(line.ToString()) is { Success: true } call)
                _calls[call.Groups[1].Value] = _calls.GetValueOrDefault(call.Groups[1].Value) + 1;
        }

        // The file may end in the middle of a line: the rest comes the next time.
        _text = _text[end..];
        return new Dictionary<string, long>(_calls);
    }

    public async ValueTask DisposeAsync()
    {
        _trace?.Dispose();
        if (_process is not null)
        {
            _process.Signal(RunningProgram.SigTerm);
            await _process.EndAsync();
            await _process.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private async Task LaunchAsync(string transport, EndPoint backend)
    {
        var file = Path.Combine(_folder, "polybalance.yaml");
        var trace = Path.Combine(_folder, "calls");
        await File.WriteAllTextAsync(
            file,
            $$"""
            listeners: [ { bind: "127.0.0.1:8000" } ]
            admin: off
            clusters: { web: { health: off, backends: [ "{{backend}}" ], pool: { size: 256 } } }
            logging: { access: off }
            transport: {{transport}}
            """);

        _process = await Strace.StartAsync(
            ["-s", "0", "--signal=none", "-o", trace], "run", "--config", file, "-port=0");
        await _process.ErrorLineAsync("Ready");
        var line = await _process.ErrorLineAsync("Listening for traffic");
        var port = Regex.Match(line, @":(\d+) with").Groups[1].Value;
        Address = new(IPAddress.Loopback, int.Parse(port, CultureInfo.InvariantCulture));
        _trace = new(new FileStream(trace, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
    }

    [GeneratedRegex(@"^\d+ +(\w+)\(")]
    private static partial Regex CallName();
}
