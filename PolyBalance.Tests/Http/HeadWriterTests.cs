using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class HeadWriterTests
{
    private const string Date = "Thu, 01 Jan 1970 00:00:00 GMT";

    private static readonly BodyFraming NoBody = new(BodyKind.None);
    private static readonly HostRule Preserve = HostRule.Preserve(HttpText.Bytes("10.0.0.11:8080"));
    private static readonly RequestAdditions Plain = Additions(trustClient: false, addForwarded: false);
    private static readonly RequestAdditions Trusting = Additions(trustClient: true, addForwarded: false);

    [Test]
    public void A_request_crosses_with_its_target_byte_for_byte()
        => Assert.That(
            WriteRequest("GET /a%2fb/../c?x=1&y=%20 HTTP/1.1\r\nHost: x\r\nUser-Agent:  curl \r\nAccept: */*\r\n\r\n"),
            Is.EqualTo(
                "GET /a%2fb/../c?x=1&y=%20 HTTP/1.1\r\nHost: x\r\nUser-Agent:  curl \r\nAccept: */*\r\n"
                + Claims("x") + "\r\n"));

    [Test]
    public void Dropped_lines_leave_no_trace_wherever_they_stand()
        => Assert.That(
            WriteRequest(
                "GET / HTTP/1.1\r\nConnection: keep-alive, x-hop\r\nHost: x\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                + "A: 1\r\nB: 2\r\nProxy-Connection: close\r\nC: 3\r\nTE: gzip\r\n\r\n"),
            Is.EqualTo("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\n" + Claims("x") + "\r\n"));

    [TestCase("PURGE /* HTTP/1.1")]
    [TestCase("get / HTTP/1.1")]
    [TestCase("GET http://x/a?b HTTP/1.1")]
    [TestCase("OPTIONS * HTTP/1.1")]
    public void The_request_line_is_not_touched(string line)
        => Assert.That(WriteRequest($"{line}\r\nHost: x\r\n\r\n"), Does.StartWith($"{line}\r\nHost: x\r\n"));

    [Test]
    public void An_http_1_0_request_goes_on_as_1_1_and_via_says_where_from()
        => Assert.That(
            WriteRequest("GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"),
            Is.EqualTo("GET /a HTTP/1.1\r\nHost: x\r\n" + Claims("x").Replace("Via: 1.1", "Via: 1.0") + "\r\n"));

    [Test]
    public void A_client_without_host_gets_the_backends()
    {
        var written = WriteRequest("GET /a HTTP/1.0\r\nA: 1\r\n\r\n");

        Assert.That(written, Does.StartWith("GET /a HTTP/1.1\r\nHost: 10.0.0.11:8080\r\nA: 1\r\n"));
        Assert.That(written, Does.Not.Contain("X-Forwarded-Host"));
    }

    [Test]
    public void The_authority_of_the_target_stands_in_for_a_missing_host()
        => Assert.That(
            WriteRequest("GET http://example.com/a HTTP/1.0\r\n\r\n"),
            Does.StartWith("GET http://example.com/a HTTP/1.1\r\nHost: example.com\r\nX-Forwarded-For"));

    [Test]
    public void A_host_rule_replaces_host_and_tells_the_backend_what_it_was()
    {
        var written = WriteRequest(
            "GET /a HTTP/1.1\r\nA: 1\r\nHost: example.com\r\nB: 2\r\n\r\n", Plain, HostRule.Literal("app"u8.ToArray()));

        Assert.That(written, Does.StartWith("GET /a HTTP/1.1\r\nHost: app\r\nA: 1\r\nB: 2\r\nX-Forwarded-For"));
        Assert.That(written, Does.Contain("X-Forwarded-Host: example.com\r\n"));
    }

    [Test]
    public void What_an_untrusted_client_says_of_others_is_replaced()
        => Assert.That(
            WriteRequest(
                "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
                + "X-Forwarded-Host: admin\r\nForwarded: for=127.0.0.1\r\nX-Request-Id: theirs\r\n"
                + "Via: 1.0 fred\r\n\r\n"),
            Is.EqualTo("GET / HTTP/1.1\r\nHost: x\r\nVia: 1.0 fred\r\n" + Claims("x") + "\r\n"));

    [Test]
    public void A_trusted_clients_list_grows_by_one_in_one_line()
        => Assert.That(
            WriteRequest(
                "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7, 198.51.100.2\r\nX-Forwarded-For:\r\n"
                + "X-Forwarded-For: 198.51.100.3\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n\r\n",
                Trusting),
            Is.EqualTo(
                "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop\r\n"
                + "X-Forwarded-For: 203.0.113.7, 198.51.100.2, 198.51.100.3, 192.0.2.1\r\n"
                + "Via: 1.1 polybalance\r\nX-Request-Id: rid-1\r\n\r\n"));

    [Test]
    public void What_a_trusted_client_does_not_say_is_added()
        => Assert.That(
            WriteRequest("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Trusting),
            Is.EqualTo("GET / HTTP/1.1\r\nHost: x\r\n" + Claims("x") + "\r\n"));

    [TestCase("192.0.2.1", false, "for=192.0.2.1;proto=http;host=\"x:81\"")]
    [TestCase("2001:db8::1", true, "for=\"[2001:db8::1]\";proto=https;host=\"x:81\"")]
    [TestCase("", false, "for=unknown;proto=http;host=\"x:81\"")]
    public void Forwarded_is_added_on_request(string address, bool isTls, string expected)
    {
        var additions = new RequestAdditions(HttpText.Bytes(address), isTls, trustClient: false, addForwarded: true);

        Assert.That(
            WriteRequest("GET / HTTP/1.1\r\nHost: x:81\r\nForwarded: for=evil\r\n\r\n", additions),
            Does.Contain($"\r\nForwarded: {expected}\r\n").And.Not.Contain("evil"));
    }

    [Test]
    public void A_trusted_clients_forwarded_comes_before_ours()
    {
        var additions = Additions(trustClient: true, addForwarded: true);
        var written = WriteRequest("GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=203.0.113.7\r\n\r\n", additions);

        var theirs = written.IndexOf("Forwarded: for=203.0.113.7\r\n", StringComparison.Ordinal);
        var ours = written.IndexOf("Forwarded: for=192.0.2.1;", StringComparison.Ordinal);
        Assert.That(theirs, Is.Positive.And.LessThan(ours));
    }

    [Test]
    public void A_host_too_long_for_a_second_copy_is_left_out_of_forwarded()
    {
        var additions = Additions(trustClient: false, addForwarded: true);
        var host = new string('h', 300);

        Assert.That(
            WriteRequest($"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n", additions),
            Does.Contain("\r\nForwarded: for=192.0.2.1;proto=http\r\n"));
    }

    [TestCase("Content-Length: 0005", "Content-Length: 5\r\n")]
    [TestCase("content-length: 0", "Content-Length: 0\r\n")]
    [TestCase("Transfer-Encoding: CHUNKED", "Transfer-Encoding: chunked\r\n")]
    [TestCase("Trailer: a", "")]
    public void Framing_is_always_our_own(string line, string expected)
    {
        var text = $"POST / HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n";
        Assert.That(BodyFraming.TryDecide(HttpText.Request(text), out var framing, out _), Is.True);

        Assert.That(
            WriteRequest(text, Plain, Preserve, framing),
            Is.EqualTo("POST / HTTP/1.1\r\nHost: x\r\n" + Claims("x") + expected + "\r\n"));
    }

    [Test]
    public void An_upgrade_is_asked_for_anew()
    {
        const string Text = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Key: k\r\n\r\n";

        Assert.That(
            WriteRequest(Text, Plain, Preserve, upgrade: true),
            Is.EqualTo(
                "GET /ws HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: k\r\n" + Claims("x")
                + "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"));
        Assert.That(WriteRequest(Text), Does.Not.Contain("pgrade"));
    }

    [TestCase("TE: trailers\r\nConnection: TE", "TE: trailers\r\nConnection: TE\r\n")]
    [TestCase("TE: gzip, trailers\r\nConnection: close, te", "TE: trailers\r\nConnection: TE\r\n")]
    [TestCase("TE: trailers", "")]
    [TestCase("TE: gzip\r\nConnection: TE", "")]
    public void Only_trailers_is_left_of_te(string lines, string expected)
        => Assert.That(
            WriteRequest($"GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n"),
            Is.EqualTo("GET / HTTP/1.1\r\nHost: x\r\n" + Claims("x") + expected + "\r\n"));

    [Test]
    public void An_upgrade_and_trailers_share_one_connection_field()
        => Assert.That(
            WriteRequest(
                "GET / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nUpgrade: a\r\nConnection: TE, upgrade\r\n\r\n",
                Plain, Preserve, upgrade: true),
            Does.EndWith("Upgrade: a\r\nTE: trailers\r\nConnection: upgrade, TE\r\n\r\n"));

    [TestCase("OPTIONS", "7", "Max-Forwards: 6\r\n")]
    [TestCase("TRACE", "1", "Max-Forwards: 0\r\n")]
    public void Max_forwards_is_written_one_lower(string method, string value, string expected)
        => Assert.That(
            WriteRequest($"{method} / HTTP/1.1\r\nHost: x\r\nMax-Forwards: {value}\r\n\r\n"),
            Is.EqualTo($"{method} / HTTP/1.1\r\nHost: x\r\n" + Claims("x") + expected + "\r\n"));

    [Test]
    public void A_get_keeps_its_max_forwards()
        => Assert.That(
            WriteRequest("GET / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 7\r\n\r\n"),
            Does.StartWith("GET / HTTP/1.1\r\nHost: x\r\nMax-Forwards: 7\r\nX-F"));

    [Test]
    public void A_head_can_be_written_for_every_attempt()
    {
        var head = HttpText.Request("GET / HTTP/1.1\r\nHost: x\r\nConnection: a\r\nA: 1\r\nB: 2\r\n\r\n");
        var first = new ExactOutput();
        var second = new ExactOutput();
        var literal = HostRule.Literal("b"u8.ToArray());
        HeadWriter.WriteRequest(head, Plain, literal, "rid-1"u8, NoBody, upgrade: false, [], first);
        HeadWriter.WriteRequest(head, Plain, Preserve, "rid-1"u8, NoBody, upgrade: false, [], second);

        Assert.That(first.Text, Does.StartWith("GET / HTTP/1.1\r\nHost: b\r\nB: 2\r\n"));
        Assert.That(second.Text, Is.EqualTo("GET / HTTP/1.1\r\nHost: x\r\nB: 2\r\n" + Claims("x") + "\r\n"));
    }

    [Test]
    public void A_response_crosses_with_status_and_reason()
        => Assert.That(
            WriteResponse("HTTP/1.1 404 Not  Found \xE9\r\nServer: y\r\nDate: then\r\nContent-Length: 5\r\n\r\n"),
            Is.EqualTo(
                "HTTP/1.1 404 Not  Found \xE9\r\nServer: y\r\nDate: then\r\nX-Request-Id: rid-1\r\n"
                + "Content-Length: 5\r\n\r\n"));

    [TestCase("HTTP/1.0 200 OK")]
    [TestCase("HTTP/1.1 200 OK")]
    public void The_response_is_ours_in_version_and_date(string statusLine)
        => Assert.That(
            WriteResponse(
                $"{statusLine}\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-Request-Id: theirs\r\nContent-Length: 5\r\n\r\n"),
            Is.EqualTo($"HTTP/1.1 200 OK\r\nDate: {Date}\r\nX-Request-Id: rid-1\r\nContent-Length: 5\r\n\r\n"));

    [Test]
    public void An_empty_reason_keeps_its_blank()
        => Assert.That(
            WriteResponse("HTTP/1.1 200 \r\nDate: then\r\nContent-Length: 0\r\n\r\n"),
            Does.StartWith("HTTP/1.1 200 \r\nDate: then\r\n"));

    [TestCase(ProtocolVersion.Http11, false, "")]
    [TestCase(ProtocolVersion.Http11, true, "Connection: close\r\n")]
    [TestCase(ProtocolVersion.Http10, false, "Connection: keep-alive\r\n")]
    [TestCase(ProtocolVersion.Http10, true, "Connection: close\r\n")]
    public void The_client_is_told_what_becomes_of_its_connection(ProtocolVersion client, bool close, string expected)
        => Assert.That(
            WriteResponse("HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 5\r\n\r\n", client: client, close: close),
            Is.EqualTo($"HTTP/1.1 200 OK\r\nDate: then\r\nX-Request-Id: rid-1\r\n{expected}Content-Length: 5\r\n\r\n"));

    [TestCase("Transfer-Encoding: chunked", ProtocolVersion.Http11, "Transfer-Encoding: chunked\r\n")]
    [TestCase("Transfer-Encoding: chunked", ProtocolVersion.Http10, "Connection: close\r\n")]
    [TestCase("A: 1", ProtocolVersion.Http11, "Transfer-Encoding: chunked\r\n")]
    [TestCase("A: 1", ProtocolVersion.Http10, "Connection: close\r\n")]
    public void A_body_without_length_gets_the_framing_that_the_client_understands(
        string line, ProtocolVersion client, string expected)
        => Assert.That(
            WriteResponse(
                $"HTTP/1.1 200 OK\r\nDate: then\r\n{line}\r\n\r\n",
                client: client, close: client == ProtocolVersion.Http10),
            Does.EndWith($"X-Request-Id: rid-1\r\n{expected}\r\n"));

    [TestCase("200 OK", MethodKind.Head, "Content-Length: 5\r\n")]
    [TestCase("304 Not Modified", MethodKind.Get, "Content-Length: 5\r\n")]
    [TestCase("204 No Content", MethodKind.Get, "")]
    public void A_length_without_a_body_is_repeated_only_where_it_describes_something(
        string status, MethodKind method, string expected)
        => Assert.That(
            WriteResponse($"HTTP/1.1 {status}\r\nDate: then\r\nContent-Length: 5\r\n\r\n", method),
            Is.EqualTo($"HTTP/1.1 {status}\r\nDate: then\r\nX-Request-Id: rid-1\r\n{expected}\r\n"));

    [Test]
    public void A_head_response_without_length_gets_none()
        => Assert.That(
            WriteResponse("HTTP/1.1 200 OK\r\nDate: then\r\nTransfer-Encoding: chunked\r\n\r\n", MethodKind.Head),
            Is.EqualTo("HTTP/1.1 200 OK\r\nDate: then\r\nX-Request-Id: rid-1\r\n\r\n"));

    [Test]
    public void Lines_of_our_own_come_beside_those_of_the_backend()
        => Assert.That(
            WriteResponse(
                "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nDate: then\r\nContent-Length: 5\r\n\r\n",
                lines: "Set-Cookie: b=2\r\nX: 3\r\n"),
            Is.EqualTo(
                "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nDate: then\r\nX-Request-Id: rid-1\r\nSet-Cookie: b=2\r\n"
                + "X: 3\r\nContent-Length: 5\r\n\r\n"));

    [Test]
    public void A_101_says_what_the_backend_switched_to()
        => Assert.That(
            WriteResponse(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: k\r\nDate: then\r\n\r\n",
                upgrade: true),
            Is.EqualTo(
                "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\nDate: then\r\nX-Request-Id: rid-1\r\n"
                + "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"));

    [TestCase("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n")]
    [TestCase(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")]
    public void An_interim_response_crosses_stripped(string text, string expected)
    {
        var output = new ExactOutput();
        HeadWriter.WriteInterim(HttpText.Response(text), output);

        Assert.That(output.Text, Is.EqualTo(expected));
        Assert.That((output.Buffers, output.Advances), Is.EqualTo((1, 1)));
    }

    // ExactOutput throws when the estimate is too small for what these write.
    [TestCase(0)]
    [TestCase(255)]
    [TestCase(8_000)]
    [TestCase(20_000)]
    public void The_estimate_holds_for_the_longest_additions(int hostLength)
    {
        var host = new string('h', hostLength);
        var list = string.Join(", ", Enumerable.Repeat("203.0.113.7", 500));
        var address = HttpText.Bytes("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
        var additions = new RequestAdditions(address, isTls: true, trustClient: true, addForwarded: true);
        var lines = $"X-Forwarded-For: {list}\r\nTE: trailers\r\nConnection: te, upgrade\r\n"
            + $"Max-Forwards: {long.MaxValue}\r\n";
        var text = hostLength == 0
            ? $"OPTIONS / HTTP/1.0\r\n{lines}\r\n"
            : $"OPTIONS / HTTP/1.1\r\nHost: {host}\r\n{lines}Upgrade: websocket\r\n\r\n";
        var literal = HostRule.Literal(HttpText.Bytes(new string('l', 300)));

        var written = WriteRequest(
            text, additions, literal, new BodyFraming(BodyKind.Length, long.MaxValue), upgrade: hostLength > 0);

        Assert.That(written, Does.EndWith($"Content-Length: {long.MaxValue}\r\n\r\n"));
        Assert.That(written.Length, Is.LessThan(Limits.LargeBlockBytes));
    }

    [Test]
    public void Writing_heads_allocates_nothing()
    {
        var request = HttpText.Request(
            "GET /a HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nX-Forwarded-For: a, b\r\n"
            + "Content-Length: 5\r\n\r\n");
        var response = HttpText.Response(
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n");
        var length = new BodyFraming(BodyKind.Length, 5);
        var output = new ReusedOutput(4096);

        WriteBoth(rounds: 2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        WriteBoth(rounds: 100);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        void WriteBoth(int rounds)
        {
            for (var i = 0; i < rounds; i++)
            {
                request.Fields.KeepAll();
                response.Fields.KeepAll();
                HeadWriter.WriteRequest(request, Trusting, Preserve, "rid-1"u8, length, upgrade: false, [], output);
                HeadWriter.WriteResponse(
                    response, new BodyFraming(BodyKind.Chunked), ProtocolVersion.Http11, close: false,
                    "rid-1"u8, "now"u8, upgrade: false, "A: 1\r\n"u8, output);
            }
        }
    }

    private static RequestAdditions Additions(bool trustClient, bool addForwarded)
        => new("192.0.2.1"u8, isTls: false, trustClient, addForwarded);

    private static string Claims(string host)
        => $"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: {host}\r\n"
            + "Via: 1.1 polybalance\r\nX-Request-Id: rid-1\r\n";

    private static string WriteRequest(string text) => WriteRequest(text, Plain);

    private static string WriteRequest(string text, RequestAdditions additions)
        => WriteRequest(text, additions, Preserve);

    private static string WriteRequest(
        string text, RequestAdditions additions, HostRule host, BodyFraming framing = default, bool upgrade = false)
    {
        var output = new ExactOutput();
        HeadWriter.WriteRequest(HttpText.Request(text), additions, host, "rid-1"u8, framing, upgrade, [], output);

        Assert.That((output.Buffers, output.Advances), Is.EqualTo((1, 1)));
        return output.Text;
    }

    private static string WriteResponse(
        string text, MethodKind method = MethodKind.Get, ProtocolVersion client = ProtocolVersion.Http11,
        bool close = false, bool upgrade = false, string lines = "")
    {
        var head = HttpText.Response(text);
        Assert.That(BodyFraming.TryDecide(head, method, out var framing, out _), Is.True);
        var output = new ExactOutput();
        framing = BodyFraming.ForClient(framing, client);
        HeadWriter.WriteResponse(
            head, framing, client, close, "rid-1"u8, HttpText.Bytes(Date), upgrade, HttpText.Bytes(lines), output);

        Assert.That((output.Buffers, output.Advances), Is.EqualTo((1, 1)));
        return output.Text;
    }
}
