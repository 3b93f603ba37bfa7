using System.Buffers;
using System.Text;
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

    [TestCase(BodyKind.None, 0, "next", 0)]
    [TestCase(BodyKind.None, 0, "", 0)]
    [TestCase(BodyKind.Length, 0, "next", 0)]
    [TestCase(BodyKind.Length, 5, "hellonext", 5)]
    [TestCase(BodyKind.Length, 5, "hello", 5)]
    [TestCase(BodyKind.Length, 5, "hell", null)]
    [TestCase(BodyKind.Length, 5, "", null)]
    [TestCase(BodyKind.Chunked, 0, "5\r\nhello\r\n0\r\n\r\nnext", 15)]
    [TestCase(BodyKind.Chunked, 0, "5\r\nhello\r\n0\r\n\r", null)]
    [TestCase(BodyKind.Chunked, 0, "5\r\nhello\r\n0\r\n", null)]
    [TestCase(BodyKind.Chunked, 0, "0\r\nX: 1\r\n\r\n", null)]
    [TestCase(BodyKind.Chunked, 0, "hello\r\n0\r\n\r\n", null)]
    [TestCase(BodyKind.UntilClose, 0, "hello", null)]
    public void The_end_of_a_body_is_found_wherever_the_bytes_are_cut(
        BodyKind kind, int announced, string bytes, int? expected)
    {
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var isWhole = BodyDecoder.TryMeasure(new(kind, announced), CutAt(bytes, cut), out var length);

            Assert.That((isWhole, length), Is.EqualTo((expected is not null, (long)(expected ?? 0))), $"cut at {cut}");
        }
    }

    private static ReadOnlySequence<byte> CutAt(string text, int cut)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var first = new Piece(bytes.AsMemory(0, cut), before: 0);
        var last = new Piece(bytes.AsMemory(cut), before: cut);
        first.Join(last);
        return new(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long before) => (Memory, RunningIndex) = (memory, before);

        public void Join(Piece next) => Next = next;
    }
}
