using System.Text;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class ChunkedDecoderTests
{
    // input → content, then how it ends: '|' trailer section reached, '!' malformed, '…' more needed.
    private static readonly (string Input, string Expected)[] Bodies =
    [
        ("0\r\n", "|"),
        ("0000\r\n", "|"),
        ("0;a=b\r\n", "|"),
        ("5\r\nhello\r\n0\r\n", "hello|"),
        ("1\r\na\r\n2\r\nbc\r\n0\r\n", "abc|"),
        ("a\r\n0123456789\r\n0\r\n", "0123456789|"),
        ("A\r\n0123456789\r\n0\r\n", "0123456789|"),
        ("0005\r\nhello\r\n0\r\n", "hello|"),
        ("0000000000000001\r\nx\r\n0\r\n", "x|"),
        ("2\r\n\r\n\r\n0\r\n", "\r\n|"),

        // Extensions: name, token value, quoted value, several of them.
        ("1;a\r\nx\r\n0\r\n", "x|"),
        ("1;a=b\r\nx\r\n0\r\n", "x|"),
        ("1;a=b;c;d=e\r\nx\r\n0\r\n", "x|"),
        ("1;a=\"b c;d=\\\"\"\r\nx\r\n0\r\n", "x|"),
        ("1;a=\"\";b\r\nx\r\n0\r\n", "x|"),
        ("1;a=\"\t\xE9\\\xE9\"\r\nx\r\n0\r\n", "x|"),
        ("1;!#$%&'*+-.^_`|~09azAZ\r\nx\r\n0\r\n", "x|"),

        // More needed.
        ("", "…"),
        ("5", "…"),
        ("5\r", "…"),
        ("5\r\n", "…"),
        ("5\r\nhel", "hel…"),
        ("5\r\nhello", "hello…"),
        ("5\r\nhello\r", "hello…"),
        ("5\r\nhello\r\n", "hello…"),
        ("1;a=\"", "…"),

        // The size.
        ("\r\n", "!"),
        (";a\r\n", "!"),
        (" 5\r\nhello\r\n", "!"),
        ("5 \r\nhello\r\n", "!"),
        ("5\t\r\nhello\r\n", "!"),
        ("+5\r\nhello\r\n", "!"),
        ("-1\r\n", "!"),
        ("0x5\r\nhello\r\n", "!"),
        ("5g\r\n", "!"),
        ("5_0\r\n", "!"),
        ("\xB5\r\n", "!"),
        ("8000000000000000\r\n", "!"),
        ("ffffffffffffffff\r\n", "!"),
        ("00000000000000001\r\nx\r\n", "!"),
        ("10000000000000005\r\n", "!"),

        // Line ends.
        ("5\nhello\r\n0\r\n", "!"),
        ("5\r\rhello", "!"),
        ("5\rhello", "!"),
        ("5\r\nhello\n0\r\n", "hello!"),
        ("5\r\nhelloX\r\n0\r\n", "hello!"),
        ("5\r\nhello0\r\n", "hello!"),
        ("5\r\nhello\r0\r\n", "hello!"),
        ("5\r\nhello\rX", "hello!"),
        ("0\n\n", "!"),

        // Extensions that another recipient could end elsewhere.
        ("1;\r\nx\r\n", "!"),
        ("1;;a\r\nx\r\n", "!"),
        ("1;=b\r\nx\r\n", "!"),
        ("1;a=\r\nx\r\n", "!"),
        ("1;a=b=c\r\nx\r\n", "!"),
        ("1; a\r\nx\r\n", "!"),
        ("1 ;a\r\nx\r\n", "!"),
        ("1;a =b\r\nx\r\n", "!"),
        ("1;a= b\r\nx\r\n", "!"),
        ("1;a\nx\r\n", "!"),
        ("1;a\rx\r\n", "!"),
        ("1;a\0\r\nx\r\n", "!"),
        ("1;a=\"b\r\nx\r\n", "!"),
        ("1;a=\"b\nc\"\r\nx\r\n", "!"),
        ("1;a=\"b\\\r\"\r\nx\r\n", "!"),
        ("1;a=\"b\x7F\"\r\nx\r\n", "!"),
        ("1;a=\"b\"c\r\nx\r\n", "!"),
        ("1;\xE9\r\nx\r\n", "!"),
    ];

    [TestCaseSource(nameof(Names))]
    public void A_body_decodes_the_same_wherever_the_bytes_are_cut(int index)
    {
        var (input, expected) = Bodies[index];
        Assert.That(Decode(input), Is.EqualTo(expected));

        for (var cut = 1; cut < input.Length; cut++)
            Assert.That(Decode(input[..cut], input[cut..]), Is.EqualTo(expected), $"cut after byte {cut}");

        var bytes = Array.ConvertAll(input.ToCharArray(), single => single.ToString());
        Assert.That(Decode(bytes), Is.EqualTo(expected), "byte by byte");
    }

    [Test]
    public void A_run_of_content_is_one_range_between_its_framing()
    {
        var decoder = new ChunkedDecoder();
        var input = "5;a\r\nhello\r\n3\r\nabcdef"u8;

        Assert.That(decoder.Decode(input), Is.EqualTo(new BodyStep(BodyStatus.Content, 10, 5, 5)));
        Assert.That(decoder.Decode(input[10..]), Is.EqualTo(new BodyStep(BodyStatus.Content, 8, 5, 3)));
        Assert.That(decoder.Decode(input[18..]), Is.EqualTo(new BodyStep(BodyStatus.Malformed, 1)));
    }

    [Test]
    public void A_chunk_of_the_largest_size_is_content_as_far_as_it_has_come()
    {
        var decoder = new ChunkedDecoder();
        decoder.Decode("7fffffffffffffff\r\n"u8);

        var step = decoder.Decode(new byte[100_000]);

        Assert.That(step, Is.EqualTo(new BodyStep(BodyStatus.Content, 100_000, 0, 100_000)));
    }

    [Test]
    public void A_chunk_size_line_may_be_as_long_as_the_limit_and_no_longer()
    {
        var longest = "1;" + new string('a', Limits.ChunkLineBytesMax - 4) + "\r\n";
        var tooLong = "1;" + new string('a', Limits.ChunkLineBytesMax - 3) + "\r\n";

        Assert.That(Decode(longest + "x\r\n" + longest + "y\r\n0\r\n"), Is.EqualTo("xy|"), "the limit is per line");
        Assert.That(Decode(tooLong + "x\r\n0\r\n"), Is.EqualTo("!"));
    }

    [Test]
    public void What_follows_the_last_chunk_is_left_to_the_caller()
    {
        var decoder = new ChunkedDecoder();
        var input = "0\r\nExpires: 0\r\n\r\n"u8;

        Assert.That(decoder.Decode(input), Is.EqualTo(new BodyStep(BodyStatus.TrailerSection, 3)));
        Assert.That(decoder.Decode(input[3..]), Is.EqualTo(new BodyStep(BodyStatus.TrailerSection, 0)));
    }

    [Test]
    public void A_broken_body_stays_broken()
    {
        var decoder = new ChunkedDecoder();

        Assert.That(decoder.Decode("5 \r\n"u8), Is.EqualTo(new BodyStep(BodyStatus.Malformed, 2)));
        Assert.That(decoder.Decode("5\r\nhello\r\n"u8), Is.EqualTo(new BodyStep(BodyStatus.Malformed, 0)));
    }

    private static IEnumerable<TestCaseData> Names()
    {
        for (var i = 0; i < Bodies.Length; i++)
            yield return new TestCaseData(i).SetArgDisplayNames(Visible(Bodies[i].Input));
    }

    private static string Visible(string text)
    {
        var visible = new StringBuilder("'");
        foreach (var next in text)
            visible.Append(next is >= ' ' and <= '~' ? next.ToString() : $"<{(int)next:X2}>");
        return visible.Append('\'').ToString();
    }

    private static string Decode(params string[] pieces)
    {
        var decoder = new ChunkedDecoder();
        var seen = new StringBuilder();
        foreach (var piece in pieces)
        {
            for (var rest = HttpText.Bytes(piece).AsSpan(); ;)
            {
                var step = decoder.Decode(rest);
                seen.Append(HttpText.Text(rest.Slice(step.ContentStart, step.ContentLength)));
                rest = rest[step.Consumed..];
                if (step.Status == BodyStatus.TrailerSection)
                    return seen.Append('|').ToString();
                if (step.Status == BodyStatus.Malformed)
                    return seen.Append('!').ToString();
                if (step.Status == BodyStatus.NeedMore)
                    break;
            }
        }

        return seen.Append('…').ToString();
    }
}
