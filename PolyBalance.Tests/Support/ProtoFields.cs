using System.Buffers.Binary;

namespace PolyBalance.Tests.Support;

/// <summary>The fields of one protobuf message, as far as OTLP needs them.</summary>
/// <param name="message">The bytes of the message.</param>
internal sealed class ProtoFields(ReadOnlyMemory<byte> message)
{
    private readonly List<(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)> _fields = [.. Read(message)];

    /// <summary>Every message, string or bytes under a number.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> All(int number)
        => _fields.Where(field => field.Number == number).Select(field => field.Bytes);

    /// <summary>Every message under a number.</summary>
    public IEnumerable<ProtoFields> Messages(int number) => All(number).Select(bytes => new ProtoFields(bytes));

    /// <summary>The text under a number; empty when there is none.</summary>
    public string Text(int number) => System.Text.Encoding.UTF8.GetString(All(number).FirstOrDefault().Span);

    /// <summary>The bytes under a number as lower case hexadecimal digits.</summary>
    public string Hex(int number) => Convert.ToHexStringLower(All(number).FirstOrDefault().Span);

    /// <summary>The number under a number; 0 when there is none.</summary>
    public ulong Value(int number) => _fields.FirstOrDefault(field => field.Number == number).Value;

    /// <summary>Whether something is there under a number.</summary>
    public bool Has(int number) => _fields.Exists(field => field.Number == number);

    private static IEnumerable<(int, ulong, ReadOnlyMemory<byte>)> Read(ReadOnlyMemory<byte> rest)
    {
        while (!rest.IsEmpty)
        {
            var tag = Varint(ref rest);
            var number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    yield return (number, Varint(ref rest), default);
                    break;
                case 1:
                    yield return (number, BinaryPrimitives.ReadUInt64LittleEndian(Take(ref rest, 8).Span), default);
                    break;
                case 2:
                    yield return (number, 0, Take(ref rest, (int)Varint(ref rest)));
                    break;
                case 5:
                    yield return (number, BinaryPrimitives.ReadUInt32LittleEndian(Take(ref rest, 4).Span), default);
                    break;
                default:
                    throw new InvalidDataException($"wire type {tag & 7} of field {number}");
            }
        }
    }

    private static ulong Varint(ref ReadOnlyMemory<byte> rest)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var one = Take(ref rest, 1).Span[0];
            value |= (ulong)(one & 0x7F) << shift;
            if (one < 0x80)
                return value;
        }
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> rest, int length)
    {
        var taken = rest[..length];
        rest = rest[length..];
        return taken;
    }
}
