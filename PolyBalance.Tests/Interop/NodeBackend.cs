using System.Globalization;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Interop;

/// <summary>
/// One Node process as a backend, running <c>Scripts/backend.js</c>: it echoes, holds, streams and counts. What it is
/// told to do goes directly to it, past the gateway, so that events have an order without any waiting for time to pass.
/// </summary>
internal sealed class NodeBackend : IAsyncDisposable
{
    private readonly RunningProgram _process;
    private readonly HttpClient _direct;

    private NodeBackend(RunningProgram process, int port)
    {
        _process = process;
        Address = $"127.0.0.1:{port}";
        _direct = new(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new Uri($"http://{Address}"),
            Timeout = RunningProgram.Patience,
        };
    }

    /// <summary>Where it listens.</summary>
    public string Address { get; }

    /// <summary>Starts one and waits until it listens.</summary>
    /// <param name="name">What it says in the field X-Backend of every response.</param>
    /// <param name="keepAliveMilliseconds">How long it keeps an idle connection.</param>
    public static async Task<NodeBackend> StartAsync(string name, int keepAliveMilliseconds = 60_000)
    {
        var process = RunningProgram.Start(
            Programs.Find("node"), [Script("backend.js"), name, $"{keepAliveMilliseconds}"]);
        var line = await process.OutputLineAsync("listening ");
        return new(process, int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    /// <summary>The path of one of the scripts that belong to these tests.</summary>
    public static string Script(string name) => Repository.PathOf("PolyBalance.Tests", "Interop", "Scripts", name);

    /// <summary>Requests it has received through the gateway.</summary>
    public async Task<int> RequestsAsync() => int.Parse(await TellAsync("requests"), CultureInfo.InvariantCulture);

    /// <summary>Completes when it holds this many requests to <c>/hold</c> without an answer.</summary>
    public Task<string> HoldsAsync(int count) => TellAsync($"held?{count}");

    /// <summary>Answers all requests that it holds.</summary>
    public Task<string> ReleaseAsync() => TellAsync("release");

    /// <summary>Completes when this many of its exchanges were broken off from the other side.</summary>
    public Task<string> AbortsAsync(int count) => TellAsync($"aborts?{count}");

    /// <summary>Sends the next event on every open event stream.</summary>
    public Task<string> NextEventAsync() => TellAsync("event");

    /// <summary>Ends every open event stream.</summary>
    public Task<string> EndEventsAsync() => TellAsync("events-end");

    public async ValueTask DisposeAsync()
    {
        _direct.Dispose();
        await _process.DisposeAsync();
    }

    private Task<string> TellAsync(string what) => _direct.GetStringAsync(new Uri($"/-/{what}", UriKind.Relative));
}
