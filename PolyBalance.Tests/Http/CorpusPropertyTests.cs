using System.Buffers;
using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>What holds for any input at all, beside the cases somebody wrote down.</summary>
internal sealed class CorpusPropertyTests
{
    private const string TokenCharacters = "!#$%&'*+-.^_`|~09azAZ";
    private const string ValueCharacters = "!\"#:;,=()<>[]{}\\/azAZ09\u0080\u00A0\u00FF";

    [Test]
    public void Any_bytes_can_be_written_as_text_and_read_back()
        => Holds(Prop.ForAll<byte[]>(bytes =>
            CorpusText.Unescape(CorpusText.Escape(bytes)).AsSpan().SequenceEqual(bytes)));

    [Test]
    public void Any_content_in_any_chunks_comes_out_as_it_went_in()
        => Holds(Prop.ForAll<byte[], PositiveInt, NonNegativeInt>((content, chunk, cut) =>
        {
            var output = new ArrayBufferWriter<byte>();
            output.Write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"u8);
            var encoder = BodyEncoder.For(new BodyFraming(BodyKind.Chunked));
            foreach (var part in content.Chunk(chunk.Get))
            {
                encoder.WriteChunkStart(part.Length, output);
                output.Write(part);
                encoder.WriteChunkEnd(output);
            }

            encoder.WriteEnd(trailers: null, output);

            var reading = new RequestReading();
            Corpus.ReadCut(reading, output.WrittenSpan, cut.Get % output.WrittenCount);
            List<string> expected =
            [
                "request POST / HTTP/1.1", "field Host: x", "field Transfer-Encoding: chunked", "body chunked",
                .. content.Length == 0 ? [] : EventLog.LinesOf("content", content), "end", "keep-alive",
            ];
            return reading.Log.ToLines().SequenceEqual(expected);
        }));

    [Test]
    public void Any_field_lines_of_the_grammar_are_read_as_sent()
    {
        var name = TextOf(TokenCharacters);
        var value = TextOf(ValueCharacters);
        var lines = Gen.ListOf(from n in name from v in value select (Name: "a" + n, Value: v)).ToArbitrary();

        Holds(Prop.ForAll(lines, fields =>
        {
            var section = string.Concat(fields.Select(field => $"{field.Name}:\t {field.Value} \t\r\n"));
            var reading = new RequestReading();
            Corpus.ReadWhole(reading, Bytes($"GET / HTTP/1.1\r\nHost: x\r\n{section}\r\n"));
            var head = reading.Head;

            return reading.Log.Last == "keep-alive"
                && head.Fields.Count == fields.Count + 1
                && fields.Index().All(field =>
                    head.Fields.Name(field.Index + 1).SequenceEqual(Bytes(field.Item.Name))
                    && head.Fields.Value(field.Index + 1).SequenceEqual(Bytes(field.Item.Value)));
        }));
    }

    [Test]
    public void Any_length_is_read_as_the_number_it_is()
        => Holds(Prop.ForAll<long, NonNegativeInt>((number, zeros) =>
        {
            var digits = new string('0', zeros.Get % 30) + number.ToString(CultureInfo.InvariantCulture);
            var isNumber = PolyBalance.Http.Ascii.TryParseDecimal(Bytes(digits), out var read);
            return number < 0 ? !isNumber : isNumber && read == number;
        }));

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    private static Gen<string> TextOf(string characters)
        => Gen.ArrayOf(Gen.Elements(characters.ToCharArray())).Select(chosen => new string(chosen));

    private static void Holds(Property property) => Check.One(Config.QuickThrowOnFailure, property);
}
