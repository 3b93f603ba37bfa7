using System.Buffers;
using System.Globalization;
using System.Text;
using NUnit.Framework;
using PolyBalance.Health;
using PolyBalance.Health.Grpc;

namespace PolyBalance.Tests.Health.Grpc;

internal sealed class HealthCallTests
{
    // Frames as: kind, flags, stream, content in hex.
    private const string Wishes = "4 0 0 ";
    private const string Head = "1 4 1 88";                         // :status 200
    private const string Serving = "0 0 1 00000000020801";
    private const string Trailer = "1 5 1 000b677270632d7374617475730130";      // grpc-status: 0
    private const string Good = $"{Wishes}|{Head}|{Serving}|{Trailer}";

    [TestCase(Good, true, "SERVING")]
    [TestCase($"{Wishes}|4 1 0 |{Head}|8 0 0 00000001|{Serving}|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|200 7 9 0102|{Head}|2 0 1 0000000010|{Serving}|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|1 4 1 0803313033|{Head}|{Serving}|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|1 44 1 03000000001088000000|0 8 1 0200000000020801ffff|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|1 0 1 |9 0 1 |9 4 1 88|{Serving}|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|7 0 0 0000000100000000|{Head}|{Serving}|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|{Head}|0 0 1 000000|0 0 1 00020801|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|{Head}|0 0 1 0000000006120161 0801ff01|{Trailer}", false, "malformed response")]
    [TestCase($"{Wishes}|{Head}|0 0 1 0000000005120161 0801|{Trailer}", true, "SERVING")]
    [TestCase($"{Wishes}|{Head}|0 0 1 00000000020802|{Trailer}", false, "NOT_SERVING")]
    [TestCase($"{Wishes}|{Head}|0 0 1 0000000000|{Trailer}", false, "UNKNOWN")]
    [TestCase($"{Wishes}|{Head}|0 0 1 00000000020809|{Trailer}", false, "serving status 9")]
    [TestCase($"{Wishes}|{Head}|0 0 1 01000000020801|{Trailer}", false, "malformed response")]
    [TestCase($"{Wishes}|{Head}|{Trailer}", false, "malformed response")]
    [TestCase($"{Wishes}|1 5 1 88000b677270632d737461747573023132", false, "grpc-status 12 (UNIMPLEMENTED)")]
    [TestCase($"{Wishes}|1 5 1 88000b677270632d7374617475730135", false, "grpc-status 5 (NOT_FOUND)")]
    [TestCase($"{Wishes}|1 5 1 88", false, "an answer without grpc-status")]
    [TestCase($"{Wishes}|1 5 1 8d", false, "status 404")]
    [TestCase($"{Wishes}|3 0 1 00000007", false, "stream reset by the backend, code 7")]
    [TestCase($"{Wishes}|7 0 0 000000000000000b", false, "the backend is leaving, code 11")]
    public void An_answer_passes_or_fails_for_a_reason(string frames, bool passes, string reason)
    {
        var answer = Ask(Bytes(frames), out _);

        Assert.That((answer?.Passed, answer?.Reason), Is.EqualTo(((bool?)passes, reason)));
    }

