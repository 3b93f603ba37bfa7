using System.Buffers;
using System.Buffers.Text;

namespace PolyBalance.Http;

/// <summary>Puts the framing on a body: writes what stands around the content, and counts the content itself.</summary>
/// <remarks>
/// Content never passes through here; the caller sends it from where it lies, between
/// <see cref="WriteChunkStart"/> and <see cref="WriteChunkEnd"/>. Both may be called whatever the framing is.
/// Owned by one pump; not thread-safe.
/// </remarks>
internal struct BodyEncoder
{
    private const int SizeLineBytesMax = 16 + 2;

    private BodyKind _kind;
    private bool _isInChunk;
    private bool _isEnded;
    private long _left;         // content bytes still announced when the framing is a length

    /// <summary>An encoder at the first byte of a body with this framing.</summary>
    public static BodyEncoder For(BodyFraming framing) => new()
    {
        _kind = framing.Kind,
        _left = framing.Kind == BodyKind.Length ? framing.Length : 0,
    };

    /// <summary>The body is written to its end, and the head's promise of a length is kept.</summary>
    public readonly bool IsComplete => _isEnded;

    /// <summary>
    /// Announces content that the caller is about to send: the chunk-size line, if the body is chunked.
    /// </summary>
    /// <param name="contentLength">
    /// Unit: bytes. 0 announces nothing, because a chunk without content would end the body.
    /// </param>
    /// <param name="output">Where the framing goes.</param>
    /// <exception cref="InvalidOperationException">
    /// A bug: more content than the head announced, a chunk within a chunk, or content after the end.
    /// </exception>
    public void WriteChunkStart(int contentLength, IBufferWriter<byte> output)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(contentLength);
        if (contentLength == 0)
            return;
        if (_isEnded || _isInChunk)
            throw new InvalidOperationException("Content outside of its place in the body.");

        switch (_kind)
        {
            case BodyKind.Chunked:
                var span = output.GetSpan(SizeLineBytesMax);
                Utf8Formatter.TryFormat(contentLength, span, out var length, new StandardFormat('x'));
                span[length++] = (byte)'\r';
                span[length++] = (byte)'\n';
                output.Advance(length);
                _isInChunk = true;
                break;

            case BodyKind.UntilClose:
                break;

            default:
                if (contentLength > _left)
                    throw new InvalidOperationException("More content than the head announced.");
                _left -= contentLength;
                break;
        }
    }

    /// <summary>Whether content can pass by unseen: its framing is a length.</summary>
    public readonly bool CanSkip => _kind == BodyKind.Length;

    /// <summary>Content has passed by without having been looked at. Only while <see cref="CanSkip"/>.</summary>
    /// <exception cref="InvalidOperationException">A bug: more than the head announced.</exception>
    public void Skip(long length)
    {
        if (!CanSkip || length > _left)
            throw new InvalidOperationException("More content than the head announced.");

        _left -= length;
    }

    /// <summary>Ends what <see cref="WriteChunkStart"/> began, once the content has been handed over.</summary>
    public void WriteChunkEnd(IBufferWriter<byte> output)
    {
        if (!_isInChunk)
            return;

        Write("\r\n"u8, output);
        _isInChunk = false;
    }

    /// <summary>Ends the body: the last chunk and the trailer section, if the body is chunked.</summary>
    /// <param name="trailers">
    /// What came after the last chunk of the received body. Fields that have no place there are left out (see
    /// <see cref="Forwarding.IsTrailerPermitted"/>). Without chunks there is no trailer section, so all are left out.
    /// </param>
    /// <param name="output">Where the framing goes.</param>
    /// <exception cref="InvalidOperationException">
    /// A bug: less content than the head announced. Such a body must be cut off by closing, not ended.
    /// </exception>
    public void WriteEnd(Fields? trailers, IBufferWriter<byte> output)
    {
        if (_isEnded || _isInChunk)
            throw new InvalidOperationException("The end of a body outside of its place.");
        if (_left > 0)
            throw new InvalidOperationException("Less content than the head announced.");

        if (_kind == BodyKind.Chunked)
            WriteLastChunk(trailers, output);
        _isEnded = true;
    }

    private static void WriteLastChunk(Fields? trailers, IBufferWriter<byte> output)
    {
        if (trailers is null)
        {
            Write("0\r\n\r\n"u8, output);
            return;
        }

        var all = trailers.Lines(0, trailers.Count);
        var span = output.GetSpan("0\r\n\r\n"u8.Length + all.Length);
        "0\r\n"u8.CopyTo(span);
        var written = 3;
        for (var i = 0; i < trailers.Count; i++)
        {
            if (trailers.IsDropped(i) || !Forwarding.IsTrailerPermitted(trailers, i))
                continue;

            trailers.Line(i).CopyTo(span[written..]);
            written += trailers.Line(i).Length;
        }

        "\r\n"u8.CopyTo(span[written..]);
        output.Advance(written + 2);
    }

    private static void Write(ReadOnlySpan<byte> bytes, IBufferWriter<byte> output)
    {
        bytes.CopyTo(output.GetSpan(bytes.Length));
        output.Advance(bytes.Length);
    }
}
