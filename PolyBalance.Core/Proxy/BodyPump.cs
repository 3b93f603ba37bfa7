using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>
/// Moves one body from one connection to another: takes the framing off, puts ours on, copies no content.
/// </summary>
/// <remarks>
/// Content is sent from the very blocks that it was received into. A pump reads no further ahead than one receive, so a
/// slow sink slows the source down. What is already in the sink's output (a head) goes out with the first content.
/// For another attempt the pump can go back to the start, as long as it holds the bytes: they simply stay unconsumed in
/// the source's input, up to a bound. One flow at a time; reused by <see cref="Begin"/> and <see cref="Reset"/>.
/// </remarks>
internal sealed class BodyPump
{
    // More pieces than this in one send, and the short ones are cheaper to copy than to gather.
    private const int PiecesMax = 16;
    private const int ShortPieceBytes = 256;

    private readonly List<ReadOnlyMemory<byte>> _pieces = new(PiecesMax);
    private MessageHead? _head;
    private TrailerSection? _trailers;
    private Connection _source = null!;
    private Connection? _sink;
    private IBodyPace _pace = null!;
    private BodyFraming _sourceFraming;
    private BodyDecoder _decoder;
    private BodyEncoder _encoder;
    private long _contentBytesMax;
    private long _replayBytesMax;
    private long _held;                 // bytes of the body, framing included, that were sent and can be sent again
    private long _trailerScanned;
    private bool _isInTrailer;
    private bool _hasTrailers;
    private bool _hasConsumed;
    private bool _hasNoRelay;
    private volatile bool _isRead;
    private volatile bool _isStopping;

    /// <summary>Content that has passed. Unit: bytes.</summary>
    public long ContentBytes { get; private set; }

    /// <summary>Whether the whole body is read; its last bytes may still be on their way. Any thread.</summary>
    public bool IsRead => _isRead;

    /// <summary>Whether the body can be sent again from its start.</summary>
    public bool CanReplay => !_hasConsumed;

    /// <summary>Says where a body comes from and how much of it may be kept for another attempt.</summary>
    /// <param name="source">Where it comes from.</param>
    /// <param name="head">The head before it, whose Connection field speaks for trailer fields too.</param>
    /// <param name="framing">How it ends there.</param>
    /// <param name="contentBytesMax">More content than this is refused. Unit: bytes.</param>
    /// <param name="replayBytesMax">Bytes to hold for another attempt; 0: none.</param>
    public void Begin(
        Connection source, MessageHead head, BodyFraming framing, long contentBytesMax, long replayBytesMax)
    {
        _source = source;
        _head = head;
        _sourceFraming = framing;
        _contentBytesMax = contentBytesMax;
        _replayBytesMax = replayBytesMax;
        Rewind();
    }

    /// <summary>Goes back to the start of the body. Only while <see cref="CanReplay"/>.</summary>
    public void Rewind()
    {
        _decoder = BodyDecoder.For(_sourceFraming);
        _trailerScanned = 0;
        _isInTrailer = _hasTrailers = false;
        _isRead = _isStopping = false;
        ContentBytes = 0;
        if (_held > 0)
            _source.Reread();
        _held = 0;
    }

    /// <summary>Moves the body, from where <see cref="Begin"/> or <see cref="Rewind"/> put it to its end.</summary>
    /// <param name="sink">Where it goes; null: nowhere, it is only read to its end.</param>
    /// <param name="framing">How it ends there.</param>
    /// <param name="pace">Sets the deadlines.</param>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public async ValueTask<PumpResult> RunAsync(Connection? sink, BodyFraming framing, IBodyPace pace)
    {
        _sink = sink;
        _encoder = BodyEncoder.For(framing);
        _pace = pace;

        var result = default(PumpResult?);
        while (result is null)
        {
            if (_decoder.IsComplete)
            {
                result = await EndAsync();
                break;
            }

            var isOverdue = false;
            if (!_source.Input.TryRead(out var read))
            {
                // Nothing to wait with: what is written already goes out now (the first byte of a slow stream, a lone
                // head).
                if (HasUnsent)
                    pace.BeforeSend();
                if (HasUnsent && (await _sink.Output.FlushAsync()).IsCompleted)
                {
                    result = new(PumpEnd.SinkFailed);
                    break;
                }

                _source.ReadDeadline = pace.BeforeWait();
                read = await _source.Input.ReadAsync();
                isOverdue = read.IsCanceled && _source.IsReadOverdue;
                pace.AfterWait();
            }

            result = Take(read, isOverdue, out var used);
            if (!_decoder.IsComplete && HasUnsent && result is null)
            {
                pace.BeforeSend();
                var flushed = await _sink.Output.FlushAsync();
                if (flushed.IsCompleted)
                {
                    result = new(PumpEnd.SinkFailed);
                    break;
                }

                pace.AfterSend();
            }

            // The last content leaves together with the end of the body: its memory stays until that is flushed.
            if (_decoder.IsComplete && result is null)
            {
                _isRead = true;
                result = await EndAsync();
            }

            if (result is not { End: PumpEnd.SinkFailed })
                Advance(read.Buffer, used);
            else if (_isRead)
                _held += used;      // stays there to be sent again, or to be released before the next request

            if (result is null && TryOpenRelay() is { } relay)
                result = await PassAsync(relay, _sink!);
        }

        var ended = result.GetValueOrDefault();
        pace.Ended(ended.End);
        return ended;
    }

