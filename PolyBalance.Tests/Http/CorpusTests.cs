using NUnit.Framework;

namespace PolyBalance.Tests.Http;

/// <summary>Runs the corpus, and keeps it honest.</summary>
internal sealed class CorpusTests
{
    private const int CasesMin = 250;

    // Beyond this, bytes that come one by one share segments; the search walks them again after every byte.
    private const int SingleByteSegmentsMax = 4_096;

    /// <summary>TCP may cut a message anywhere, so what we read must not depend on the cuts.</summary>
    [TestCaseSource(typeof(Corpus), nameof(Corpus.Names))]
    [Parallelizable(ParallelScope.All)]
    public void A_message_is_read_as_written_down_wherever_it_is_cut(string name)
    {
        var example = Corpus.Load(name);
        var whole = Corpus.ReadingOf(example);
        Corpus.ReadWhole(whole, example.Bytes);
        Assert.That(whole.Log.ToLines(), Is.EqualTo(example.Expected), () => Show(example, whole.Log, "in one piece"));

        var cut = Corpus.ReadingOf(example);
        for (var at = 1; at < example.Bytes.Length; at++)
        {
            Corpus.ReadCut(cut, example.Bytes, at);
            if (!cut.Log.IsSameAs(whole.Log))
                Assert.Fail(Show(example, cut.Log, $"cut after byte {at}"));
        }

        var segmentBytes = example.Bytes.Length <= SingleByteSegmentsMax ? 1 : 64;
        Corpus.ReadByteByByte(cut, example.Bytes, segmentBytes);
        if (!cut.Log.IsSameAs(whole.Log))
            Assert.Fail(Show(example, cut.Log, "byte by byte"));
    }

    [Test]
    public void The_corpus_is_there()
    {
        var names = Corpus.Names.ToList();

        Assert.That(names, Has.Count.GreaterThanOrEqualTo(CasesMin));
        foreach (var area in Corpus.Areas)
            Assert.That(names.Any(name => name.StartsWith(area + "/", StringComparison.Ordinal)), $"{area} is empty");
        foreach (var area in ExpectedAreas)
            Assert.That(Corpus.Areas, Has.Member(area));
        foreach (var name in names)
            Assert.That(name, Does.Match("^[a-z-]+/[a-z0-9-]+$"), "a case is an .http file in the folder of its area");
    }

    [Test]
    public void Every_case_says_why_it_is_there()
    {
        foreach (var name in Corpus.Names)
        {
            var example = Corpus.Load(name);
            Assert.That(example.Bytes, Is.Not.Empty, name);
            Assert.That(example.Comments, Is.Not.Empty, name);
            Assert.That(
                string.Concat(example.Comments), Does.Match("RFC [0-9]+|W3C"), $"{name} names no specification");
        }
    }

    [Test]
    public void No_two_cases_are_the_same()
    {
        var same = Corpus.Names.Select(Corpus.Load)
            .GroupBy(example => (
                example.Kind, example.Answers, string.Concat(example.Directives), Convert.ToHexString(example.Bytes)))
            .Where(group => group.Count() > 1)
            .Select(group => string.Join(" = ", group));

        Assert.That(same, Is.Empty);
    }

    private static string[] ExpectedAreas =>
    [
        "request-line", "target", "fields", "host", "framing", "chunked", "trailers", "smuggling", "pipelining",
        "persistence", "limits", "upgrade", "expect", "versions", "response-line", "response-fields",
        "response-framing", "response-chunked", "response-smuggling", "forwarding", "forwarding-response",
    ];

    private static string Show(CorpusCase example, EventLog actual, string how)
        => $"""
            {example.Name}, {how}
            {string.Join('\n', example.Comments)}
            --- bytes
            {CorpusText.Escape(example.Bytes).Replace(@"\r\n", "\\r\\n\n", StringComparison.Ordinal)}
            --- expected
            {string.Join('\n', example.Expected)}
            --- actual
            {string.Join('\n', actual.ToLines())}
            """;
}
