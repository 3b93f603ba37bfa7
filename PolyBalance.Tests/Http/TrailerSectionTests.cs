using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class TrailerSectionTests
{
    [TestCase("\r\n", 0)]
    [TestCase("\r\nGET / HTTP/1.1\r\n\r\n", 0)]
    [TestCase("A: b\r\n\r\n", 1)]
    [TestCase("A: b\r\nC:\r\n\r\nGET / HTTP/1.1\r\n\r\n", 2)]
    public void A_trailer_section_ends_with_the_first_empty_line(string text, int count)
    {
        HeadFeed.AssertSameWhereverCut(HeadFeed.JudgeTrailers, HttpText.Bytes(text), FailureKind.None);

        var scanned = 0L;
        var bytes = HeadFeed.Sequence(HttpText.Bytes(text));
        Assert.That(
            HeadParser.FindTrailerEnd(bytes, ref scanned, out var length, out _), Is.EqualTo(HeadSearchStatus.Found));
        Assert.That(HttpText.Trailers(text[..length]).Fields.Count, Is.EqualTo(count));
    }

    [TestCase("")]
    [TestCase("\r")]
    [TestCase("A: b\r\n")]
    [TestCase("A: b\r\n\r")]
    public void One_that_has_not_ended_is_waited_for(string text)
        => HeadFeed.AssertSameWhereverCut(HeadFeed.JudgeTrailers, HttpText.Bytes(text), expected: null);

    [TestCase("\n")]
    [TestCase("A: b\n\r\n")]
    [TestCase("A: b\r\n\n")]
    [TestCase("\rA: b\r\n\r\n")]
    [TestCase("A: b\r\n c\r\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\n\r\n")]
    public void One_with_a_malformed_line_is_refused(string text)
        => HeadFeed.AssertSameWhereverCut(HeadFeed.JudgeTrailers, HttpText.Bytes(text), FailureKind.MalformedTrailer);

    [Test]
    public void There_are_bounds_on_its_bytes_and_lines()
    {
        var longest = $"A: {new string('a', Limits.TrailerBytesMax - 7)}\r\n\r\n";
        var most = string.Concat(Enumerable.Repeat("A: b\r\n", Limits.FieldLinesDefault));

        HeadFeed.AssertSameWhereverCut(HeadFeed.JudgeTrailers, HttpText.Bytes(longest), FailureKind.None);
        HeadFeed.AssertSameWhereverCut(
            HeadFeed.JudgeTrailers, HttpText.Bytes("A" + longest), FailureKind.MalformedTrailer);
        HeadFeed.AssertSameWhereverCut(HeadFeed.JudgeTrailers, HttpText.Bytes($"{most}\r\n"), FailureKind.None);
        HeadFeed.AssertSameWhereverCut(
            HeadFeed.JudgeTrailers, HttpText.Bytes($"{most}A: b\r\n\r\n"), FailureKind.MalformedTrailer);
    }
}
