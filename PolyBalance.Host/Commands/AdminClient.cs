using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using PolyBalance.Configuration;
using PolyBalance.Host.Configuration;

namespace PolyBalance.Host.Commands;

/// <summary>Where a command finds the gateway that it talks to.</summary>
/// <param name="Config">What <c>--config</c> says, or <see langword="null"/>.</param>
/// <param name="Admin">What <c>--admin</c> says, or <see langword="null"/>: what the configuration has.</param>
/// <param name="TokenFile">What <c>--token-file</c> says; <see langword="null"/>: what the configuration has.</param>
internal sealed record OperatorFlags(string? Config, string? Admin, string? TokenFile);

/// <summary>What the gateway answered.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Text">The content.</param>
/// <param name="Json">The content as JSON; undefined when it is none.</param>
internal sealed record AdminReply(int Status, string Text, JsonElement Json)
{
    /// <summary>Whether what was asked is done.</summary>
    public bool IsFine => Status is >= 200 and < 300;
}

/// <summary>Asks a running gateway over its admin listener.</summary>
internal sealed class AdminClient : IDisposable
{
    private static readonly Address DefaultBind = AdminOptions.Default.Bind;

    private readonly HttpClient _client;
    private readonly string _place;
    private readonly string _hint;

    private AdminClient(Address bind, string? token, string hint)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) };
        if (bind.IsUnix)
        {
            handler.ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(bind.Path), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            };
        }

        // Who listens on every address listens on this one.
        var host = bind.Host is "" or "0.0.0.0" or "::" ? "127.0.0.1" : bind.Host;
        _place = bind.IsUnix ? bind.ToString() : Address.Tcp(host, bind.Port).ToString();
        _hint = hint;
        _client = new(handler)
        {
            BaseAddress = new($"http://{(bind.IsUnix ? "localhost" : _place)}/"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (token is not null)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>Finds out where the gateway is, and what it wants to be shown. Connects to nothing yet.</summary>
    /// <param name="flags">What the command line says.</param>
    /// <param name="surroundings">Files and variables.</param>
    /// <param name="problem">A line for the user, when the result is null.</param>
    public static AdminClient? Find(OperatorFlags flags, Surroundings surroundings, out string problem)
    {
        problem = "";
        var (admin, hint) = Configured(flags.Config, surroundings);
        var bind = admin?.Bind ?? DefaultBind;
        if (flags.Admin is { } given)
        {
            var isUrl = given.StartsWith("http://", StringComparison.OrdinalIgnoreCase);
            var text = isUrl ? given["http://".Length..].TrimEnd('/') : given;
            if (Address.Parse(text, out var flaw) is not { } named)
            {
                problem = $"--admin: {flaw}";
                return null;
            }

            (bind, hint) = (named, "");
        }
        else if (admin is null && hint.Length == 0)
        {
            problem = "the configuration has `admin: off`, so nobody can be asked; name another with --admin";
            return null;
        }

        var file = flags.TokenFile ?? admin?.TokenFile;
        if (file is null)
            return new(bind, token: null, hint);

        var token = TextFile.TryRead(
            () => File.OpenRead(Path.Combine(surroundings.Folder, file)), SecretFiles.BytesMax, out problem);
        if (token is not null)
            return new(bind, token.Trim(), hint);

        problem = $"{file}: {problem}; name a file with the gateway's token with --token-file";
        return null;
    }

    /// <summary>Asks.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">Without the slash in front.</param>
    /// <param name="content">JSON; null: nothing is sent along.</param>
    /// <exception cref="UnreachableGatewayException">Nobody answers. The message says what to do.</exception>
    public async Task<AdminReply> AskAsync(HttpMethod method, string path, string? content = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (content is not null)
            request.Content = new StringContent(content, Encoding.UTF8, "application/json");
        try
        {
            using var response = await _client.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            return new((int)response.StatusCode, text, ToJson(text));
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            throw Unreachable(failure);
        }
    }

    /// <summary>Reads a stream of server-sent events to its end; each has JSON.</summary>
    /// <param name="path">Without the slash in front.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>The data of each event, or one reply that says why there is no stream.</returns>
    /// <exception cref="UnreachableGatewayException">Nobody answers, or not any more.</exception>
    public async IAsyncEnumerable<AdminReply> WatchAsync(string path, [EnumeratorCancellation] CancellationToken stop)
    {
        const string Data = "data: ";
        using var response = await OrUnreachableAsync(
            () => _client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, stop),
            stop);
        var status = (int)response.StatusCode;
        if (!response.IsSuccessStatusCode)
        {
            var text = await response.Content.ReadAsStringAsync(stop);
            yield return new(status, text, ToJson(text));
            yield break;
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        while (await OrUnreachableAsync(() => reader.ReadLineAsync(stop).AsTask(), stop) is { } line)
        {
            if (line.StartsWith(Data, StringComparison.Ordinal))
                yield return new(status, line[Data.Length..], ToJson(line[Data.Length..]));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<T> OrUnreachableAsync<T>(Func<Task<T>> askAsync, CancellationToken stop)
    {
        try
        {
            return await askAsync();
        }
        catch (Exception failure) when (!stop.IsCancellationRequested
            && failure is HttpRequestException or IOException or TaskCanceledException)
        {
            throw Unreachable(failure);
        }
    }

    private UnreachableGatewayException Unreachable(Exception failure)
    {
        var why = failure is TaskCanceledException ? "it does not answer" : failure.Message.TrimEnd('.');
        return new(
            $"no gateway can be asked at {_place}: {why}. Does it run there? {_hint}Name its admin listener with "
            + "--admin, or its configuration with --config.", failure);
    }

    // A file with errors is no reason not to talk to the gateway that still runs with what was there before.
    private static (AdminOptions? Admin, string Hint) Configured(string? named, Surroundings surroundings)
    {
        var code = ConfigFile.TryRead(named, isNeeded: false, surroundings, out var config, out var problem);
        if (code != ExitCode.Fine)
            return (null, $"({problem}.) ");
        if (config.Name.Length == 0)
            return (AdminOptions.Default, "");

        var options = ProxyOptions.Parse(config.Text, config.Name, surroundings.Variable).Options;
        return options is null ? (null, $"({config.Name} has errors, so what it says of `admin` does not count.) ")
            : (options.Admin, "");
    }

    private static JsonElement ToJson(string text)
    {
        try
        {
            return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
        }
        catch (JsonException)
        {
            return default;
        }
    }
}

/// <summary>Nobody answers where the gateway should be. The message is for the user.</summary>
internal sealed class UnreachableGatewayException(string message, Exception cause) : Exception(message, cause);
