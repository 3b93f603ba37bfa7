using System.Net;
using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Documents;

/// <summary>
/// What <c>docs/migration.md</c> says of the requests that nginx and HAProxy take and refuse, asked of themselves.
/// </summary>
[Platform("Linux", Reason = "signals and /proc")]
internal sealed class OtherGatewayTests
{
    private const string Host = "Host: x\r\nConnection: close\r\n";

    /// <summary>A request that is refused here, and whether the others take it.</summary>
    private static readonly (string Request, bool NginxTakes, bool HaproxyTakes)[] Requests =
    [
        ("GET / HTTP/1.1\nHost: x\nConnection: close\n\n", true, true),
        ($"GET  / HTTP/1.1\r\n{Host}\r\n", true, true),
        ($"GET http://y/ HTTP/1.1\r\n{Host}\r\n", true, false),
        ($"GET / HTTP/1.1\r\n{Host}A: b\r\n c\r\n\r\n", false, true),
        ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false, true),
        ($"POST / HTTP/1.1\r\n{Host}Content-Length: 1\r\nContent-Length: 1\r\n\r\na", false, true),
        ($"POST / HTTP/1.1\r\n{Host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, true),
    ];

    [Test]
    public async Task They_take_and_refuse_what_the_page_says()
    {
        // Later versions may differ: then the page has to say so.
        await RequireAsync(Programs.Find("nginx"), "nginx/1.22.");
        await RequireAsync(Programs.FindOptional("haproxy"), "version 2.6.");
        using var backend = new RawBackend(AnswerAsync);
        await using var ours = await Gateway.StartAsync(Transports.Auto, [backend.Address]);
        await using var nginx = await OtherGateway.StartNginxAsync(backend.Address);
        await using var haproxy = await OtherGateway.StartHaproxyAsync(backend.Address);

        foreach (var (request, nginxTakes, haproxyTakes) in Requests)
        {
            Assert.That(await TakesAsync(ours.Address, request), Is.False, request);
            Assert.That(await TakesAsync(nginx.Address, request), Is.EqualTo(nginxTakes), request);
            Assert.That(await TakesAsync(haproxy.Address, request), Is.EqualTo(haproxyTakes), request);
        }
    }

    private static async Task RequireAsync(string program, string version)
    {
        var result = await RunningProgram.RunAsync(program, "-v");
        if (!result.Everything.Contains(version, StringComparison.Ordinal))
            Assert.Ignore($"the page is about {version}; this is {result.Everything}");
    }

    private static async Task<bool> TakesAsync(IPEndPoint gateway, string request)
    {
        using var client = await RawClient.ConnectAsync(gateway);
        await client.SendAsync(request);
        var response = await client.ReceiveUntilAsync("\r\n");

        Assert.That(response, Does.Match("^HTTP/1.1 [2-4]"), request);
        return !response.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal);
    }

    // Has nothing against any head: what is refused, a gateway has refused.
    private static async Task AnswerAsync(NetworkStream stream, int connection)
    {
        var text = "";
        var bytes = new byte[4096];
        while (await stream.ReadAsync(bytes) is > 0 and var count)
        {
            var wasWhole = text.Contains("\r\n\r\n", StringComparison.Ordinal);
            text += Encoding.Latin1.GetString(bytes, 0, count);
            if (!wasWhole && text.Contains("\r\n\r\n", StringComparison.Ordinal))
                await stream.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray());
        }
    }
}
