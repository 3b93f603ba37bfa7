using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>
/// The same bytes to PolyBalance, nginx and haproxy before the same backend: prints what each answered and forwarded.
/// A report for people, on demand (<c>POLYBALANCE_LONG=1</c>): the three may differ, and ours is meant to be strict.
/// What a head becomes is decided above the transport, so one is enough.
/// </summary>
[Platform("Linux", Reason = "signals and /proc")]
internal sealed class DifferentialTests
{
    // Longer than any of the three is told to wait for anything.
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(5);

    private static readonly string[] Heads =
    [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a//b/../c%2f?x=<y>#z HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "get / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\n",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: x\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n 2\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA\0: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA_b: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close, A\r\nA: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: Host\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers, gzip\r\nConnection: TE\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1 ;a=b\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\na\n0\n\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nHost: y\r\n\r\n",
    ];

    [Test]
    public async Task What_the_same_head_becomes_in_three_gateways_is_reported()
    {
        if (!Programs.IsLongRun)
            Assert.Ignore("set POLYBALANCE_LONG=1 for the comparison with nginx and haproxy");

        using var backend = new RecordingBackend();
        await using var gateway = await Gateway.StartAsync(
            Transports.Auto, [backend.Address], more: "timeouts: { client_header: 2s, client_body_idle: 2s }");
        await using var nginx = await OtherGateway.StartNginxAsync(backend.Address);
        await using var haproxy = await OtherGateway.StartHaproxyAsync(backend.Address);

        var differing = 0;
        foreach (var head in Heads)
        {
            var ours = await SeeAsync(gateway.Address, head, backend);
            var theirs = await SeeAsync(nginx.Address, head, backend);
            var others = await SeeAsync(haproxy.Address, head, backend);
            if (ours == theirs && ours == others)
                continue;

            differing++;
            TestContext.Out.WriteLine(
                $"{Visible(head)}\n  PolyBalance  {ours}\n  nginx        {theirs}\n  haproxy      {others}");
        }

        TestContext.Out.WriteLine($"{differing} of {Heads.Length} heads differ");
        Assert.That(differing, Is.LessThan(Heads.Length), "the plain request is the same everywhere");
        gateway.AssertHealthy();
    }

    // Status for the client, and what the backend saw, without what every gateway adds.
    private static async Task<string> SeeAsync(IPEndPoint address, string head, RecordingBackend backend)
    {
        backend.Forget();
        using var client = await RawClient.ConnectAsync(address);
        await client.SendAsync(head);
        var receive = client.ReceiveUntilAsync("\r\n\r\n");
        var hasAnswered = await Task.WhenAny(receive, Task.Delay(AnswerWithin, TimeProvider.System)) == receive;
        var status = hasAnswered ? Regex.Match(await receive, @"^HTTP/1\.[01] (\d+)").Groups[1].Value : "silent";
        var seen = Regex.Replace(backend.Seen.ToLowerInvariant(), "(via|x-[a-z-]+|connection): [^\r]*\r\n", "");
        return $"{(status.Length > 0 ? status : "closed")} <- {(seen.Length > 0 ? Visible(seen) : "nothing")}";
    }

    private static string Visible(string bytes)
    {
        var visible = new StringBuilder();
        foreach (var one in bytes)
        {
            visible.Append(one switch
            {
                '\r' => "\\r",
                '\n' => "\\n",
                < ' ' or > '~' => $"\\x{(int)one:x2}",
                _ => $"{one}",
            });
        }

        return visible.ToString();
    }

    /// <summary>Remembers the bytes of the last request and answers it.</summary>
    private sealed class RecordingBackend : IDisposable
    {
        private readonly RawBackend _backend;
        private string _seen = "";

        public RecordingBackend() => _backend = new(ServeAsync);

        public string Address => _backend.Address;

        public string Seen => Volatile.Read(ref _seen);

        public void Forget() => Volatile.Write(ref _seen, "");

        public void Dispose() => _backend.Dispose();

        private async Task ServeAsync(System.Net.Sockets.NetworkStream stream, int connection)
        {
            var text = "";
            var bytes = new byte[16 * 1024];
            while (!IsWhole(text))
            {
                var count = await stream.ReadAsync(bytes);
                if (count == 0)
                    return;

                text += Encoding.Latin1.GetString(bytes, 0, count);
                Volatile.Write(ref _seen, text);
            }

            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray());
        }

        // Good enough for what sound gateways make of the heads above.
        private static bool IsWhole(string text)
        {
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0)
                return false;
            if (text.Contains("chunked", StringComparison.OrdinalIgnoreCase))
                return Regex.IsMatch(text[end..], @"\r\n0\r\n(.*\r\n)*\r\n$");

            var length = Regex.Match(text, @"Content-Length: (\d+)", RegexOptions.IgnoreCase).Groups[1].Value;
            return length.Length == 0 || text.Length >= end + 4 + int.Parse(length);
        }
    }
}
