using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class RequestHeadTests
{
    [TestCase("h")]
    [TestCase("example.com:8080")]
    [TestCase("EXAMPLE.com.")]
    [TestCase("a_b-c~d")]
    [TestCase("a%2Db")]
    [TestCase("192.0.2.1:65535")]
    [TestCase("[::1]")]
    [TestCase("[2001:db8::192.0.2.1]:80")]
    [TestCase("h:0")]
    public void Host_is_kept_as_it_was_sent(string host)
    {
        var head = HttpText.Request($"GET / HTTP/1.1\r\nHost:\t {host} \r\n\r\n");

        Assert.That(HttpText.Text(head.Host), Is.EqualTo(host));
        Assert.That(HttpText.Text(head.HostMemory.Span), Is.EqualTo(host));
    }

    [TestCase("GET / HTTP/1.1\r\n", FailureKind.MissingHost)]
    [TestCase("GET http://h/ HTTP/1.1\r\n", FailureKind.MissingHost)]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n", FailureKind.RepeatedHost)]
    [TestCase("GET / HTTP/1.0\r\nHost: h\r\nhost: h\r\n", FailureKind.RepeatedHost)]
    [TestCase("GET / HTTP/1.1\r\nHost:\r\n", FailureKind.MalformedHost)]
    [TestCase("GET / HTTP/1.0\r\nHost: \r\n", FailureKind.MalformedHost)]
    [TestCase("GET / HTTP/1.1\r\nHost: a b\r\n", FailureKind.MalformedHost)]
    [TestCase("GET http://h/ HTTP/1.1\r\nHost: h,h\r\n", FailureKind.MalformedHost)]
    [TestCase("GET http://h/ HTTP/1.1\r\nHost: i\r\n", FailureKind.HostMismatch)]
    [TestCase("GET http://h:80/ HTTP/1.1\r\nHost: h\r\n", FailureKind.HostMismatch)]
    [TestCase("GET http://h/ HTTP/1.0\r\nHost: i\r\n", FailureKind.HostMismatch)]
    public void A_request_names_exactly_one_host(string lines, FailureKind expected) => AssertRefused(lines, expected);

    [TestCase("GET / HTTP/1.0\r\n", "")]
    [TestCase("GET http://h:1/ HTTP/1.0\r\n", "h:1")]
    [TestCase("GET http://h:1 HTTP/1.1\r\nHost: H:1\r\n", "H:1")]
    public void Host_may_come_from_the_target_of_an_old_client(string lines, string host)
        => Assert.That(HttpText.Text(HttpText.Request($"{lines}\r\n").Host), Is.EqualTo(host));

    [TestCase("HTTP/1.1", "100-continue", ExpectedResult = true)]
    [TestCase("HTTP/1.1", "100-Continue", ExpectedResult = true)]
    [TestCase("HTTP/1.0", "100-continue", ExpectedResult = false)]
    [TestCase("HTTP/1.0", "magic", ExpectedResult = false)]
    public bool Expect_is_for_clients_of_today(string version, string expect)
        => HttpText.Request($"PUT / {version}\r\nHost: h\r\nExpect: {expect}\r\n\r\n").ExpectsContinue;

    [TestCase("Expect: magic")]
    [TestCase("Expect:")]
    [TestCase("Expect: 100-continue, 100-continue")]
    [TestCase("Expect: 100-continue\r\nExpect: 100-continue")]
    [TestCase("Expect: 100-continue;q=1")]
    public void Another_expectation_is_refused(string lines)
        => AssertRefused($"PUT / HTTP/1.1\r\nHost: h\r\n{lines}\r\n", FailureKind.UnknownExpectation);

    [TestCase("HTTP/1.1", "", ExpectedResult = true)]
    [TestCase("HTTP/1.1", "Connection: keep-alive\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.1", "Connection: CLOSE\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.1", "Connection: upgrade ,\tclose\t\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.1", "Connection: a\r\nConnection: close\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.1", "Connection: closed\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.0", "", ExpectedResult = false)]
    [TestCase("HTTP/1.0", "Connection: Keep-Alive\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.0", "Connection: ,,keep-alive,\r\n", ExpectedResult = true)]
    [TestCase("HTTP/1.0", "Connection: keep-alive, close\r\n", ExpectedResult = false)]
    [TestCase("HTTP/1.0", "Keep-Alive: timeout=5\r\n", ExpectedResult = false)]
    public bool A_client_keeps_the_connection_when(string version, string lines)
        => HttpText.Request($"GET / {version}\r\nHost: h\r\n{lines}\r\n").KeepAlive;

    [TestCase("HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", ExpectedResult = "websocket")]
    [TestCase("HTTP/1.1", "Connection: a\r\nConnection: b, upgrade\r\nUpgrade: x/1.0\r\n", ExpectedResult = "x/1.0")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n", ExpectedResult = "x")]
    [TestCase("HTTP/1.1", "Upgrade: websocket\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade:\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: a, b\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: a/\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: a/b/c\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: a\r\nUpgrade: a\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: H2C\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: TLS/1.3\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 1\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.1", "Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n", ExpectedResult = "")]
    [TestCase("HTTP/1.0", "Connection: upgrade\r\nUpgrade: websocket\r\n", ExpectedResult = "")]
    public string A_protocol_to_change_to_is_one_that_may_follow(string version, string lines)
    {
        var head = HttpText.Request($"GET / {version}\r\nHost: h\r\n{lines}\r\n");
        var protocol = HttpText.Text(head.UpgradeProtocol);

        Assert.That(head.WantsUpgrade, Is.EqualTo(protocol.Length > 0));
        return protocol;
    }

    [Test]
    public void One_empty_line_may_come_first_and_is_not_taken()
    {
        var bytes = HttpText.Bytes("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");

        HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces), bytes, FailureKind.None);

        var head = HttpText.Request(HttpText.Text(bytes));
        Assert.That(HttpText.Text(head.Bytes), Does.StartWith("GET "));
        Assert.That(head.Memory.Length, Is.EqualTo(bytes.Length - 2));
    }

    [Test]
    public void A_cleared_head_knows_nothing_any_more()
    {
        var head = HttpText.Request(
            "PUT http://h/p?q HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
            + "Connection: upgrade\r\nUpgrade: x\r\n\r\n");
        head.Clear();

        Assert.That(head.Bytes.Length, Is.Zero);
        Assert.That(head.Fields.Count, Is.Zero);
        Assert.That(head.Fields.Has(KnownField.Host), Is.False);
        Assert.That(head.Method.Kind, Is.EqualTo(MethodKind.Other));
        Assert.That(head.MethodToken.Length + head.TargetBytes.Length + head.Path.Length + head.Query.Length, Is.Zero);
        Assert.That(head.Host.Length + head.UpgradeProtocol.Length, Is.Zero);
        Assert.That(head.KeepAlive || head.ExpectsContinue || head.WantsUpgrade, Is.False);
    }

    [Test]
    public void After_a_refused_field_the_request_line_can_still_be_logged()
    {
        var head = new RequestHead();
        head.Take(HeadFeed.Sequence(HttpText.Bytes("GET /a HTTP/1.1\r\nHost : h\r\n\r\n")));

        Assert.That(HeadParser.TryParseRequest(head, HeadFeed.DefaultLimits, out var failure), Is.False);
        Assert.That(failure, Is.EqualTo(FailureKind.MalformedField));
        Assert.That(HttpText.Text(head.MethodToken), Is.EqualTo("GET"));
        Assert.That(HttpText.Text(head.TargetBytes), Is.EqualTo("/a"));
        Assert.That(head.Host.Length, Is.Zero);
    }

    [Test]
    public void Taking_and_reading_heads_allocates_nothing_once_the_buffer_has_grown()
    {
        var bytes = HeadFeed.Sequence(HttpText.Bytes(
            "GET /a?b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n"
            + "Connection: upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\n\r\n"));
        var head = new RequestHead();
        var read = 0;
        TakeAndRead();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var times = 0; times < 1000; times++)
            TakeAndRead();

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        Assert.That(read, Is.EqualTo(1001));

        void TakeAndRead()
        {
            var scanned = 0L;
            HeadParser.FindRequestEnd(bytes, ref scanned, HeadFeed.DefaultLimits, out var length, out _);
            head.Take(bytes.Slice(0, length));
            if (HeadParser.TryParseRequest(head, HeadFeed.DefaultLimits, out _)
                && BodyFraming.TryDecide(head, out _, out _))
            {
                read++;
            }
        }
    }

    private static void AssertRefused(string lines, FailureKind expected)
        => HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces), HttpText.Bytes($"{lines}\r\n"), expected);
}
