using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class FieldLineTests
{
    private static readonly string[] Positions = ["first", "in the middle", "last"];

    [TestCase("A:b", "A", "b")]
    [TestCase("A: b", "A", "b")]
    [TestCase("A:\t  b\t ", "A", "b")]
    [TestCase("A:", "A", "")]
    [TestCase("A: \t ", "A", "")]
    [TestCase("A: b: c", "A", "b: c")]
    [TestCase("A: b\tc  d", "A", "b\tc  d")]
    [TestCase("A: \u0080\u00FF", "A", "\u0080\u00FF")]
    [TestCase("!#$%&'*+-.^_`|~09azAZ: x", "!#$%&'*+-.^_`|~09azAZ", "x")]
    public void A_field_line_is_a_name_and_a_trimmed_value(string line, string name, string value)
    {
        var fields = HttpText.Request($"GET / HTTP/1.1\r\nHost: h\r\n{line}\r\nZ: z\r\n\r\n").Fields;

        Assert.That(fields.Count, Is.EqualTo(3));
        Assert.That(HttpText.Text(fields.Name(1)), Is.EqualTo(name));
        Assert.That(HttpText.Text(fields.Value(1)), Is.EqualTo(value));
        Assert.That(HttpText.Text(fields.Line(1)), Is.EqualTo($"{line}\r\n"));
        Assert.That(fields.Known(1), Is.EqualTo(KnownField.None));
    }

    [TestCase("A : b", TestName = "a blank before the colon")]
    [TestCase("A\t: b", TestName = "a tab before the colon")]
    [TestCase(" A: b", TestName = "a blank before the name, as in a folded line")]
    [TestCase("\tA: b", TestName = "a tab before the name")]
    [TestCase(": b", TestName = "no name")]
    [TestCase("A", TestName = "no colon")]
    [TestCase("A b: c", TestName = "a blank in the name")]
    [TestCase("A\u00E4: b", TestName = "a byte above ASCII in the name")]
    [TestCase("A(: b", TestName = "a delimiter in the name")]
    [TestCase("A\0: b", TestName = "NUL in the name")]
    [TestCase("A: b\0", TestName = "NUL in the value")]
    [TestCase("A: b\u007Fc", TestName = "DEL in the value")]
    [TestCase("A: b\u000Bc", TestName = "a vertical tab in the value")]
    [TestCase("A: b\u001Bc", TestName = "an escape in the value")]
    [TestCase("A: b\rc", TestName = "a bare CR in the value")]
    [TestCase("A: b\r", TestName = "a bare CR behind the value")]
    [TestCase("A\r: b", TestName = "a bare CR in the name")]
    [TestCase("\rA: b", TestName = "a bare CR before the name")]
    [TestCase("Content_Length: 5")]
    [TestCase("content_length: 5")]
    [TestCase("Transfer_Encoding: chunked")]
    [TestCase("TRANSFER_ENCODING: chunked")]
    public void A_malformed_field_line_is_refused_wherever_it_stands(string line)
    {
        foreach (var position in Positions)
        {
            var lines = position switch
            {
                "first" => $"{line}\r\nHost: h\r\nZ: z",
                "last" => $"Host: h\r\nZ: z\r\n{line}",
                _ => $"Host: h\r\n{line}\r\nZ: z",
            };
            HeadFeed.AssertSameWhereverCut(
                pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces),
                HttpText.Bytes($"GET / HTTP/1.1\r\n{lines}\r\n\r\n"), FailureKind.MalformedField);
            HeadFeed.AssertSameWhereverCut(
                pieces => HeadFeed.JudgeResponse(HeadFeed.DefaultLimits, pieces),
                HttpText.Bytes($"HTTP/1.1 200 OK\r\n{lines}\r\n\r\n"), FailureKind.MalformedResponse);
            HeadFeed.AssertSameWhereverCut(
                HeadFeed.JudgeTrailers, HttpText.Bytes($"{lines}\r\n\r\n"), FailureKind.MalformedTrailer);
        }
    }

    [TestCase("GET / HTTP/1.1\nHost: h\r\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\n")]
    [TestCase("GET / HTTP/1.1\nHost: h\n\n")]
    [TestCase("GET / HTTP/1.1\r\nA: b\nHost : h\r\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\nA : b\r\nHost: h\n\r\n\r\n")]
    [TestCase("GET\n/ HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    [TestCase("\r\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")]
    public void A_bare_line_feed_is_refused_before_anything_else_is(string head)
        => HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces),
            HttpText.Bytes(head), FailureKind.BareLineFeed);

    [Test]
    public void A_bare_line_feed_is_refused_although_the_head_has_not_ended()
        => HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces),
            HttpText.Bytes("GET / HTTP/1.1\r\nHost: h\nAccept"), FailureKind.BareLineFeed);

    [Test]
    public void There_is_a_bound_on_field_lines()
    {
        var limits = new HeadLimits(Limits.HeadBytesDefault, FieldLinesMax: 3);
        const string Three = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nA: b\r\n";

        Assert.That(HeadFeed.JudgeRequest(limits, HttpText.Bytes($"{Three}\r\n")), Is.EqualTo(FailureKind.None));
        HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(limits, pieces),
            HttpText.Bytes($"{Three}A: b\r\n\r\n"), FailureKind.TooManyFields);
    }

    [Test]
    public void As_many_field_lines_as_can_be_configured_are_read()
    {
        var limits = new HeadLimits(Limits.HeadBytesMax, Limits.FieldLinesMax);
        var lines = string.Concat(Enumerable.Range(1, Limits.FieldLinesMax - 1).Select(line => $"A{line}: {line}\r\n"));
        var head = new RequestHead();
        head.Take(HeadFeed.Sequence(HttpText.Bytes($"GET / HTTP/1.1\r\n{lines}Host: h\r\n\r\n")));

        Assert.That(HeadParser.TryParseRequest(head, limits, out _), Is.True);
        Assert.That(head.Fields.Count, Is.EqualTo(Limits.FieldLinesMax));
        Assert.That(head.Fields.IndexOf(KnownField.Host), Is.EqualTo(Limits.FieldLinesMax - 1));
        Assert.That(HttpText.Text(head.Fields.Value(1000)), Is.EqualTo("1001"));
    }

    [Test]
    public void There_is_a_bound_on_the_bytes_of_a_head()
    {
        var limits = new HeadLimits(1024, 128);
        var fits = $"GET / HTTP/1.1\r\nHost: h\r\nA: {new string('a', 1024 - 32)}\r\n\r\n";
        Assert.That(fits, Has.Length.EqualTo(1024));

        // What follows a head does not count, nor does an empty line before it.
        foreach (var text in (string[])[fits, $"{fits}more", $"\r\n{fits}"])
        {
            HeadFeed.AssertSameWhereverCut(
                pieces => HeadFeed.JudgeRequest(limits, pieces), HttpText.Bytes(text), FailureKind.None);
        }

        HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(limits, pieces),
            HttpText.Bytes(fits.Replace("A: ", "AB: ", StringComparison.Ordinal)), FailureKind.HeadTooLarge);
        HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(limits, pieces),
            HttpText.Bytes(fits[..1022] + "aaaa"), FailureKind.HeadTooLarge);
    }

    [TestCase("")]
    [TestCase("\r")]
    [TestCase("\r\n")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n")]
    [TestCase("GET / HTTP/1.1\r\nHost: h\r\n\r")]
    public void A_head_that_has_not_ended_is_waited_for(string bytes)
        => HeadFeed.AssertSameWhereverCut(
            pieces => HeadFeed.JudgeRequest(HeadFeed.DefaultLimits, pieces), HttpText.Bytes(bytes), expected: null);
}
