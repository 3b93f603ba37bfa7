using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class BodyDecoderTests
{
    [TestCase(BodyKind.None)]
    [TestCase(BodyKind.Length)]
    public void A_body_without_content_is_over_before_the_first_byte(BodyKind kind)
    {
        var decoder = BodyDecoder.For(new BodyFraming(kind));

        Assert.That(decoder.IsComplete, Is.True);
        Assert.That(decoder.Remaining, Is.Zero);
        Assert.That(decoder.Decode("GET / HTTP/1.1\r\n"u8), Is.EqualTo(new BodyStep(BodyStatus.End, 0)));
    }

    [Test]
    public void A_length_takes_exactly_so_many_bytes()
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.Length, 5));
        var input = "helloGET / HTTP/1.1\r\n"u8;

        Assert.That(decoder.Decode(input[..2]), Is.EqualTo(new BodyStep(BodyStatus.Content, 2, 0, 2)));
        Assert.That(decoder.Remaining, Is.EqualTo(3));
        Assert.That(decoder.Decode([]), Is.EqualTo(new BodyStep(BodyStatus.NeedMore, 0)));
        Assert.That(decoder.IsComplete, Is.False);

        Assert.That(decoder.Decode(input[2..]), Is.EqualTo(new BodyStep(BodyStatus.Content, 3, 0, 3)));
        Assert.That(decoder.IsComplete, Is.True);
        Assert.That(decoder.Decode(input[5..]), Is.EqualTo(new BodyStep(BodyStatus.End, 0)));
    }

    [Test]
    public void A_length_may_be_longer_than_any_span()
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.Length, long.MaxValue));

        Assert.That(decoder.Decode(new byte[100]).ContentLength, Is.EqualTo(100));
        Assert.That(decoder.Remaining, Is.EqualTo(long.MaxValue - 100));
    }

    [Test]
    public void A_chunked_body_is_complete_once_its_trailer_section_is_read()
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.Chunked));

        Assert.That(decoder.Decode("5\r\nhello\r\n0\r\n\r\n"u8), Is.EqualTo(new BodyStep(BodyStatus.Content, 8, 3, 5)));
        Assert.That(decoder.Decode("\r\n0\r\n\r\n"u8), Is.EqualTo(new BodyStep(BodyStatus.TrailerSection, 5)));
        Assert.That(decoder.IsComplete, Is.False);
        Assert.That(decoder.Remaining, Is.EqualTo(-1));

        decoder.TrailerDone();

        Assert.That(decoder.IsComplete, Is.True);
        Assert.That(decoder.Remaining, Is.Zero);
        Assert.That(decoder.Decode("GET"u8), Is.EqualTo(new BodyStep(BodyStatus.End, 0)));
    }

    [TestCase(BodyKind.Chunked)]
    [TestCase(BodyKind.Length)]
    [TestCase(BodyKind.UntilClose)]
    public void Only_a_body_at_its_trailer_section_can_be_told_that_it_is_done(BodyKind kind)
        => Assert.That(
            () =>
            {
                var decoder = BodyDecoder.For(new BodyFraming(kind));
                decoder.TrailerDone();
            },
            Throws.InvalidOperationException);

    [Test]
    public void A_malformed_chunk_says_where()
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.Chunked));

        Assert.That(decoder.Decode("5\n"u8), Is.EqualTo(new BodyStep(BodyStatus.Malformed, 2)));
        Assert.That(decoder.IsComplete, Is.False);
    }

    [Test]
    public void A_body_until_close_is_all_content_and_never_complete_by_itself()
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.UntilClose));

        Assert.That(decoder.Decode("hello"u8), Is.EqualTo(new BodyStep(BodyStatus.Content, 5, 0, 5)));
        Assert.That(decoder.Decode([]), Is.EqualTo(new BodyStep(BodyStatus.NeedMore, 0)));
        Assert.That(decoder.IsComplete, Is.False);
        Assert.That(decoder.EndsWithConnection, Is.True);
        Assert.That(decoder.Remaining, Is.EqualTo(-1));
    }

    [TestCase(BodyKind.None)]
    [TestCase(BodyKind.Length)]
    [TestCase(BodyKind.Chunked)]
    public void No_other_body_may_end_with_its_connection(BodyKind kind)
        => Assert.That(BodyDecoder.For(new BodyFraming(kind, 5)).EndsWithConnection, Is.False);

    [Test]
    public void A_copy_remembers_its_place_in_the_body()
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.Chunked));
        decoder.Decode("5\r\nhe"u8);
        var remembered = decoder;

        var first = decoder.Decode("llo\r\n1"u8);
        decoder.Decode("\r\n"u8);

        Assert.That(remembered.Decode("llo\r\n1"u8), Is.EqualTo(first));
    }
}
