using System.Buffers;

namespace PolyBalance.Http;

/// <summary>
/// Takes the framing off a body, whatever the framing is: bytes in, ranges of content out. RFC 9112 §6.3.
/// </summary>
/// <remarks>
/// A small value: a copy remembers a position in the body, and decoding can be repeated from there.
/// Owned by one pump; not thread-safe.
/// </remarks>
internal struct BodyDecoder
{
    private const int EmptyLineLength = 2;

    private BodyKind _kind;
    private long _left;                 // content bytes still to come when the framing is a length
    private ChunkedDecoder _chunks;

    /// <summary>A decoder at the first byte of a body with this framing.</summary>
    public static BodyDecoder For(BodyFraming framing) => new()
    {
        _kind = framing.Kind,
        _left = framing.Kind == BodyKind.Length ? framing.Length : 0,
    };

    /// <summary>Finds the end of a body that is there whole. One with trailer fields counts as unfinished.</summary>
    /// <param name="framing">How it ends.</param>
    /// <param name="bytes">What is there, from its first byte on.</param>
    /// <param name="length">How much of that is the body; 0 when its end is not there.</param>
    public static bool TryMeasure(BodyFraming framing, in ReadOnlySequence<byte> bytes, out long length)
    {
        length = 0;
        var decoder = For(framing);
        var used = 0L;
        foreach (var memory in bytes)
        {
            var step = default(BodyStep);
            for (var offset = 0; offset < memory.Length && !decoder.IsComplete; offset += step.Consumed)
            {
                step = decoder.Decode(memory.Span[offset..]);
                used += step.Consumed;
                if (step.Status == BodyStatus.Malformed)
                    return false;
                if (step.Status == BodyStatus.TrailerSection)
                {
                    var scanned = 0L;
                    var end = HeadParser.FindTrailerEnd(bytes.Slice(used), ref scanned, out var trailer, out _);
                    if (end != HeadSearchStatus.Found || trailer != EmptyLineLength)
                        return false;

                    length = used + trailer;
                    return true;
                }
            }
        }

        if (decoder.IsComplete)
            length = used;
        return decoder.IsComplete;
    }

    /// <summary>
    /// Nothing more belongs to this body. Never true of a body that ends with its connection: see
    /// <see cref="EndsWithConnection"/>.
    /// </summary>
    public readonly bool IsComplete => Remaining == 0;

    /// <summary>
    /// Whether the orderly end of the connection is the end of this body. Otherwise it cuts the body off.
    /// </summary>
    public readonly bool EndsWithConnection => _kind == BodyKind.UntilClose;

    /// <summary>Content still to come, or -1 when the framing does not tell. Unit: bytes.</summary>
    public readonly long Remaining => _kind is BodyKind.None or BodyKind.Length ? _left : -1;

    /// <summary>Whether content can pass by unseen: its framing is a length.</summary>
    public readonly bool CanSkip => _kind == BodyKind.Length;

    /// <summary>Content has passed by without having been looked at. Only while <see cref="CanSkip"/>.</summary>
    /// <exception cref="InvalidOperationException">A bug: more than belongs to the body.</exception>
    public void Skip(long length)
    {
        if (!CanSkip || length > _left)
            throw new InvalidOperationException("Content beyond the end of its body.");

        _left -= length;
    }

    /// <summary>Decodes the front of the input. Call again with the rest until it answers NeedMore or End.</summary>
    /// <remarks>
    /// After <see cref="BodyStatus.TrailerSection"/> the caller reads the trailer section itself
    /// (<see cref="HeadParser"/>) and then calls <see cref="TrailerDone"/>.
    /// </remarks>
    public BodyStep Decode(ReadOnlySpan<byte> input)
    {
        switch (_kind)
        {
            case BodyKind.Chunked:
                return _chunks.Decode(input);

            case BodyKind.UntilClose:
                return input.IsEmpty ? default : new(BodyStatus.Content, input.Length, 0, input.Length);

            default:
                if (_left == 0)
                    return new(BodyStatus.End, 0);
                if (input.IsEmpty)
                    return default;

                var length = (int)Math.Min(_left, input.Length);
                _left -= length;
                return new(BodyStatus.Content, length, 0, length);
        }
    }

    /// <summary>Tells the decoder that the trailer section has been read: the chunked body is complete.</summary>
    public void TrailerDone()
    {
        if (_kind != BodyKind.Chunked || _chunks.Decode([]).Status != BodyStatus.TrailerSection)
            throw new InvalidOperationException("The body is not at its trailer section.");

        _kind = BodyKind.None;
    }
}