    // Each is a connection error of RFC 9113, or more than a health call may take.
    [TestCase("1 4 1 88", TestName = "The backend does not begin with SETTINGS")]
    [TestCase("4 1 0 ", TestName = "It begins with an acknowledgement of them")]
    [TestCase("4 0 1 ", TestName = "SETTINGS on a stream")]
    [TestCase("4 0 0 0000", TestName = "SETTINGS of a wrong length")]
    [TestCase("4 0 0 000200000001", TestName = "A backend that allows us to push")]
    [TestCase("4 0 0 000480000000", TestName = "A window that is too large")]
    [TestCase("4 0 0 000500000001", TestName = "A frame size that is too small")]
    [TestCase($"{Wishes}|4 1 0 000200000000", TestName = "An acknowledgement with content")]
    [TestCase($"{Wishes}|{Serving}", TestName = "Content before the head")]
    [TestCase($"{Wishes}|1 4 3 88", TestName = "A head on another stream")]
    [TestCase($"{Wishes}|1 4 0 88", TestName = "A head on no stream")]
    [TestCase($"{Wishes}|9 4 1 88", TestName = "A continuation of nothing")]
    [TestCase($"{Wishes}|1 0 1 |6 0 0 0000000000000000", TestName = "Something between the parts of a field block")]
    [TestCase($"{Wishes}|1 0 1 |9 4 3 88", TestName = "A continuation on another stream")]
    [TestCase($"{Wishes}|1 4 1 80", TestName = "A field block that cannot be decoded")]
    [TestCase($"{Wishes}|1 4 1 82", TestName = "A response head with a method")]
    [TestCase($"{Wishes}|1 4 1 8888", TestName = "Two status codes")]
    [TestCase($"{Wishes}|1 4 1 000161016188", TestName = "A status code behind fields")]
    [TestCase($"{Wishes}|1 4 1 0001610161", TestName = "A head without status code")]
    [TestCase($"{Wishes}|1 4 1 880001410161", TestName = "A field name in upper case")]
    [TestCase($"{Wishes}|1 5 1 0803313030", TestName = "An interim response that ends the stream")]
    [TestCase($"{Wishes}|1 4 1 0803313031", TestName = "A 101, which HTTP/2 does not know")]
    [TestCase($"{Wishes}|{Head}|1 4 1 0001610161", TestName = "A trailer section that does not end the stream")]
    [TestCase($"{Wishes}|{Head}|1 5 1 88", TestName = "A status code in the trailer section")]
    [TestCase($"{Wishes}|{Head}|0 8 1 05000000", TestName = "Padding longer than its frame")]
    [TestCase($"{Wishes}|{Head}|0 8 1 ", TestName = "Padding without its length")]
    [TestCase($"{Wishes}|1 36 1 000000", TestName = "Priority that is cut off")]
    [TestCase($"{Wishes}|5 4 1 0000000288", TestName = "A push that we refused beforehand")]
    [TestCase($"{Wishes}|6 0 0 00", TestName = "A PING of a wrong length")]
    [TestCase($"{Wishes}|8 0 0 00000000", TestName = "A window that does not grow")]
    [TestCase($"{Wishes}|3 0 0 00000000", TestName = "A reset of no stream")]
    [TestCase($"{Wishes}|7 0 0 00", TestName = "A GOAWAY that is cut off")]
    [TestCase($"{Wishes}|1 5 1 88000b677270632d7374617475730178", TestName = "A grpc-status that is no number")]
    public void What_the_standard_forbids_is_a_malformed_response(string frames)
    {
        var answer = Ask(Bytes(frames), out _);

        Assert.That((answer?.Passed, answer?.Reason), Is.EqualTo(((bool?)false, "malformed response")));
    }

    [Test]
    public void An_answer_reads_the_same_wherever_the_bytes_are_cut()
    {
        var bytes = Bytes(Good);
        for (var cut = 1; cut < bytes.Length; cut++)
        {
            var call = new HealthCall();
            var output = new ArrayBufferWriter<byte>();
            var used = (int)call.Receive(new(bytes.AsMemory(0, cut)), output);
            Assert.That(call.Answer, Is.Null, $"cut after byte {cut}");
            call.Receive(new(bytes.AsMemory(used)), output);
            Assert.That(call.Answer?.Reason, Is.EqualTo("SERVING"), $"cut after byte {cut}");
        }
    }

    [Test]
    public void Questions_of_the_connection_are_answered()
    {
        Ask(Bytes($"4 0 0 000300000064|6 0 0 0102030405060708|6 1 0 0000000000000000|{Head}"), out var sent);

        Assert.That(Convert.ToHexStringLower(sent), Is.EqualTo(
            "000000" + "04" + "01" + "00000000" + "000008" + "06" + "01" + "00000000" + "0102030405060708"));
    }

