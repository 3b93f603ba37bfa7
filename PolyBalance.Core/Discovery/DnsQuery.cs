using System.Buffers.Binary;

namespace PolyBalance.Discovery;

/// <summary>Writes questions. RFC 1035 §4.1.</summary>
internal static class DnsQuery
{
    /// <summary>How long the head of a message is. Unit: bytes.</summary>
    public const int HeadBytes = 12;

    /// <summary>The class of everything that is asked here (<c>IN</c>). RFC 1035 §3.2.4.</summary>
    public const ushort Internet = 1;

    /// <summary>What a question takes at most, with what we say that we understand. Unit: bytes.</summary>
    public const int BytesMax = HeadBytes + DnsName.BytesMax + 4 + ExtensionBytes;

    // An empty name, kind, size, four bytes of flags, and the length of no options. RFC 6891 §6.1.2.
    private const int ExtensionBytes = 11;

    private const ushort RecursionWanted = 0x0100;

    /// <summary>Writes a question for one kind of record of one name.</summary>
    /// <param name="id">What the answer has to repeat.</param>
    /// <param name="name">Whose records.</param>
    /// <param name="kind">Which ones.</param>
    /// <param name="isExtended">
    /// Whether it says how long a datagram we take; some servers refuse whatever RFC 1035 does not know.
    /// </param>
    /// <param name="into">At least <see cref="BytesMax"/>.</param>
    /// <returns>How many bytes were written.</returns>
    public static int Write(ushort id, DnsName name, RecordKind kind, bool isExtended, Span<byte> into)
    {
        BinaryPrimitives.WriteUInt16BigEndian(into, id);
        BinaryPrimitives.WriteUInt16BigEndian(into[2..], RecursionWanted);
        BinaryPrimitives.WriteUInt16BigEndian(into[4..], 1);
        into[6..HeadBytes].Clear();
        name.Bytes.CopyTo(into[HeadBytes..]);
        var at = HeadBytes + name.Bytes.Length;
        BinaryPrimitives.WriteUInt16BigEndian(into[at..], (ushort)kind);
        BinaryPrimitives.WriteUInt16BigEndian(into[(at + 2)..], Internet);
        at += 4;
        if (!isExtended)
            return at;

        BinaryPrimitives.WriteUInt16BigEndian(into[10..], 1);
        var extension = into.Slice(at, ExtensionBytes);
        extension.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(extension[1..], (ushort)RecordKind.Extension);
        BinaryPrimitives.WriteUInt16BigEndian(extension[3..], Limits.DatagramBytesMax);
        return at + ExtensionBytes;
    }
}
