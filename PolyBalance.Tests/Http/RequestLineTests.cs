using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class RequestLineTests
{
    [TestCase("GET / HTTP/1.1", MethodKind.Get, TargetForm.Origin, "/", "")]
    [TestCase("HEAD /a?b=c?d HTTP/1.1", MethodKind.Head, TargetForm.Origin, "/a", "b=c?d")]
    [TestCase("POST /a? HTTP/1.1", MethodKind.Post, TargetForm.Origin, "/a", "")]
    [TestCase("PROPFIND //h/x HTTP/1.1", MethodKind.Other, TargetForm.Origin, "//h/x", "")]
    [TestCase("get /%2F%aF%00 HTTP/1.1", MethodKind.Other, TargetForm.Origin, "/%2F%aF%00", "")]
    [TestCase("!#$%&'*+-.^_`|~9aZ / HTTP/1.1", MethodKind.Other, TargetForm.Origin, "/", "")]
    [TestCase("GET /\"<>^`{|}[]@ HTTP/1.1", MethodKind.Get, TargetForm.Origin, "/\"<>^`{|}[]@", "")]
    [TestCase("GET /;:,=~!$&'()*+ HTTP/1.1", MethodKind.Get, TargetForm.Origin, "/;:,=~!$&'()*+", "")]
    [TestCase("OPTIONS * HTTP/1.1", MethodKind.Options, TargetForm.Asterisk, "*", "")]
    [TestCase("OPTIONS /* HTTP/1.1", MethodKind.Options, TargetForm.Origin, "/*", "")]
    [TestCase("GET http://h/x?y HTTP/1.1", MethodKind.Get, TargetForm.Absolute, "/x", "y")]
    [TestCase("GET hTTps://h HTTP/1.1", MethodKind.Get, TargetForm.Absolute, "/", "")]
    [TestCase("GET http://H?q/r HTTP/1.1", MethodKind.Get, TargetForm.Absolute, "/", "q/r")]
    public void A_request_line_is_a_method_a_target_and_a_version(
        string line, MethodKind method, TargetForm form, string path, string query)
    {
        var head = HttpText.Request($"{line}\r\nHost: h\r\n\r\n");

        Assert.That(head.Method.Kind, Is.EqualTo(method));
        Assert.That(HttpText.Text(head.MethodToken), Is.EqualTo(line.Split(' ')[0]));
        Assert.That(HttpText.Text(head.MethodMemory.Span), Is.EqualTo(line.Split(' ')[0]));
        Assert.That(head.Target.Form, Is.EqualTo(form));
        Assert.That(HttpText.Text(head.TargetBytes), Is.EqualTo(line.Split(' ')[1]));
        Assert.That(HttpText.Text(head.TargetMemory.Span), Is.EqualTo(line.Split(' ')[1]));
        Assert.That(HttpText.Text(head.Path), Is.EqualTo(path));
        Assert.That(HttpText.Text(head.Query), Is.EqualTo(query));
        Assert.That(head.Version, Is.EqualTo(ProtocolVersion.Http11));
    }

    [TestCase("")]
    [TestCase("GET")]
    [TestCase("GET ")]
    [TestCase("GET /")]
    [TestCase("GET / ")]
    [TestCase("GET HTTP/1.1")]
    [TestCase("GET  HTTP/1.1")]
    [TestCase(" GET / HTTP/1.1")]
    [TestCase("GET  / HTTP/1.1")]
    [TestCase("GET /  HTTP/1.1")]
    [TestCase("GET / HTTP/1.1 ")]
    [TestCase("GET /a b HTTP/1.1")]
    [TestCase("GET\t/ HTTP/1.1")]
    [TestCase("GET /\tHTTP/1.1")]
    [TestCase("GET /a\tb HTTP/1.1")]
    [TestCase("GET / HTTP/1.1\t")]
    [TestCase("GET / http/1.1")]
    [TestCase("GET / HTTP/11")]
    [TestCase("GET / HTTP/1.")]
    [TestCase("GET / HTTP/1.10")]
    [TestCase("GET / HTTP/01.1")]
    [TestCase("GET / HTTP/1,1")]
    [TestCase("GET / HTTP/a.1")]
    [TestCase("GET / HTTPS/1.1")]
    [TestCase("GET / HTTP/1.1\rx")]
    [TestCase("GET /\r HTTP/1.1")]
    [TestCase("GET / \rHTTP/1.1")]
    [TestCase("G(T / HTTP/1.1")]
    [TestCase("G\u00C4T / HTTP/1.1")]
    [TestCase("G\0T / HTTP/1.1")]
    [TestCase("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1")]
    [TestCase("\rGET / HTTP/1.1")]
    [TestCase("\r\n\r\nGET / HTTP/1.1")]
    public void A_line_of_another_shape_is_refused(string line)
        => AssertRefused(line, FailureKind.MalformedRequestLine);

    [TestCase("a")]
    [TestCase("*")]
    [TestCase("*/")]
    [TestCase("h:80")]
    [TestCase("?q")]
    [TestCase("/#f")]
    [TestCase("/a\\b")]
    [TestCase("/%")]
    [TestCase("/%4")]
    [TestCase("/%4g")]
    [TestCase("/%g4")]
    [TestCase("/?%%41")]
    [TestCase("/\0")]
    [TestCase("/\u007F")]
    [TestCase("/\u0080")]
    [TestCase("/\u00FF")]
    [TestCase("/\u000B")]
    [TestCase("http:/h/")]
    [TestCase("http:h/")]
    [TestCase("http:///a")]
    [TestCase("http://")]
    [TestCase("http://?")]
    [TestCase("http://u@h/")]
    [TestCase("http://u:p@h/")]
    [TestCase("http://h:/")]
    [TestCase("http://h:x/")]
    [TestCase("http://h,i/")]
    [TestCase("http://[::1/")]
    [TestCase("ftp://h/")]
    [TestCase("ws://h/")]
    [TestCase("://h/")]
    public void A_target_of_no_known_form_is_refused(string target)
        => AssertRefused($"GET {target} HTTP/1.1", FailureKind.MalformedTarget);

    [TestCase("OPTIONS *a HTTP/1.1")]
    [TestCase("OPTIONS ** HTTP/1.1")]
    [TestCase("OPTIONS *? HTTP/1.1")]
    public void The_asterisk_stands_alone(string line) => AssertRefused(line, FailureKind.MalformedTarget);

    [TestCase("GET / HTTP/2.0")]
    [TestCase("GET / HTTP/0.9")]
    [TestCase("GET / HTTP/1.2")]
    [TestCase("GET / HTTP/9.9")]
    [TestCase("PRI * HTTP/2.0")]
    public void Other_versions_are_refused_as_such(string line) => AssertRefused(line, FailureKind.UnsupportedVersion);

    [TestCase("CONNECT h:443 HTTP/1.1")]
    [TestCase("CONNECT /h HTTP/1.0")]
    [TestCase("CONNECT http://h/ HTTP/1.1")]
    public void Connect_is_refused_whatever_its_target(string line)
        => AssertRefused(line, FailureKind.ConnectNotSupported);

    [Test]
    public void A_method_has_at_most_32_bytes()
    {
        var head = HttpText.Request("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\nHost: h\r\n\r\n");

        Assert.That(head.MethodToken.Length, Is.EqualTo(32));
    }

    [Test]
    public void A_target_may_be_as_long_as_its_limit_and_no_longer()
    {
        var longest = "/" + new string('a', Limits.RequestTargetBytesMax - 1);
        var head = HttpText.Request($"GET {longest} HTTP/1.1\r\nHost: h\r\n\r\n");
        Assert.That(head.TargetBytes.Length, Is.EqualTo(Limits.RequestTargetBytesMax));

        // Past the bound of the whole line the search refuses; just past the limit of the target the parser does.
        AssertRefused($"GET {longest}a HTTP/1.1", FailureKind.TargetTooLong);
        AssertRefused($"GET {longest}{longest} HTTP/1.1", FailureKind.TargetTooLong);
        AssertRefused($"GET {longest}{longest}# HTTP/1.1", FailureKind.TargetTooLong);
    }

    [Test]
    public void A_line_without_end_is_refused_before_it_ends()
    {
        var limits = HeadFeed.DefaultLimits;
        var target = HttpText.Bytes("GET /" + new string('a', Limits.RequestTargetBytesMax + 100));
        var noise = HttpText.Bytes(new string('a', Limits.RequestTargetBytesMax + 100));
        var small = HttpText.Bytes("GET /" + new string('a', 1200));

        HeadFeed.AssertSameWhereverCut(p => HeadFeed.JudgeRequest(limits, p), target, FailureKind.TargetTooLong);
        HeadFeed.AssertSameWhereverCut(p => HeadFeed.JudgeRequest(limits, p), noise, FailureKind.MalformedRequestLine);
        HeadFeed.AssertSameWhereverCut(
            p => HeadFeed.JudgeRequest(new HeadLimits(1024, 128), p), small, FailureKind.TargetTooLong);
    }

    [TestCase(100, FailureKind.BareLineFeed)]
    [TestCase(Limits.RequestTargetBytesMax + 100, FailureKind.TargetTooLong)]
    public void Of_two_reasons_to_refuse_it_the_one_that_is_seen_first_counts(int length, FailureKind expected)
        => AssertRefused($"GET /{new string('a', length)}\n{new string('a', 9000)} HTTP/1.1", expected);

    [TestCase("GET", true, true)]
    [TestCase("HEAD", true, true)]
    [TestCase("OPTIONS", true, true)]
    [TestCase("TRACE", true, true)]
    [TestCase("PUT", false, true)]
    [TestCase("DELETE", false, true)]
    [TestCase("POST", false, false)]
    [TestCase("PATCH", false, false)]
    [TestCase("CONNECT", false, false)]
    [TestCase("get", false, false)]
    [TestCase("GETT", false, false)]
    [TestCase("PUTS", false, false)]
    [TestCase("HEADS", false, false)]
    [TestCase("QUERY", false, false)]
    public void What_a_method_allows(string token, bool isSafe, bool isIdempotent)
    {
        var method = RequestMethod.Of(HttpText.Bytes(token));

        Assert.That(method.IsSafe, Is.EqualTo(isSafe));
        Assert.That(method.IsIdempotent, Is.EqualTo(isIdempotent));
        Assert.That(method.IsHead, Is.EqualTo(token == "HEAD"));
    }

    [Test]
    public void Every_method_is_told_from_every_other()
    {
        foreach (var kind in Enum.GetValues<MethodKind>())
            Assert.That(RequestMethod.Of(HttpText.Bytes(kind.ToString().ToUpperInvariant())).Kind, Is.EqualTo(kind));
    }

    private static void AssertRefused(string line, FailureKind expected)
        => HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces),
            HttpText.Bytes($"{line}\r\nHost: h\r\n\r\n"),
            expected);
}
