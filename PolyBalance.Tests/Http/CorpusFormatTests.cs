using NUnit.Framework;

namespace PolyBalance.Tests.Http;

/// <summary>The format of corpus files: what is wrong with a file must be seen, not skipped.</summary>
internal sealed class CorpusFormatTests
{
    [TestCase(@"a\r\n\t\0\\\x7B\xfF", "a\r\n\t\0\\{\u00FF")]
    [TestCase("{ab*3}c", "abababc")]
    [TestCase(@"{\r\n*2}", "\r\n\r\n")]
    [TestCase("{**2}", "**")]
    [TestCase("", "")]
    public void Escaped_text_stands_for_bytes(string text, string expected)
        => Assert.That(CorpusText.Unescape(text), Is.EqualTo(expected.Select(next => (byte)next)));

    [TestCase(@"\q")]
    [TestCase(@"\")]
    [TestCase(@"\x4")]
    [TestCase(@"\xGG")]
    [TestCase("{a*}")]
    [TestCase("{a*0}")]
    [TestCase("{a}")]
    [TestCase("{a*2")]
    [TestCase("\t")]
    [TestCase("\u00E9")]
    public void An_unknown_escape_is_refused(string text)
        => Assert.That(() => CorpusText.Unescape(text), Throws.TypeOf<FormatException>());

    [Test]
    public void Every_byte_can_be_written_and_read_back()
    {
        var bytes = Enumerable.Range(0, 256).Select(value => (byte)value).ToArray();

        Assert.That(CorpusText.Unescape(CorpusText.Escape(bytes)), Is.EqualTo(bytes));
    }

    [Test]
    public void A_long_run_is_written_short()
        => Assert.That(CorpusText.Escape([.. new byte[40], (byte)'a']), Is.EqualTo(@"{\0*40}a"));

    [TestCase("# why\nGET / HTTP/1.1\\r\\n\n", TestName = "no divider")]
    [TestCase("# why\nGET / HTTP/1.1\\r\\n\n----------\n", TestName = "nothing after the divider")]
    [TestCase("# why\nGET / HTTP/1.1\\r\\n\n---------\nend\n", TestName = "a divider of nine hyphens")]
    [TestCase("# why\nGET / HTTP/1.1\\q\n----------\nend\n", TestName = "an unknown escape in the bytes")]
    [TestCase("# why\nGET / HTTP/1.1\\r\\n\n----------\ncontent \\q\n", TestName = "an unknown escape in the events")]
    public void A_file_that_expects_nothing_is_refused(string text)
        => Assert.That(() => CorpusCase.Parse("fields/x", text), Throws.TypeOf<FormatException>());

    [Test]
    public void A_response_without_the_method_it_answers_is_refused()
        => Assert.That(
            () => CorpusCase.Parse("response-line/x", "# why\nHTTP/1.1 200 OK\\r\\n\\r\\n\n----------\nend\n"),
            Throws.TypeOf<FormatException>());

    [Test]
    public void A_file_is_bytes_and_events()
    {
        var example = CorpusCase.Parse(
            "forwarding/x",
            "# why\n# trusted\n# host a.example\na\\r\\n\nb\n----------\nend\n3 times: field A: {b*40}\n");

        Assert.That(example.Bytes, Is.EqualTo("a\r\nb"u8.ToArray()));
        Assert.That(example.Comments, Is.EqualTo(new[] { "why" }));
        Assert.That(example.Has("trusted"), Is.True);
        Assert.That(example.ValueOf("host"), Is.EqualTo("a.example"));
        Assert.That(
            example.Expected, Is.EqualTo(new[] { "end", "field A: {b*40}", "field A: {b*40}", "field A: {b*40}" }));
    }

    [Test]
    public void A_wrong_expectation_fails()
    {
        var example = CorpusCase.Parse(
            "fields/x",
            "# why\nGET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\n----------\nrefused: malformed_field 400\n");
        var reading = Corpus.ReadingOf(example);

        Corpus.ReadWhole(reading, example.Bytes);

        Assert.That(reading.Log.ToLines(), Is.Not.EqualTo(example.Expected));
    }
}
