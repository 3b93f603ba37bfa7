using System.Buffers.Binary;

namespace PolyBalance.Health.Grpc;

/// <summary>What a frame of HTTP/2 is about. RFC 9113 §6; the RFC's names in brackets.</summary>
internal enum FrameKind : byte
{
    /// <summary>Content (<c>DATA</c>).</summary>
    Content = 0,

    /// <summary>A field block, or its beginning (<c>HEADERS</c>).</summary>
    Fields = 1,

    /// <summary>Deprecated (<c>PRIORITY</c>).</summary>
    Priority = 2,

    /// <summary>The end of one stream (<c>RST_STREAM</c>).</summary>
    Reset = 3,

    /// <summary>What the peer wishes (<c>SETTINGS</c>).</summary>
    Wishes = 4,

    /// <summary>A request that the backend makes up (<c>PUSH_PROMISE</c>).</summary>
    Promise = 5,

    /// <summary>A question whether anybody is there (<c>PING</c>).</summary>
    Echo = 6,

    /// <summary>The end of the connection (<c>GOAWAY</c>).</summary>
    Leave = 7,

    /// <summary>More content may come (<c>WINDOW_UPDATE</c>).</summary>
    Window = 8,

    /// <summary>More of a field block (<c>CONTINUATION</c>).</summary>
    Continuation = 9,
}

/// <summary>The nine bytes before each frame. RFC 9113 §4.1.</summary>
/// <param name="Length">What follows them. Unit: bytes.</param>
/// <param name="Kind">What the frame is about; may be one that nobody knows.</param>
/// <param name="Flags">What they mean depends on the kind.</param>
/// <param name="Stream">Whom it concerns; 0: the connection.</param>
internal readonly record struct FrameHead(int Length, FrameKind Kind, byte Flags, int Stream)
{
    /// <summary>How long a frame's head is. Unit: bytes.</summary>
    public const int Bytes = 9;

    /// <summary>What a frame may hold unless we allow more, which we do not. RFC 9113 §4.2. Unit: bytes.</summary>
    public const int LengthMax = 16_384;

    /// <summary>Nothing more comes on this stream (<c>END_STREAM</c>).</summary>
    public const byte EndStream = 0x1;

    /// <summary>This answers what we sent (<c>ACK</c>).</summary>
    public const byte Ack = 0x1;

    /// <summary>The field block ends here (<c>END_HEADERS</c>).</summary>
    public const byte EndFields = 0x4;

    /// <summary>Padding follows the content (<c>PADDED</c>).</summary>
    public const byte Padded = 0x8;

    /// <summary>Five bytes about priority come first (<c>PRIORITY</c>).</summary>
    public const byte HasPriority = 0x20;

    /// <summary>Whether a flag is set.</summary>
    public bool Has(byte flag) => (Flags & flag) != 0;

    /// <summary>Reads nine bytes.</summary>
    public static FrameHead Read(ReadOnlySpan<byte> bytes) => new(
        (bytes[0] << 16) | (bytes[1] << 8) | bytes[2], (FrameKind)bytes[3], bytes[4],
        (int)(BinaryPrimitives.ReadUInt32BigEndian(bytes[5..]) & 0x7FFF_FFFF));

    /// <summary>Writes nine bytes.</summary>
    public void Write(Span<byte> into)
    {
        BinaryPrimitives.WriteUInt32BigEndian(into, ((uint)Length << 8) | (byte)Kind);
        into[4] = Flags;
        BinaryPrimitives.WriteInt32BigEndian(into[5..], Stream);
    }
}
