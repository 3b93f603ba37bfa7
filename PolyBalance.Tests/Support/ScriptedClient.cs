using System.Globalization;

namespace PolyBalance.Tests.Support;

/// <summary>A client that a test plays by hand, with short words for plain requests.</summary>
internal sealed class ScriptedClient(Wire wire) : ScriptedConnection(wire)
{
    /// <summary>Sends a GET.</summary>
    /// <param name="path">The request target.</param>
    /// <param name="lines">Further whole field lines.</param>
    public Task SendGetAsync(string path = "/", string lines = "")
        => SendAsync($"GET {path} HTTP/1.1\r\nHost: example.com\r\n{lines}\r\n");

    /// <summary>Sends a request with content of a known length.</summary>
    /// <param name="content">All of it.</param>
    /// <param name="method">POST unless said otherwise.</param>
    /// <param name="lines">Further whole field lines.</param>
    public Task SendPostAsync(string content, string method = "POST", string lines = "")
        => SendAsync(string.Create(CultureInfo.InvariantCulture,
            $"{method} / HTTP/1.1\r\nHost: example.com\r\n{lines}Content-Length: {content.Length}\r\n\r\n{content}"));

    /// <summary>Sends a GET and reads the answer.</summary>
    public async Task<ReceivedMessage> GetAsync(string path = "/", string lines = "")
    {
        await SendGetAsync(path, lines);
        return await ReadResponseAsync();
    }

    /// <summary>Sends a request with content and reads the answer.</summary>
    public async Task<ReceivedMessage> PostAsync(string content, string method = "POST", string lines = "")
    {
        await SendPostAsync(content, method, lines);
        return await ReadResponseAsync();
    }
}
