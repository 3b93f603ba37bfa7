using System.Buffers;
using System.Text;

namespace PolyBalance.Health.Grpc;

/// <summary>Writes the one request of a health call, and the frames around it.</summary>
internal static class HealthRequest
{
    private const string Path = "/grpc.health.v1.Health/Check";

    /// <summary>Writes everything that we have to say: preface, wishes, request. RFC 9113 §3.4.</summary>
    /// <param name="authority">Whom the request is for.</param>
    /// <param name="service">Whose health is asked for; at most 255 characters.</param>
    /// <param name="output">Where it goes.</param>
    public static void Write(string authority, string service, IBufferWriter<byte> output)
    {
        output.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);

        // ENABLE_PUSH (2) = 0.
        WriteFrame(FrameKind.Wishes, 0, 0, [0, 2, 0, 0, 0, 0], output);

        var block = new ArrayBufferWriter<byte>();
        block.Write<byte>([0x80 | 3, 0x80 | 6]);      // :method POST, :scheme http, both from the static table
        WriteField(4, Path, block);
        WriteField(1, authority, block);
        WriteField(31, "application/grpc", block);
        WriteField(58, $"polybalance-health/{ProbeAgent.Version}", block);
        WriteInteger(0, 4, 0, block);
        WriteString("te", block);
        WriteString("trailers", block);
        WriteFrame(FrameKind.Fields, FrameHead.EndFields, 1, block.WrittenSpan, output);

        var message = new ArrayBufferWriter<byte>();
        if (service.Length > 0)
        {
            message.Write<byte>([0x0A]);            // field 1, a string
            WriteVariable(service.Length, message);
            message.Write(Encoding.ASCII.GetBytes(service));
        }

        // Not compressed; the length in four bytes, of which two are enough.
        var length = message.WrittenCount;
        byte[] content = [0, 0, 0, (byte)(length >> 8), (byte)length, .. message.WrittenSpan];
        WriteFrame(FrameKind.Content, FrameHead.EndStream, 1, content, output);
    }

    /// <summary>Writes one frame. RFC 9113 §4.1.</summary>
    public static void WriteFrame(
        FrameKind kind, byte flags, int stream, ReadOnlySpan<byte> content, IBufferWriter<byte> output)
    {
        Span<byte> head = stackalloc byte[FrameHead.Bytes];
        new FrameHead(content.Length, kind, flags, stream).Write(head);
        output.Write(head);
        output.Write(content);
    }

    // A literal without indexing, its name from the static table: RFC 7541 §6.2.2.
    private static void WriteField(int nameIndex, string value, ArrayBufferWriter<byte> block)
    {
        WriteInteger(0, 4, nameIndex, block);
        WriteString(value, block);
    }

    private static void WriteString(string text, ArrayBufferWriter<byte> block)
    {
        WriteInteger(0, 7, text.Length, block);
        block.Write(Encoding.ASCII.GetBytes(text));
    }

    // RFC 7541 §5.1.
    private static void WriteInteger(int pattern, int prefixBits, int value, ArrayBufferWriter<byte> block)
    {
        var prefixMax = (1 << prefixBits) - 1;
        if (value < prefixMax)
        {
            block.Write<byte>([(byte)(pattern | value)]);
            return;
        }

        block.Write<byte>([(byte)(pattern | prefixMax)]);
        WriteVariable(value - prefixMax, block);
    }

    private static void WriteVariable(int value, ArrayBufferWriter<byte> into)
    {
        for (; value >= 0x80; value >>= 7)
            into.Write<byte>([(byte)(value | 0x80)]);
        into.Write<byte>([(byte)value]);
    }
}
