using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class BodyFramingTests
{
    [TestCase("", BodyKind.None, 0)]
    [TestCase("Content-Length: 0\r\n", BodyKind.Length, 0)]
    [TestCase("Content-Length: 5\r\n", BodyKind.Length, 5)]
    [TestCase("content-length:\t0005 \r\n", BodyKind.Length, 5)]
    [TestCase("Content-Length: 9223372036854775807\r\n", BodyKind.Length, long.MaxValue)]
    [TestCase("Transfer-Encoding: chunked\r\n", BodyKind.Chunked, 0)]
    [TestCase("transfer-encoding: \tCHUNKED \r\n", BodyKind.Chunked, 0)]
    [TestCase("TE: trailers\r\nContent-Encoding: gzip\r\n", BodyKind.None, 0)]
    public void The_framing_follows_from_one_field(string lines, BodyKind kind, long length)
    {
        Assert.That(OfRequest(lines, out var failure), Is.EqualTo(new BodyFraming(kind, length)));
        Assert.That(failure, Is.EqualTo(FailureKind.None));

        var untilClose = kind == BodyKind.None ? BodyKind.UntilClose : kind;
        Assert.That(OfResponse($"HTTP/1.1 200 OK\r\n{lines}"), Is.EqualTo(new BodyFraming(untilClose, length)));
    }

    [TestCase("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: chunked, chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: gzip, chunked, chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: , chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: gzip,,chunked\r\n", FailureKind.AmbiguousLength)]
    [TestCase("Transfer-Encoding: chunked,\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding:\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: gzip\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: identity\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: chunked, gzip\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: chunked, identity\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: xchunked\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: x chunked\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: chunked;a=b\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: chunke\u00E4\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: \"chunked\"\r\n", FailureKind.ChunkedNotFinal)]
    [TestCase("Transfer-Encoding: gzip, chunked\r\n", FailureKind.UnknownTransferCoding)]
    [TestCase("Transfer-Encoding: identity, chunked\r\n", FailureKind.UnknownTransferCoding)]
    [TestCase("Transfer-Encoding: a;b=\"c, chunked\", chunked\r\n", FailureKind.UnknownTransferCoding)]
    [TestCase("Content-Length:\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: +5\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: -5\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 0x5\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 5.0\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 5 5\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 5, 5\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 5;a=b\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: \u00B2\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 9223372036854775808\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 18446744073709551621\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 5\r\nContent-Length: 5\r\n", FailureKind.InvalidContentLength)]
    [TestCase("Content-Length: 5\r\nContent-Length: 6\r\n", FailureKind.InvalidContentLength)]
    public void What_two_recipients_could_read_differently_is_refused(string lines, FailureKind expected)
    {
        Assert.That(OfRequest(lines, out var failure), Is.Null);
        Assert.That(failure, Is.EqualTo(expected));
        Assert.That(OfResponse($"HTTP/1.1 200 OK\r\n{lines}"), Is.Null);
        Assert.That(OfResponse($"HTTP/1.1 200 OK\r\n{lines}", MethodKind.Head), Is.Null);
        Assert.That(OfResponse($"HTTP/1.1 304 Not Modified\r\n{lines}"), Is.Null);
    }

    [TestCase("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n")]
    [TestCase("POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n")]
    public void An_old_client_has_no_transfer_codings(string lines)
    {
        Assert.That(BodyFraming.TryDecide(HttpText.Request($"{lines}\r\n"), out _, out var failure), Is.False);
        Assert.That(failure, Is.EqualTo(FailureKind.AmbiguousLength));
    }

    [Test]
    public void An_old_backend_has_no_transfer_codings()
        => Assert.That(OfResponse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n"), Is.Null);

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", MethodKind.Head)]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", MethodKind.Head)]
    [TestCase("HTTP/1.1 200 OK\r\n", MethodKind.Head)]
    [TestCase("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", MethodKind.Get)]
    [TestCase("HTTP/1.1 204 No Content\r\nContent-Length: 5, 6\r\n", MethodKind.Get)]
    [TestCase("HTTP/1.1 204 No Content\r\nTransfer-Encoding: gzip\r\n", MethodKind.Get)]
    [TestCase("HTTP/1.1 100 Continue\r\nContent-Length: x\r\n", MethodKind.Post)]
    [TestCase("HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n", MethodKind.Get)]
    public void Some_responses_have_no_body_whatever_their_fields_say(string lines, MethodKind method)
        => Assert.That(OfResponse(lines, method), Is.EqualTo(new BodyFraming(BodyKind.None)));

    [TestCase(BodyKind.None, ProtocolVersion.Http11, ExpectedResult = BodyKind.None)]
    [TestCase(BodyKind.None, ProtocolVersion.Http10, ExpectedResult = BodyKind.None)]
    [TestCase(BodyKind.Length, ProtocolVersion.Http11, ExpectedResult = BodyKind.Length)]
    [TestCase(BodyKind.Length, ProtocolVersion.Http10, ExpectedResult = BodyKind.Length)]
    [TestCase(BodyKind.Chunked, ProtocolVersion.Http11, ExpectedResult = BodyKind.Chunked)]
    [TestCase(BodyKind.Chunked, ProtocolVersion.Http10, ExpectedResult = BodyKind.UntilClose)]
    [TestCase(BodyKind.UntilClose, ProtocolVersion.Http11, ExpectedResult = BodyKind.Chunked)]
    [TestCase(BodyKind.UntilClose, ProtocolVersion.Http10, ExpectedResult = BodyKind.UntilClose)]
    public BodyKind A_client_gets_the_framing_that_it_understands(BodyKind fromBackend, ProtocolVersion client)
    {
        var length = fromBackend == BodyKind.Length ? 7 : 0;
        var forClient = BodyFraming.ForClient(new BodyFraming(fromBackend, length), client);

        Assert.That(forClient.Length, Is.EqualTo(length));
        return forClient.Kind;
    }

    private static BodyFraming? OfRequest(string lines, out FailureKind failure)
    {
        var head = HttpText.Request($"POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        return BodyFraming.TryDecide(head, out var framing, out failure) ? framing : null;
    }

    private static BodyFraming? OfResponse(string lines, MethodKind method = MethodKind.Get)
    {
        var head = HttpText.Response($"{lines}\r\n");
        var decided = BodyFraming.TryDecide(head, method, out var framing, out var failure);

        Assert.That(failure, Is.EqualTo(decided ? FailureKind.None : FailureKind.MalformedResponse));
        return decided ? framing : null;
    }
}
