using System.Buffers;

namespace PolyBalance.Http;

/// <summary>The versions that we speak. RFC 9112 §2.3.</summary>
internal enum ProtocolVersion : byte
{
    /// <summary>Without persistence unless asked for, without chunked, without interim responses.</summary>
    Http10,

    /// <summary>RFC 9112.</summary>
    Http11,
}

/// <summary>Bytes that were taken off the wire, and the field lines in them.</summary>
/// <param name="bytesMax">How many bytes are taken at most: the ceiling of what the buffer grows to.</param>
/// <remarks>
/// Owned by one exchange; not thread-safe. The buffer grows to what its connection needs and is then reused, so spans
/// and memory handed out are valid until the next <see cref="Take"/> or <see cref="Clear"/>, and outlive the pipe.
/// </remarks>
internal abstract class FieldSection(int bytesMax)
{
    private const int FirstCapacity = 1024;

    private byte[] _buffer = [];
    private int _length;

    /// <summary>The taken bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>The taken bytes, for what outlives the stack frame. Same lifetime as <see cref="Bytes"/>.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(0, _length);

    /// <summary>The field lines; empty until the parser has run.</summary>
    public Fields Fields { get; } = new();

    /// <summary>Forgets what was taken before and copies these bytes: all that the search counted.</summary>
    public virtual void Take(in ReadOnlySequence<byte> bytes)
    {
        Clear();
        var length = checked((int)bytes.Length);
        if (length > _buffer.Length)
            Grow(length);

        bytes.CopyTo(_buffer);
        _length = length;
        Fields.Begin(_buffer);
    }

    /// <summary>Forgets the bytes and everything read from them. Keeps the memory.</summary>
    public virtual void Clear()
    {
        _length = 0;
        Fields.Begin(_buffer);
    }

    /// <summary>One part of the bytes.</summary>
    protected ReadOnlySpan<byte> Part(int start, int length) => _buffer.AsSpan(start, length);

    /// <summary>One part of the bytes, as memory.</summary>
    protected ReadOnlyMemory<byte> PartMemory(int start, int length) => _buffer.AsMemory(start, length);

    private void Grow(int length)
    {
        if (length > bytesMax)
            throw new InvalidOperationException("A bug: more bytes were taken than the search for the end allows.");

        var capacity = Math.Max(FirstCapacity, _buffer.Length);
        while (capacity < length)
            capacity *= 2;
        _buffer = new byte[Math.Min(capacity, bytesMax)];
    }
}

/// <summary>A start line and a header section. RFC 9112 §2.1.</summary>
internal abstract class MessageHead() : FieldSection(Limits.HeadBytesMax)
{
    /// <summary>The version the sender speaks.</summary>
    public ProtocolVersion Version { get; protected set; }

    /// <summary>
    /// Whether the sender lets the connection live on after this message, as far as its version and Connection say.
    /// RFC 9112 §9.3.
    /// </summary>
    public bool KeepAlive { get; protected set; }

    /// <inheritdoc/>
    public override void Clear()
    {
        base.Clear();
        Version = ProtocolVersion.Http10;
        KeepAlive = false;
    }

    /// <summary>RFC 9112 §9.3: HTTP/1.1 persists unless told otherwise, HTTP/1.0 only when told so.</summary>
    protected bool MayPersist()
    {
        if (!Fields.Has(KnownField.Connection))
            return Version == ProtocolVersion.Http11;

        return !Fields.ListContains(KnownField.Connection, "close"u8)
            && (Version == ProtocolVersion.Http11 || Fields.ListContains(KnownField.Connection, "keep-alive"u8));
    }
}

/// <summary>What a request head said. RFC 9112 §3.</summary>
/// <remarks>
/// Members are empty or false until the parser has got to them: after a refusal, method and target are there when the
/// request line was readable.
/// </remarks>
internal sealed class RequestHead : MessageHead
{
    private int _methodLength;
    private int _hostStart;
    private int _hostLength;