    /// <summary>
    /// Ends a pump that waits for its source. One that waits for its sink ends when the sink is aborted.
    /// </summary>
    public void Stop()
    {
        _isStopping = true;
        _source.Wake();
    }

    /// <summary>The body will not be needed again: what was held of it is consumed.</summary>
    public void Release()
    {
        if (_held == 0)
            return;

        _source.Reread();
        if (_source.Input.TryRead(out var read))
            _source.Input.AdvanceTo(read.Buffer.GetPosition(Math.Min(_held, read.Buffer.Length)));
        _held = 0;
        _hasConsumed = true;
    }

    /// <summary>Bytes that passed through a tunnel count as content too.</summary>
    public void CountTunnel(long bytes) => ContentBytes += bytes;

    /// <summary>Forgets everything.</summary>
    public void Reset()
    {
        (_source, _sink, _pace, _head) = (null!, null, null!, null);
        _pieces.Clear();
        _hasConsumed = _hasNoRelay = false;
        _held = ContentBytes = 0;
    }

    [MemberNotNullWhen(true, nameof(_sink))]
    private bool HasUnsent => _sink is { Output.UnflushedBytes: > 0 };

    // A long rest whose bytes nobody here has to see.
    private Relay? TryOpenRelay()
    {
        var isUseful = _decoder is { CanSkip: true, Remaining: >= Limits.RelayBytesMin } && _encoder.CanSkip;
        if (!isUseful || _hasNoRelay || _held > 0 || _sink is null)
            return null;

        var relay = _source.TryOpenRelay(_sink);
        _hasNoRelay = relay is null;
        return relay;
    }

