using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

internal sealed class BodyEncoderTests
{
    [Test]
    public void A_chunked_body_gets_sizes_line_ends_and_a_last_chunk()
        => Assert.That(
            Encode(new BodyFraming(BodyKind.Chunked), trailers: null, "hello", "a longer piece of text"),
            Is.EqualTo("5\r\nhello\r\n16\r\na longer piece of text\r\n0\r\n\r\n"));

    [TestCase(BodyKind.Length, 5)]
    [TestCase(BodyKind.UntilClose, 0)]
    public void A_body_without_chunks_is_its_content(BodyKind kind, int length)
        => Assert.That(Encode(new BodyFraming(kind, length), trailers: null, "he", "llo"), Is.EqualTo("hello"));

    [Test]
    public void No_content_writes_no_chunk()
        => Assert.That(
            Encode(new BodyFraming(BodyKind.Chunked), trailers: null, "", "x", ""),
            Is.EqualTo("1\r\nx\r\n0\r\n\r\n"));

    [TestCase(int.MaxValue, "7fffffff\r\n")]
    [TestCase(16, "10\r\n")]
    [TestCase(9, "9\r\n")]
    public void A_size_line_is_hexadecimal(int length, string expected)
    {
        var output = new ExactOutput();
        var encoder = BodyEncoder.For(new BodyFraming(BodyKind.Chunked));

        encoder.WriteChunkStart(length, output);

        Assert.That(output.Text, Is.EqualTo(expected));
    }

    [Test]
    public void A_trailer_section_follows_the_last_chunk_without_what_has_no_place_there()
    {
        var trailers = HttpText.Trailers(
            "grpc-status: 0\r\nHost: evil\r\nContent-Length: 3\r\nX-Checksum: abc\r\nSet-Cookie: a=b\r\n\r\n");

        Assert.That(
            Encode(new BodyFraming(BodyKind.Chunked), trailers.Fields, "x"),
            Is.EqualTo("1\r\nx\r\n0\r\ngrpc-status: 0\r\nX-Checksum: abc\r\n\r\n"));
    }

    [TestCase(BodyKind.Length)]
    [TestCase(BodyKind.UntilClose)]
    [TestCase(BodyKind.None)]
    public void Without_chunks_there_is_no_trailer_section(BodyKind kind)
    {
        var trailers = HttpText.Trailers("X-Checksum: abc\r\n\r\n");

        Assert.That(Encode(new BodyFraming(kind), trailers.Fields), Is.Empty);
    }

    [Test]
    public void Fields_dropped_before_stay_out_of_the_trailer_section()
    {
        var trailers = HttpText.Trailers("A: 1\r\nB: 2\r\n\r\n");
        trailers.Fields.Drop(0);

        Assert.That(
            Encode(new BodyFraming(BodyKind.Chunked), trailers.Fields),
            Is.EqualTo("0\r\nB: 2\r\n\r\n"));
    }

    [Test]
    public void More_content_than_announced_is_a_bug()
    {
        var output = new ExactOutput();
        var encoder = BodyEncoder.For(new BodyFraming(BodyKind.Length, 5));
        encoder.WriteChunkStart(3, output);
        encoder.WriteChunkEnd(output);

        Assert.That(() => encoder.WriteChunkStart(3, output), Throws.InvalidOperationException);
    }

    [Test]
    public void Content_where_the_head_announced_none_is_a_bug()
    {
        var encoder = BodyEncoder.For(new BodyFraming(BodyKind.None));

        Assert.That(() => encoder.WriteChunkStart(1, new ExactOutput()), Throws.InvalidOperationException);
    }

    [Test]
    public void A_cut_off_body_cannot_be_made_to_look_complete()
    {
        var output = new ExactOutput();
        var encoder = BodyEncoder.For(new BodyFraming(BodyKind.Length, 5));
        encoder.WriteChunkStart(4, output);
        encoder.WriteChunkEnd(output);

        Assert.That(() => encoder.WriteEnd(trailers: null, output), Throws.InvalidOperationException);
        Assert.That(encoder.IsComplete, Is.False);
    }

    [Test]
    public void A_chunk_has_to_end_before_anything_else()
    {
        var output = new ExactOutput();
        var encoder = BodyEncoder.For(new BodyFraming(BodyKind.Chunked));
        encoder.WriteChunkStart(4, output);

        Assert.That(() => encoder.WriteChunkStart(4, output), Throws.InvalidOperationException);
        Assert.That(() => encoder.WriteEnd(trailers: null, output), Throws.InvalidOperationException);
    }

    [Test]
    public void Nothing_follows_the_end()
    {
        var output = new ExactOutput();
        var encoder = BodyEncoder.For(new BodyFraming(BodyKind.Chunked));
        encoder.WriteEnd(trailers: null, output);

        Assert.That(encoder.IsComplete, Is.True);
        Assert.That(() => encoder.WriteChunkStart(1, output), Throws.InvalidOperationException);
        Assert.That(() => encoder.WriteEnd(trailers: null, output), Throws.InvalidOperationException);
    }

    [Test]
    public void What_is_encoded_decodes_to_the_same_content()
    {
        var random = new Random(4711);
        for (var round = 0; round < 100; round++)
        {
            var pieces = new string[random.Next(5)];
            for (var i = 0; i < pieces.Length; i++)
                pieces[i] = new string((char)random.Next(256), random.Next(300));

            var encoded = HttpText.Bytes(Encode(new BodyFraming(BodyKind.Chunked), trailers: null, pieces));

            Assert.That(Decode(encoded), Is.EqualTo(string.Concat(pieces)));
        }
    }

    private static string Encode(BodyFraming framing, Fields? trailers, params string[] pieces)
    {
        var output = new ExactOutput();
        var encoder = BodyEncoder.For(framing);
        foreach (var piece in pieces)
        {
            encoder.WriteChunkStart(piece.Length, output);
            HttpText.Bytes(piece).CopyTo(output.GetSpan(piece.Length));
            output.Advance(piece.Length);
            encoder.WriteChunkEnd(output);
        }

        encoder.WriteEnd(trailers, output);
        Assert.That(encoder.IsComplete, Is.True);
        return output.Text;
    }

    private static string Decode(ReadOnlySpan<byte> encoded)
    {
        var decoder = BodyDecoder.For(new BodyFraming(BodyKind.Chunked));
        var content = "";
        while (true)
        {
            var step = decoder.Decode(encoded);
            content += HttpText.Text(encoded.Slice(step.ContentStart, step.ContentLength));
            encoded = encoded[step.Consumed..];
            if (step.Status == BodyStatus.TrailerSection)
                return content;

            Assert.That(step.Status, Is.EqualTo(BodyStatus.Content));
        }
    }
}
