using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class ResponseHeadTests
{
    [TestCase("HTTP/1.1 200 OK", ProtocolVersion.Http11, 200, "OK")]
    [TestCase("HTTP/1.0 404 Not Found", ProtocolVersion.Http10, 404, "Not Found")]
    [TestCase("HTTP/1.1 599 ", ProtocolVersion.Http11, 599, "")]
    [TestCase("HTTP/1.1 200", ProtocolVersion.Http11, 200, "", TestName = "no SP behind the status")]
    [TestCase("HTTP/1.1 100  a\tb\u00E9 ", ProtocolVersion.Http11, 100, " a\tb\u00E9 ")]
    public void A_status_line_is_a_version_a_status_and_a_reason(
        string line, ProtocolVersion version, int status, string reason)
    {
        var head = HttpText.Response($"{line}\r\nA: b\r\n\r\n");

        Assert.That(head.Version, Is.EqualTo(version));
        Assert.That(head.Status, Is.EqualTo(status));
        Assert.That(HttpText.Text(head.Reason), Is.EqualTo(reason));
        Assert.That(head.IsInterim, Is.EqualTo(status < 200));
        Assert.That(HttpText.Text(head.Fields.Line(0)), Is.EqualTo("A: b\r\n"));
    }

    [TestCase("")]
    [TestCase("HTTP/1.1")]
    [TestCase("HTTP/1.1 20")]
    [TestCase("HTTP/1.1 2000")]
    [TestCase("HTTP/1.1 200OK")]
    [TestCase("HTTP/1.1  200 OK")]
    [TestCase("HTTP/1.1\t200 OK")]
    [TestCase("HTTP/1.1 200\tOK")]
    [TestCase("HTTP/1.1 2x0 OK")]
    [TestCase("HTTP/1.1 +20 OK")]
    [TestCase("HTTP/1.1 099 OK")]
    [TestCase("HTTP/1.1 600 OK")]
    [TestCase("HTTP/1.1 999 OK")]
    [TestCase("HTTP/1.2 200 OK")]
    [TestCase("HTTP/2.0 200 OK")]
    [TestCase("HTTP/2 200 OK")]
    [TestCase("http/1.1 200 OK")]
    [TestCase("ICY 200 OK, really")]
    [TestCase(" HTTP/1.1 200 OK")]
    [TestCase("\r\nHTTP/1.1 200 OK")]
    [TestCase("\nHTTP/1.1 200 OK")]
    [TestCase("HTTP/1.1 200 O\rK")]
    [TestCase("HTTP/1.1 200 O\0K")]
    [TestCase("HTTP/1.1 200 OK\n")]
    public void A_line_of_another_shape_is_refused(string line)
        => HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeResponse(HeadFeed.DefaultLimits, pieces),
            HttpText.Bytes($"{line}\r\nA: b\r\n\r\n"),
            FailureKind.MalformedResponse);

    [Test]
    public void Whatever_is_wrong_with_a_response_it_is_the_backend_that_has_to_act()
    {
        var limits = new HeadLimits(64, 2);
        foreach (var text in (string[])
            [
                $"HTTP/1.1 200 OK\r\nA: {new string('a', 100)}\r\n\r\n",
                "HTTP/1.1 200 OK\r\nA: 1\r\nA: 2\r\nA: 3\r\n\r\n",
                "HTTP/1.1 200 OK\nA: 1\r\n\r\n",
            ])
        {
            HeadFeed.AssertSameWhereverCut(
                pieces => HeadFeed.JudgeResponse(limits, pieces), HttpText.Bytes(text), FailureKind.MalformedResponse);
        }
    }

    [TestCase("HTTP/1.1 200 OK\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.0 200 OK\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.1 204 No Content\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n", ExpectedResult = true)]
    public bool A_backend_keeps_the_connection_when(string lines) => HttpText.Response($"{lines}\r\n").KeepAlive;

    [Test]
    public void A_cleared_head_knows_nothing_any_more()
    {
        var head = HttpText.Response("HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
        head.Clear();

        Assert.That(head.Status + head.Reason.Length + head.Fields.Count + head.Bytes.Length, Is.Zero);
        Assert.That(head.KeepAlive, Is.False);
    }
}