    [TestCase("I am no HTTP/2 at all, and I go on for a while", "malformed response")]
    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", "the backend speaks HTTP/1.1, not HTTP/2")]
    public void Other_protocols_are_recognised(string bytes, string reason)
        => Assert.That(Ask(Encoding.ASCII.GetBytes(bytes), out _)?.Reason, Is.EqualTo(reason));

    [Test]
    public void Endless_frames_and_content_end_the_call()
    {
        var echoes = string.Join('|', Enumerable.Repeat("6 1 0 0000000000000000", 1_100));
        var content = string.Join('|', Enumerable.Repeat("0 0 1 " + new string('0', 2_000), 6));
        var block = string.Join('|', Enumerable.Repeat("9 0 1 " + new string('0', 20_000), 3));

        Assert.That(Ask(Bytes($"{Wishes}|{echoes}"), out _)?.Reason, Is.EqualTo("malformed response"));
        Assert.That(Ask(Bytes($"{Wishes}|{Head}|{content}"), out _)?.Reason, Is.EqualTo("the answer is too long"));
        Assert.That(Ask(Bytes($"{Wishes}|1 0 1 |{block}"), out _)?.Reason, Is.EqualTo("the answer is too long"));
        Assert.That(Ask([0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0], out _)?.Reason, Is.EqualTo("malformed response"));
    }

    [Test]
    public void No_bytes_make_it_throw()
    {
        var random = new Random(5);
        var good = Bytes(Good);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = good.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            Ask(bytes, out _);
        }
    }

    [Test]
    public void The_request_is_what_a_decoder_of_the_standard_reads()
    {
        var output = new ArrayBufferWriter<byte>();
        HealthRequest.Write("a.example:50051", new string('s', 200), output);
        var sent = output.WrittenSpan;
        Assert.That(sent.StartsWith("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8));

        var wishes = FrameHead.Read(sent[24..]);
        Assert.That(wishes, Is.EqualTo(new FrameHead(6, FrameKind.Wishes, 0, 0)));
        var head = FrameHead.Read(sent[39..]);
        var fields = new List<HpackField>();
        Assert.That(new HpackDecoder().TryDecode(sent.Slice(48, head.Length), fields));
        Assert.That(fields.Select(field => $"{Encoding.ASCII.GetString(field.Name)}: "
                + Encoding.ASCII.GetString(field.Value)),
            Is.SupersetOf((string[])
            [
                ":method: POST", ":scheme: http", ":path: /grpc.health.v1.Health/Check",
                ":authority: a.example:50051", "content-type: application/grpc", "te: trailers",
            ]));

        var message = sent[(48 + head.Length)..];
        Assert.That(FrameHead.Read(message), Is.EqualTo(new FrameHead(208, FrameKind.Content, FrameHead.EndStream, 1)));
        Assert.That(Convert.ToHexStringLower(message.Slice(9, 8)), Is.EqualTo("00000000cb0ac801"));
    }

    private static ProbeAnswer? Ask(byte[] bytes, out byte[] sent)
    {
        var call = new HealthCall();
        var output = new ArrayBufferWriter<byte>();
        call.Receive(new(bytes), output);
        sent = output.WrittenSpan.ToArray();
        return call.Answer;
    }

    private static byte[] Bytes(string frames)
    {
        var bytes = new List<byte>();
        foreach (var frame in frames.Split('|'))
        {
            var parts = frame.Split(' ', 4);
            var content = Convert.FromHexString(parts[3].Replace(" ", "", StringComparison.Ordinal));
            var head = new byte[FrameHead.Bytes];
            new FrameHead(content.Length, (FrameKind)Number(parts[0]), (byte)Number(parts[1]), Number(parts[2]))
                .Write(head);
            bytes.AddRange(head);
            bytes.AddRange(content);
        }

        return [.. bytes];
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