    /// <summary>Which method, and what it allows.</summary>
    public RequestMethod Method { get; private set; }

    /// <summary>The method as sent.</summary>
    public ReadOnlySpan<byte> MethodToken => Part(0, _methodLength);

    /// <summary>The method as sent, as memory.</summary>
    public ReadOnlyMemory<byte> MethodMemory => PartMemory(0, _methodLength);

    /// <summary>Form and parts of the request target.</summary>
    public RequestTarget Target { get; private set; }

    /// <summary>The request target as sent; forwarded byte for byte.</summary>
    public ReadOnlySpan<byte> TargetBytes => Part(Target.Start, Target.Length);

    /// <summary>The request target as sent, as memory.</summary>
    public ReadOnlyMemory<byte> TargetMemory => PartMemory(Target.Start, Target.Length);

    /// <summary>
    /// The path to route by, percent-encodings untouched; <c>/</c> for an absolute-form without path (RFC 9112 §3.2.1),
    /// <c>*</c> for the asterisk-form.
    /// </summary>
    public ReadOnlySpan<byte> Path
        => Target is { PathLength: 0, Form: TargetForm.Absolute } ? "/"u8 : Part(Target.PathStart, Target.PathLength);

    /// <summary>The value of a field's first line as memory; empty when the field is absent.</summary>
    public ReadOnlyMemory<byte> FieldMemory(KnownField field)
    {
        var value = Fields.First(field);
        return value.IsEmpty ? default : PartMemory(Fields.FirstStart(field), value.Length);
    }

    /// <summary>What follows the <c>?</c>; empty when there is none.</summary>
    public ReadOnlySpan<byte> Query => Part(Target.QueryStart, Target.QueryLength);

    /// <summary>
    /// Whom the client asks for: Host as sent; without Host (HTTP/1.0) the target's authority, or nothing.
    /// </summary>
    public ReadOnlySpan<byte> Host => Part(_hostStart, _hostLength);

    /// <summary><see cref="Host"/> as memory.</summary>
    public ReadOnlyMemory<byte> HostMemory => PartMemory(_hostStart, _hostLength);

    /// <summary>Whether the client waits for <c>100 Continue</c> before it sends content. RFC 9110 §10.1.1.</summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>
    /// Whether the client asks for one other protocol that may follow a 101, in a request without content.
    /// An Upgrade that is not exactly that is ignored, as the RFC allows. RFC 9110 §7.8.
    /// </summary>
    public bool WantsUpgrade { get; private set; }

    /// <summary>The protocol asked for, when <see cref="WantsUpgrade"/>; else empty.</summary>
    public ReadOnlySpan<byte> UpgradeProtocol => WantsUpgrade ? Fields.First(KnownField.Upgrade) : default;

    /// <inheritdoc/>
    /// <remarks>
    /// The empty line that may precede a request (RFC 9112 §2.2) is not taken: the bytes begin with the method.
    /// </remarks>
    public override void Take(in ReadOnlySequence<byte> bytes)
        => base.Take(StartsWithCarriageReturn(bytes) ? bytes.Slice(2) : bytes);

    /// <inheritdoc/>
    public override void Clear()
    {
        base.Clear();
        _methodLength = 0;
        _hostStart = 0;
        _hostLength = 0;
        Method = default;
        Target = default;
        ExpectsContinue = false;
        WantsUpgrade = false;
    }

    /// <summary>Sets what the request line said. For the parser.</summary>
    public void SetRequestLine(int methodLength, RequestMethod method, in RequestTarget target, ProtocolVersion version)
    {
        _methodLength = methodLength;
        Method = method;
        Target = target;
        Version = version;
    }

