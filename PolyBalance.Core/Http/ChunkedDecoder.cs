namespace PolyBalance.Http;

/// <summary>What a body decoder found at the front of its input.</summary>
internal enum BodyStatus : byte
{
    /// <summary>All input is dealt with, and it held no content.</summary>
    NeedMore,

    /// <summary>A run of content, as long as this input has it.</summary>
    Content,

    /// <summary>The last chunk is over: a trailer section follows, possibly an empty one. RFC 9112 §7.1.2.</summary>
    TrailerSection,

    /// <summary>The body is over.</summary>
    End,

    /// <summary>The framing is broken. Where the body ends cannot be known any more; only closing helps.</summary>
    Malformed,
}

/// <summary>One step of decoding a body: what was found, and how much of the input it took.</summary>
/// <param name="Status">What was found.</param>
/// <param name="Consumed">Bytes dealt with. The caller advances by exactly this many, whatever the status.</param>
/// <param name="ContentStart">Where among them the content begins; what lies before it was framing.</param>
/// <param name="ContentLength">Bytes of content. Positive when the status is Content, otherwise 0.</param>
internal readonly record struct BodyStep(
    BodyStatus Status, int Consumed, int ContentStart = 0, int ContentLength = 0);

/// <summary>Takes the chunked transfer coding off a body. RFC 9112 §7.1. Owns no buffer and does no I/O.</summary>
/// <remarks>
/// Chunk extensions must follow the grammar of §7.1.1; they are skipped and never forwarded. Only CRLF ends a
/// line, and nothing but an extension may follow the digits, blanks included: a peer that is more generous
/// would see other chunks than we do (§2.2, §11.2).
/// </remarks>
internal struct ChunkedDecoder
{
    private const int SizeDigitsMax = 16;

    private State _state;
    private long _left;         // content bytes of the current chunk still to come
    private int _lineBytes;     // of the current chunk-size line, CRLF included

    private enum State : byte
    {
        SizeStart,
        Size,
        NameStart,
        Name,
        ValueStart,
        Token,
        Quoted,
        QuotedPair,
        QuotedEnd,
        SizeLf,
        Content,
        ContentCr,
        ContentLf,
        TrailerSection,
        Malformed,
    }

    /// <summary>Decodes up to the end of the next run of content, or of the input.</summary>
    /// <remarks>After TrailerSection and after Malformed it answers the same again and consumes nothing.</remarks>
    public BodyStep Decode(ReadOnlySpan<byte> input)
    {
        for (var i = 0; ; i++)
        {
            if (_state == State.TrailerSection)
                return new(BodyStatus.TrailerSection, i);
            if (_state == State.Malformed)
                return new(BodyStatus.Malformed, i);
            if (i == input.Length)
                return new(BodyStatus.NeedMore, i);
            if (_state == State.Content)
                return TakeContent(i, input.Length - i);

            _state = LineHasRoom() ? Next(input[i]) : State.Malformed;
        }
    }

    private BodyStep TakeContent(int start, int available)
    {
        var length = (int)Math.Min(_left, available);
        _left -= length;
        if (_left == 0)
            _state = State.ContentCr;
        return new(BodyStatus.Content, start + length, start, length);
    }

#pragma warning disable format // a table, aligned by hand
    private State Next(byte next) => (_state, next) switch
    {
        (State.SizeStart or State.Size, _) when TakeDigit(next)                                 => State.Size,
        (State.Size or State.Name or State.Token or State.QuotedEnd, (byte)'\r')                => State.SizeLf,
        (State.Size or State.Name or State.Token or State.QuotedEnd, (byte)';')                 => State.NameStart,
        (State.NameStart or State.Name, _) when Ascii.TokenBytes.Contains(next)                         => State.Name,
        (State.Name, (byte)'=')                                                                 => State.ValueStart,
        (State.ValueStart, (byte)'"')                                                           => State.Quoted,
        (State.ValueStart or State.Token, _) when Ascii.TokenBytes.Contains(next)                       => State.Token,
        (State.Quoted, (byte)'"')                                                               => State.QuotedEnd,
        (State.Quoted, (byte)'\\')                                                              => State.QuotedPair,
        (State.Quoted or State.QuotedPair, (byte)'\t' or (>= (byte)' ' and not 0x7F))           => State.Quoted,
        (State.SizeLf, (byte)'\n')                                                              => StartChunk(),
        (State.ContentCr, (byte)'\r')                                                           => State.ContentLf,
        (State.ContentLf, (byte)'\n')                                                           => State.SizeStart,
        _                                                                                       => State.Malformed,
    };
#pragma warning restore format

    // The CRLF after the content is no part of a chunk-size line.
    private bool LineHasRoom()
        => _state is State.ContentCr or State.ContentLf || ++_lineBytes <= Limits.ChunkLineBytesMax;

    private bool TakeDigit(byte next)
    {
        if (!char.IsAsciiHexDigit((char)next) || _lineBytes > SizeDigitsMax || _left > long.MaxValue >> 4)
            return false;

        _left = (_left << 4) | (uint)(next <= '9' ? next - '0' : (next | 0x20) - 'a' + 10);
        return true;
    }

    private State StartChunk()
    {
        _lineBytes = 0;
        return _left > 0 ? State.Content : State.TrailerSection;
    }
}
