using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class ForwardingTests
{
    [TestCase("Connection: close")]
    [TestCase("Keep-Alive: timeout=5")]
    [TestCase("X-PolyBalance: drain")]
    [TestCase("Proxy-Connection: keep-alive")]
    [TestCase("TE: gzip")]
    [TestCase("Upgrade: websocket")]
    [TestCase("HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")]
    [TestCase("Proxy-Authorization: Basic eDp5")]
    [TestCase("Proxy-Authenticate: Basic")]
    [TestCase("Content-Length: 0")]
    [TestCase("Transfer-Encoding: chunked")]
    [TestCase("X-Request-Id: theirs")]
    [TestCase("connection: CLOSE")]
    public void Hop_by_hop_and_framing_fields_cross_neither_way(string line)
    {
        Assert.That(KeptOfRequest(line, "A: 1"), Is.EqualTo("A"));
        Assert.That(KeptOfRequest(line, "A: 1", trustClient: true), Is.EqualTo("A"));
        Assert.That(KeptOfResponse(line, "A: 1"), Is.EqualTo("A"));
    }

    [TestCase("Connection: x-one", "X-Two")]
    [TestCase("Connection: x-one, X-TWO", "")]
    [TestCase("Connection: close,,\tx-one ,", "X-Two")]
    [TestCase("Connection: keep-alive\r\nConnection: x-two", "X-One")]
    public void What_connection_names_goes_with_it(string connection, string kept)
    {
        Assert.That(KeptOfRequest(connection, "X-One: 1\r\nX-Two: 2"), Is.EqualTo(kept));
        Assert.That(KeptOfResponse(connection, "X-One: 1\r\nX-Two: 2"), Is.EqualTo(kept));
    }

    [TestCase("Cookie: a=b")]
    [TestCase("Authorization: Basic eDp5")]
    [TestCase("Via: 1.1 x")]
    [TestCase("Cache-Control: no-store")]
    [TestCase("Content-Type: text/plain")]
    [TestCase("Content-Language: de")]
    [TestCase("Idempotency-Key: 1")]
    [TestCase("If-Match: *")]
    public void A_field_for_every_recipient_cannot_be_named_away(string line)
    {
        var name = line[..line.IndexOf(':')];

        Assert.That(KeptOfRequest($"Connection: {name}", line), Is.EqualTo(name));
    }

    [TestCase("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate")]
    [TestCase("tracestate: a=b", "traceparent")]
    public void What_is_said_of_a_trace_can_be_named_away(string line, string other)
    {
        var name = line[..line.IndexOf(':')];

        Assert.That(KeptOfRequest($"Connection: {name}", line), Is.Empty);
        Assert.That(KeptOfRequest($"Connection: {other}", line), Is.EqualTo(name));
    }

    [Test]
    public void Host_cannot_be_named_away()
    {
        var head = HttpText.Request("GET / HTTP/1.1\r\nHost: x\r\nConnection: host\r\n\r\n");
        Forwarding.MarkRequest(head, trustClient: false);

        Assert.That(Kept(head.Fields), Is.EqualTo("Host"));
    }

    [Test]
    public void Naming_more_fields_than_anybody_would_names_all()
    {
        var names = string.Join(',', Enumerable.Range(0, 65).Select(i => $"x{i}"));

        Assert.That(KeptOfRequest($"Connection: {names}", "Y: 1\r\nCookie: a=b"), Is.EqualTo("Cookie"));
    }

    [Test]
    public void Naming_as_many_as_allowed_names_only_those()
    {
        var names = string.Join(',', Enumerable.Range(0, 64).Select(i => $"x{i}"));

        Assert.That(KeptOfRequest($"Connection: close, {names}", "Y: 1\r\nX63: 1"), Is.EqualTo("Y"));
    }

    [TestCase("X-Forwarded-Proto: https", "X-Forwarded-Proto")]
    [TestCase("X-Forwarded-Host: a", "X-Forwarded-Host")]
    [TestCase("Forwarded: for=192.0.2.9", "Forwarded")]
    [TestCase("X-Forwarded-For: 192.0.2.9", "")]
    [TestCase("X_Forwarded_Proto: https", "")]
    public void Only_a_trusted_client_may_speak_for_others(string line, string keptWhenTrusted)
    {
        Assert.That(KeptOfRequest(line), Is.Empty);
        Assert.That(KeptOfRequest(line, trustClient: true), Is.EqualTo(keptWhenTrusted));
    }

    [TestCase("X_Forwarded_For: 1")]
    [TestCase("x-forwarded_for: 1")]
    [TestCase("X_Forwarded_Host: 1")]
    [TestCase("X_Request_Id: 1")]
    [TestCase("Proxy_Authorization: 1")]
    public void A_name_that_some_backends_take_for_ours_is_stripped(string line)
        => Assert.That(KeptOfRequest(line, "X_Other: 1"), Is.EqualTo("X_Other"));

    [Test]
    public void An_expectation_crosses_from_http_1_1_only()
    {
        Assert.That(KeptOfRequest("Expect: 100-continue", "Content-Length: 5"), Is.EqualTo("Expect"));

        var old = HttpText.Request("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        Forwarding.MarkRequest(old, trustClient: false);
        Assert.That(Kept(old.Fields), Is.Empty);
    }

    [Test]
    public void Trailers_are_announced_only_before_a_chunked_body()
    {
        Assert.That(KeptOfRequest("Trailer: X-Sum"), Is.Empty);
        Assert.That(KeptOfRequest("Trailer: X-Sum", "Transfer-Encoding: chunked"), Is.EqualTo("Trailer"));
        Assert.That(KeptOfResponse("Trailer: X-Sum"), Is.Empty);

        var response = HttpText.Response("HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n");
        Forwarding.MarkResponse(response, new BodyFraming(BodyKind.Chunked));
        Assert.That(Kept(response.Fields), Is.EqualTo("Trailer"));
    }

    [Test]
    public void What_was_dropped_before_stays_dropped()
    {
        var head = HttpText.Request("GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\n\r\n");
        head.Fields.Drop(1);
        Forwarding.MarkRequest(head, trustClient: false);
        Forwarding.MarkRequest(head, trustClient: false);

        Assert.That(Kept(head.Fields), Is.EqualTo("Host B"));
    }

    [TestCase("grpc-status: 0", true)]
    [TestCase("ETag: \"x\"", true)]
    [TestCase("Server-Timing: a", true)]
    [TestCase("Authentication-Info: a=b", true)]
    [TestCase("Host: x", false)]
    [TestCase("Connection: close", false)]
    [TestCase("TE: trailers", false)]
    [TestCase("Trailer: a", false)]
    [TestCase("Upgrade: a", false)]
    [TestCase("Via: 1.1 a", false)]
    [TestCase("Content-Type: a/b", false)]
    [TestCase("Content-Range: bytes 0-1/2", false)]
    [TestCase("Content-Encoding: gzip", false)]
    [TestCase("Set-Cookie: a=b", false)]
    [TestCase("Authorization: a", false)]
    [TestCase("Cache-Control: no-store", false)]
    [TestCase("Expect: 100-continue", false)]
    [TestCase("Max-Forwards: 1", false)]
    [TestCase("X-Forwarded-For: 1", false)]
    [TestCase("x_forwarded_for: 1", false)]
    [TestCase("X-Request-Id: 1", false)]
    public void A_trailer_field_crosses_only_if_it_means_nothing_before_the_content(string line, bool permitted)
    {
        var trailers = HttpText.Trailers($"{line}\r\n\r\n");

        Assert.That(Forwarding.IsTrailerPermitted(trailers.Fields, 0), Is.EqualTo(permitted));
    }

    [Test]
    public void What_connection_names_goes_from_the_trailer_section_too()
    {
        var head = HttpText.Response("HTTP/1.1 200 OK\r\nConnection: x-hop\r\nTransfer-Encoding: chunked\r\n\r\n");
        var trailers = HttpText.Trailers("X-End: 1\r\nX-Hop: 2\r\n\r\n");

        Forwarding.MarkTrailers(trailers.Fields, head);

        Assert.That(Kept(trailers.Fields), Is.EqualTo("X-End"));
    }

    [TestCase("OPTIONS", "5", 4L)]
    [TestCase("TRACE", "1", 0L)]
    [TestCase("OPTIONS", "0", null)]
    [TestCase("OPTIONS", "x", null)]
    [TestCase("GET", "5", null)]
    public void Max_forwards_counts_down_for_options_and_trace(string method, string value, long? expected)
    {
        var head = HttpText.Request($"{method} / HTTP/1.1\r\nHost: x\r\nMax-Forwards: {value}\r\n\r\n");

        Assert.That(Forwarding.TryDecrementMaxForwards(head, out var left), Is.EqualTo(expected is not null));
        Assert.That(left, Is.EqualTo(expected ?? 0));
    }

    private static string KeptOfRequest(string lines, string more = "", bool trustClient = false)
    {
        var head = HttpText.Request($"POST / HTTP/1.1\r\nHost: x\r\n{Section(lines, more)}\r\n");
        Forwarding.MarkRequest(head, trustClient);

        var kept = Kept(head.Fields);
        Assert.That(kept, Does.StartWith("Host"));
        return kept["Host".Length..].Trim();
    }

    private static string KeptOfResponse(string lines, string more = "")
    {
        var head = HttpText.Response($"HTTP/1.1 200 OK\r\n{Section(lines, more)}\r\n");
        Forwarding.MarkResponse(head, new BodyFraming(BodyKind.Length));
        return Kept(head.Fields);
    }

    private static string Section(string lines, string more) => more == "" ? $"{lines}\r\n" : $"{lines}\r\n{more}\r\n";

    private static string Kept(Fields fields)
    {
        var kept = "";
        for (var i = 0; i < fields.Count; i++)
        {
            if (!fields.IsDropped(i))
                kept += " " + HttpText.Text(fields.Name(i));
        }

        return kept.Trim();
    }
}
