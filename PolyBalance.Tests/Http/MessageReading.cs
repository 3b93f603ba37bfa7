using System.Buffers;
using System.Globalization;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>
/// Reads a stream of messages through the parsers of <c>Http</c> as a connection would, and writes down what it saw.
/// </summary>
/// <remarks>It also checks what every call promises: nothing beyond the input is counted, found or consumed.</remarks>
internal abstract class MessageReading
{
    /// <summary>The bounds of a default configuration.</summary>
    public static readonly HeadLimits DefaultLimits = new(Limits.HeadBytesDefault, Limits.FieldLinesDefault);

    private readonly TrailerSection _trailers = new();
    private Stage _stage;
    private BodyDecoder _decoder;
    private long _scanned;
    private bool _showsLeftOver;

    private enum Stage
    {
        Head,
        Body,
        Trailers,
        Over,
    }

    /// <summary>What was seen.</summary>
    public EventLog Log { get; } = new();

    /// <summary>The bounds in force.</summary>
    public HeadLimits HeadLimits { get; init; } = DefaultLimits;

    /// <summary>The trailer section of the message that is complete; without fields when it has none.</summary>
    protected Fields Trailers => _trailers.Fields;

    /// <summary>Whether the end of the bytes in the middle of a head is the end of something.</summary>
    protected virtual bool IsWaitingForHead => false;

    /// <summary>Begins again at the first byte of a stream.</summary>
    public virtual void Reset()
    {
        _stage = Stage.Head;
        _scanned = 0;
        _showsLeftOver = false;
        _trailers.Clear();
        Log.Clear();
    }

    /// <summary>Reads what there is to read.</summary>
    public void Read(ArrivingBytes bytes)
    {
        while (_stage switch
        {
            Stage.Head => ReadHead(bytes),
            Stage.Body => ReadBody(bytes),
            Stage.Trailers => ReadTrailers(bytes),
            _ => false,
        })
        {
        }
    }

    /// <summary>No more bytes will come.</summary>
    public void ReadEnd(ArrivingBytes bytes)
    {
        var left = bytes.Sequence;
        if (_stage == Stage.Body && _decoder.EndsWithConnection)
            EndMessage();
        else if (_stage is Stage.Body or Stage.Trailers)
            Log.Add("incomplete");
        else if (_stage == Stage.Head && (!left.IsEmpty || IsWaitingForHead))
            Log.Add("incomplete");

        if (_showsLeftOver && !left.IsEmpty)
            Log.Add("left over", left.ToArray());
    }

    /// <summary>Looks for the end of a head.</summary>
    protected abstract HeadSearchStatus Find(
        in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure);

    /// <summary>Takes and parses a head, decides the framing, and writes all of it down.</summary>
    protected abstract bool TryBegin(in ReadOnlySequence<byte> head, out BodyFraming framing, out FailureKind failure);

    /// <summary>Names a failure as it is reported on this side.</summary>
    protected abstract FailureKind NameOf(FailureKind failure);

    /// <summary>Hears of content.</summary>
    protected virtual void OnContent(ReadOnlySpan<byte> content) => Log.AddContent(content);

    /// <summary>Hears of a complete trailer section.</summary>
    protected virtual void OnTrailers() => LogFields("trailer", Trailers);

    /// <summary>Hears that a message is complete. Answers whether another one may follow on this connection.</summary>
    protected abstract bool OnEnd(bool endsWithConnection);

    /// <summary>Writes a section down, line by line.</summary>
    protected void LogFields(string name, Fields fields)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            Log.Add(name, fields.Name(i));
            Log.Append(":"u8);
            if (!fields.Value(i).IsEmpty)
                Log.Append(" "u8);
            Log.Append(fields.Value(i));
        }
    }

    /// <summary>Writes the framing down.</summary>
    protected void LogFraming(BodyFraming framing) => Log.Add("body", framing.Kind switch
    {
        BodyKind.None => "none",
        BodyKind.Length => string.Create(CultureInfo.InvariantCulture, $"length {framing.Length}"),
        BodyKind.Chunked => "chunked",
        _ => "until-close",
    });



    /// <summary>Reads nothing more, and shows what is not read.</summary>
    protected void EndStream()
    {
        _stage = Stage.Over;
        _showsLeftOver = true;
    }

    private bool ReadHead(ArrivingBytes bytes)
    {
        var available = bytes.Sequence;
        if (available.IsEmpty)
            return false;

        switch (Find(available, ref _scanned, out var length, out var failure))
        {
            case HeadSearchStatus.NeedMore:
                Check(_scanned <= available.Length, "more bytes scanned than there are");
                return false;

            case HeadSearchStatus.Refused:
                return Refuse(failure);
        }

        Check(length > 0 && length <= available.Length, "the head is longer than what is there");
        Check(_scanned == 0, "the scan begins again after a head");
        _stage = Stage.Body;
        if (!TryBegin(available.Slice(0, length), out var framing, out failure))
            return Refuse(failure);

        _decoder = BodyDecoder.For(framing);
        _trailers.Clear();
        bytes.Consume(length);
        return true;
    }

    private bool ReadBody(ArrivingBytes bytes)
    {
        var input = bytes.Front;
        var step = _decoder.Decode(input);
        Check(step.Consumed >= 0 && step.Consumed <= input.Length, "more bytes consumed than there are");
        Check(step.ContentLength > 0 == (step.Status == BodyStatus.Content), "content without content");

        if (step.Status == BodyStatus.Content)
        {
            Check(step.ContentStart + step.ContentLength <= step.Consumed, "content beyond what was consumed");
            OnContent(input.Slice(step.ContentStart, step.ContentLength));
        }

        bytes.Consume(step.Consumed);
        switch (step.Status)
        {
            case BodyStatus.NeedMore:
                Check(step.Consumed == input.Length, "input left although more is needed");
                return step.Consumed > 0;

            case BodyStatus.TrailerSection:
                _stage = Stage.Trailers;
                return true;

            case BodyStatus.End:
                Check(_decoder.IsComplete, "the end of a body that is not complete");
                EndMessage();
                return true;

            case BodyStatus.Malformed:
                return Refuse(FailureKind.MalformedChunk);

            default:
                return true;
        }
    }

    private bool ReadTrailers(ArrivingBytes bytes)
    {
        var available = bytes.Sequence;
        switch (HeadParser.FindTrailerEnd(available, ref _scanned, out var length, out var failure))
        {
            case HeadSearchStatus.NeedMore:
                Check(_scanned <= available.Length, "more bytes scanned than there are");
                return false;

            case HeadSearchStatus.Refused:
                return Refuse(failure);
        }

        Check(length > 0 && length <= available.Length, "the trailer section is longer than what is there");
        _trailers.Take(available.Slice(0, length));
        if (!HeadParser.TryParseTrailers(_trailers, out failure))
            return Refuse(failure);

        OnTrailers();
        bytes.Consume(length);
        _decoder.TrailerDone();
        _stage = Stage.Body;
        return true;
    }

    private void EndMessage()
    {
        _stage = Stage.Head;
        if (!OnEnd(_decoder.EndsWithConnection))
            EndStream();
    }

    private bool Refuse(FailureKind kind)
    {
        Check(kind != FailureKind.None, "a refusal has a reason");
        ref readonly var failure = ref Failure.Of(NameOf(kind));
        Log.Add("refused:", string.Create(CultureInfo.InvariantCulture, $"{failure.Label} {failure.Status}"));
        _stage = Stage.Over;
        return false;
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
            Assert.Fail(otherwise);
    }
}
