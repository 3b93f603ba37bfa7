using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Server;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Support;

/// <summary>A gateway over real sockets whose configuration is a text that tests change.</summary>
internal sealed class LiveGateway : IConfigSource, IAsyncDisposable
{
    private readonly ProxyServer _server;
    private readonly HttpClient _client = new();
    private readonly IExchangeSink? _sink;

    private LiveGateway(string text, string? token, IExchangeSink? sink, Predecessor? predecessor)
    {
        _sink = sink;
        (Text, Token) = (text, token is null ? null : BearerToken.Parse(token, out _));
        var read = Parse(Text, Name);
        Assert.That(read.Errors, Is.Empty);
        _server = ProxyServer.Create(read.Options!, new Logs(Lines), sink, this, predecessor: predecessor);
    }

    /// <summary>What the file says.</summary>
    public string Text { get; set; }

    /// <summary>What is in the way of the next reload outside of the gateway.</summary>
    public ConfigError? Obstacle { get; set; }

    /// <summary>Called in the middle of a reload; null: nothing is.</summary>
    public Action? Preparing { get; set; }

    /// <summary>What was adopted last.</summary>
    public ProxyOptions? Adopted { get; private set; }

    /// <summary>What was logged.</summary>
    public LogLines Lines { get; } = new();

    /// <summary>The gateway.</summary>
    public ProxyServer Server => _server;

    /// <inheritdoc/>
    public string Name => "live.yaml";

    private BearerToken? Token { get; }

    /// <summary>Starts one. Ports 0 in the text are free ones.</summary>
    public static async Task<LiveGateway> StartAsync(
        string text, string? token = null, IExchangeSink? sink = null, Predecessor? predecessor = null)
    {
        var gateway = new LiveGateway(text, token, sink, predecessor);
        await gateway._server.StartAsync();
        return gateway;
    }

    /// <inheritdoc/>
    public ConfigResult Read(bool isToApply) => Parse(Text, Name);

    /// <inheritdoc/>
    public ConfigResult Parse(string text, string name)
    {
        var result = ProxyOptions.Parse(text, name);
        if (result.Options is not { } options)
            return result;

        // Ports below 10 stand for any free port, which a file cannot ask for.
        return result with
        {
            Options = options with
            {
                Listeners = [.. options.Listeners.Select(one => one with { Bind = Free(one.Bind) })],
                Admin = options.Admin is { } admin ? admin with { Bind = Free(admin.Bind), Token = Token } : null,
            },
        };
    }

    /// <inheritdoc/>
    public ConfigError? Prepare(ProxyOptions options)
    {
        Preparing?.Invoke();
        return Obstacle;
    }

    /// <inheritdoc/>
    public IExchangeSink? Adopt(ProxyOptions options)
    {
        Adopted = options;
        return _sink;
    }

    /// <summary>Asks the admin listener.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">From the slash.</param>
    /// <param name="content">JSON; null: nothing is sent along.</param>
    /// <param name="fields">Further fields: <c>name: value</c>.</param>
    public async Task<(int Status, JsonElement Json, HttpResponseMessage Response)> AskAsync(
        string method, string path, string? content = null, params string[] fields)
    {
        using var request = new HttpRequestMessage(new(method), $"http://{_server.AdminAddress}{path}");
        if (content is not null)
            request.Content = new StringContent(content, Encoding.UTF8, "application/json");
        foreach (var field in fields)
        {
            var parts = field.Split(": ", 2);
            request.Headers.TryAddWithoutValidation(parts[0], parts[1]);
        }

        var response = await _client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType == "application/json";
        var json = isJson && text.Length > 0 ? JsonDocument.Parse(text).RootElement : default;
        AdminContract.Check(method, path, (int)response.StatusCode, json);
        return ((int)response.StatusCode, json, response);
    }

    /// <summary>Asks for something through the gateway.</summary>
    public async Task<HttpResponseMessage> GetAsync(string path, int listener = 0)
        => await _client.GetAsync(new Uri($"http://{_server.TrafficAddresses[listener]}{path}"));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    private static Address Free(Address address)
        => address is { IsUnix: false, Port: < 10 } ? Address.Tcp(address.Host, 0) : address;

    private sealed class Logs(LogLines lines) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => lines;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }
}