    // Moves the rest of the body through a relay. Null: it is through, or bytes came that have to go the usual way.
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<PumpResult?> PassAsync(Relay relay, Connection sink)
    {
        try
        {
            relay.Wanted = _decoder.Remaining;
            while (!_decoder.IsComplete)
            {
                _source.ReadDeadline = _pace.BeforeWait();
                var read = await _source.Input.ReadAsync();
                _pace.AfterWait();
                if (!read.Buffer.IsEmpty)
                    return null;

                if (relay.Held is var length and > 0)
                {
                    _pace.BeforeSend();
                    if ((await sink.SendAsync(relay)).IsCompleted)
                        return new(PumpEnd.SinkFailed);

                    _decoder.Skip(length);
                    _encoder.Skip(length);
                    ContentBytes += length;
                    _pace.AfterSend();
                }
                else if (read.IsCompleted)
                    return new(PumpEnd.SourceEnded);
                if (WhyStop(read, read.IsCanceled && _source.IsReadOverdue) is { } end && !_decoder.IsComplete)
                    return end;
            }

            _isRead = true;
            return null;
        }
        finally
        {
            relay.Close();
        }
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<PumpResult?> EndAsync()
    {
        if (_sink is not null)
            _encoder.WriteEnd(_hasTrailers ? _trailers!.Fields : null, _sink.Output);
        if (!HasUnsent)
            return new(PumpEnd.Complete);

        _pace.BeforeSend();
        var flushed = await _sink.Output.FlushAsync();
        return new(flushed.IsCompleted ? PumpEnd.SinkFailed : PumpEnd.Complete);
    }

    // Decodes what is there and hands its content to the sink. `used` counts from the first byte that was not yet sent.
    private PumpResult? Take(in ReadResult read, bool isOverdue, out long used)
    {
        var rest = read.Buffer.Slice(_held);
        used = 0;
        var malformed = FailureKind.None;
        if (!_isInTrailer)
            malformed = Decode(rest, ref used);
        if (malformed == FailureKind.None && _isInTrailer)
            malformed = TakeTrailers(rest.Slice(used), ref used);
        if (malformed != FailureKind.None)
        {
            _pieces.Clear();
            return new(PumpEnd.Malformed, malformed);
        }

        if (!TryEmit())
            return new(PumpEnd.TooLarge);
        if (_decoder.IsComplete)
            return null;
        if (read.IsCompleted)
            return AtEndOfSource(used == rest.Length);
        return WhyStop(read, isOverdue);
    }

    private PumpResult? WhyStop(in ReadResult read, bool isOverdue)
    {
        if (read.IsCanceled && _isStopping)
            return new(PumpEnd.Stopped);
        return isOverdue ? new(PumpEnd.SourceTimedOut) : null;
    }

    private PumpResult? AtEndOfSource(bool isAllUsed)
    {
        if (!_decoder.EndsWithConnection || !isAllUsed || _source.CloseReason != CloseReason.PeerClosed)
            return new(PumpEnd.SourceEnded);

        // The orderly end of the connection is the end of this body: RFC 9112 §6.3 rule 8.
        _decoder = BodyDecoder.For(default);
        return null;
    }

    private FailureKind Decode(in ReadOnlySequence<byte> bytes, ref long used)
    {
        foreach (var memory in bytes)
        {
            var offset = 0;
            while (offset < memory.Length)
            {
                var step = _decoder.Decode(memory.Span[offset..]);
                if (step.Status == BodyStatus.Content)
                    _pieces.Add(memory.Slice(offset + step.ContentStart, step.ContentLength));

                offset += step.Consumed;
                used += step.Consumed;
                if (step.Status == BodyStatus.Malformed)
                    return FailureKind.MalformedChunk;

                _isInTrailer = step.Status == BodyStatus.TrailerSection;
                if (_isInTrailer || step.Status == BodyStatus.End)
                    return FailureKind.None;
                if (step.Status == BodyStatus.NeedMore)
                    break;
            }
        }

        return FailureKind.None;
    }

    private FailureKind TakeTrailers(in ReadOnlySequence<byte> bytes, ref long used)
    {
        var status = HeadParser.FindTrailerEnd(bytes, ref _trailerScanned, out var length, out var failure);
        if (status == HeadSearchStatus.NeedMore)
            return FailureKind.None;

        _trailers ??= new();
        if (status == HeadSearchStatus.Found)
        {
            _trailers.Take(bytes.Slice(0, length));
            if (HeadParser.TryParseTrailers(_trailers, out failure))
            {
                Forwarding.MarkTrailers(_trailers.Fields, _head!);
                _hasTrailers = _trailers.Fields.Count > 0;
                _decoder.TrailerDone();
                used += length;
                return FailureKind.None;
            }
        }

        return failure;
    }

    // All content of one read becomes one chunk, wherever the source had its borders.
    private bool TryEmit()
    {
        var length = 0;
        foreach (var piece in _pieces)
            length += piece.Length;
        if (length == 0)
            return true;

        ContentBytes += length;
        var isTooLarge = ContentBytes > _contentBytesMax;
        if (isTooLarge || _sink is null)
        {
            _pieces.Clear();
            return !isTooLarge;
        }

        _encoder.WriteChunkStart(length, _sink.Output);
        foreach (var piece in _pieces)
        {
            if (_pieces.Count > PiecesMax && piece.Length < ShortPieceBytes)
                _sink.Output.Write(piece.Span);
            else
                _sink.Attach(piece);
        }

        _encoder.WriteChunkEnd(_sink.Output);
        _pieces.Clear();
        return true;
    }

    private void Advance(in ReadOnlySequence<byte> buffer, long used)
    {
        var done = _held + used;
        if (done <= _replayBytesMax && !_hasConsumed)
        {
            _held = done;
            _source.Input.AdvanceTo(buffer.Start, buffer.End);
            return;
        }

        _held = 0;
        _hasConsumed |= done > 0;
        var consumed = buffer.GetPosition(done);
        // What comes after the body belongs to the next request, which has not looked at it yet.
        _source.Input.AdvanceTo(consumed, _decoder.IsComplete ? consumed : buffer.End);
    }
}