    /// <summary>Draws the conclusions from all fields. For the parser, which has checked Host and Expect.</summary>
    public void Conclude()
    {
        var host = Fields.First(KnownField.Host);
        _hostLength = host.IsEmpty ? Target.AuthorityLength : host.Length;
        _hostStart = host.IsEmpty ? Target.AuthorityStart : Fields.ValueStart(Fields.IndexOf(KnownField.Host));

        KeepAlive = MayPersist();
        ExpectsContinue = Version == ProtocolVersion.Http11 && Fields.Has(KnownField.Expect);
        WantsUpgrade = Version == ProtocolVersion.Http11 && Fields.Has(KnownField.Upgrade) && MayUpgrade();
    }

    /// <summary>Whether an empty line precedes the request line, or something that will be refused.</summary>
    public static bool StartsWithCarriageReturn(in ReadOnlySequence<byte> bytes)
    {
        if (!bytes.FirstSpan.IsEmpty)
            return bytes.FirstSpan[0] == '\r';

        foreach (var segment in bytes)
        {
            if (!segment.IsEmpty)
                return segment.Span[0] == '\r';
        }

        return false;
    }

    private bool MayUpgrade()
    {
        // A body would have to cross before the protocol changes, while the backend may answer 101 at once.
        var hasBody = Fields.Has(KnownField.TransferEncoding)
            || !(Fields.First(KnownField.ContentLength) is [] or [(byte)'0']);

        return !hasBody && !Fields.IsRepeated(KnownField.Upgrade)
            && IsTunnelProtocol(Fields.First(KnownField.Upgrade))
            && Fields.ListContains(KnownField.Connection, "upgrade"u8);
    }

    /// <summary>Whether the value is one protocol, and none that carries requests past us (HTTP, TLS).</summary>
    private static bool IsTunnelProtocol(ReadOnlySpan<byte> protocol)
    {
        var slash = protocol.IndexOf((byte)'/');
        var name = slash < 0 ? protocol : protocol[..slash];
        return Ascii.IsToken(name)
            && (slash < 0 || Ascii.IsToken(protocol[(slash + 1)..]))
            && !Ascii.EqualsIgnoreCase(name, "http"u8)
            && !Ascii.EqualsIgnoreCase(name, "h2c"u8)
            && !Ascii.EqualsIgnoreCase(name, "h2"u8)
            && !Ascii.EqualsIgnoreCase(name, "tls"u8);
    }
}

/// <summary>What a response head said. RFC 9112 §4.</summary>
internal sealed class ResponseHead : MessageHead
{
    private int _reasonStart;
    private int _reasonLength;

    /// <summary>The status code, 100 to 599. RFC 9110 §15.</summary>
    public int Status { get; private set; }

    /// <summary>The reason phrase as sent; may be empty.</summary>
    public ReadOnlySpan<byte> Reason => Part(_reasonStart, _reasonLength);

    /// <summary>Whether it is a 1xx. Another response follows, except after 101. RFC 9110 §15.2.</summary>
    public bool IsInterim => Status is >= 100 and < 200;

    /// <inheritdoc/>
    public override void Clear()
    {
        base.Clear();
        _reasonStart = 0;
        _reasonLength = 0;
        Status = 0;
    }

    /// <summary>Sets what the status line said. For the parser.</summary>
    public void SetStatusLine(ProtocolVersion version, int status, int reasonStart, int reasonLength)
    {
        Version = version;
        Status = status;
        _reasonStart = reasonStart;
        _reasonLength = reasonLength;
    }

    /// <summary>Draws the conclusions from all fields. For the parser.</summary>
    public void Conclude()
    {
        // A 204 has no body whatever its fields say (RFC 9112 §6.3 rule 1), but a backend that announces one may
        // send it: what came next on this connection could be anything.
        var announcesImpossibleBody = Status == 204
            && (Fields.Has(KnownField.TransferEncoding)
                || !(Fields.First(KnownField.ContentLength) is [] or [(byte)'0']));

        KeepAlive = !announcesImpossibleBody && MayPersist();
    }
}

/// <summary>The fields that follow the last chunk of a body. RFC 9112 §7.1.2.</summary>
internal sealed class TrailerSection() : FieldSection(Limits.TrailerBytesMax);
