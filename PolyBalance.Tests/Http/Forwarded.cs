using System.Buffers;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>Writes each request that was read as a backend would get it.</summary>
/// <remarks>
/// All content of a message goes into one chunk, so that what is written does not depend on the cuts. Refusals are
/// written down as when reading.
/// </remarks>
internal class RequestForwarding(RequestAdditions additions, HostRule host) : RequestReading
{
    private readonly ArrayBufferWriter<byte> _content = new();

    /// <summary>The usual host rule: what the client asked for, or this.</summary>
    public static HostRule PreservedHost { get; } = HostRule.Preserve("backend.example"u8.ToArray());

    /// <summary>How the message that was forwarded last is framed on its way out.</summary>
    protected BodyFraming Framing { get; private set; }

    /// <summary>The content of the message that was forwarded last.</summary>
    protected ReadOnlySpan<byte> Content => _content.WrittenSpan;

    /// <inheritdoc/>
    protected override void OnHead(BodyFraming framing)
    {
        Framing = framing;
        _content.ResetWrittenCount();
    }

    /// <inheritdoc/>
    protected override void OnContent(ReadOnlySpan<byte> content) => _content.Write(content);

    /// <inheritdoc/>
    protected override void OnTrailers() => Forwarding.MarkTrailers(Trailers, Head);

    /// <inheritdoc/>
    protected override bool OnEnd(bool endsWithConnection)
    {
        var output = new ArrayBufferWriter<byte>();
        HeadWriter.WriteRequest(Head, additions, host, "rid-1"u8, Framing, Head.WantsUpgrade, [], output);
        ForwardedBody.Write(Framing, Content, Trailers, output);
        OnForwarded(output.WrittenSpan);
        return Head.KeepAlive;
    }

    /// <summary>Hears of a message that was written.</summary>
    protected virtual void OnForwarded(ReadOnlySpan<byte> bytes) => Log.AddForwarded(bytes);
}

/// <summary>Writes each response that was read as a client would get it.</summary>
internal class ResponseForwarding(MethodKind answers, ProtocolVersion client, bool close) : ResponseReading(answers)
{
    private readonly ArrayBufferWriter<byte> _content = new();

    /// <summary>How the message that was forwarded last is framed on its way out.</summary>
    protected BodyFraming Framing { get; private set; }

    /// <summary>The content of the message that was forwarded last.</summary>
    protected ReadOnlySpan<byte> Content => _content.WrittenSpan;

    /// <inheritdoc/>
    protected override void OnHead(BodyFraming framing)
    {
        Framing = BodyFraming.ForClient(framing, client);
        _content.ResetWrittenCount();
    }

    /// <inheritdoc/>
    protected override void OnContent(ReadOnlySpan<byte> content) => _content.Write(content);

    /// <inheritdoc/>
    protected override void OnTrailers() => Forwarding.MarkTrailers(Trailers, Head);

    /// <inheritdoc/>
    protected override bool OnEnd(bool endsWithConnection)
    {
        var output = new ArrayBufferWriter<byte>();
        if (Head.IsInterim && Head.Status != 101)
        {
            HeadWriter.WriteInterim(Head, output);
            OnForwarded(output.WrittenSpan);
            return true;
        }

        var closes = close || Framing.Kind == BodyKind.UntilClose;
        HeadWriter.WriteResponse(
            Head, Framing, client, closes, "rid-1"u8, "Thu, 01 Jan 1970 00:00:00 GMT"u8, Head.Status == 101, default,
            output);
        if (Head.Status != 101)
            ForwardedBody.Write(Framing, Content, Trailers, output);
        OnForwarded(output.WrittenSpan);
        return false;
    }

    /// <summary>Hears of a message that was written.</summary>
    protected virtual void OnForwarded(ReadOnlySpan<byte> bytes) => Log.AddForwarded(bytes);
}

/// <summary>Frames a whole body.</summary>
internal static class ForwardedBody
{
    /// <summary>Writes the content in one piece, and the trailer section if there can be one.</summary>
    public static void Write(
        BodyFraming framing, ReadOnlySpan<byte> content, Fields trailers, IBufferWriter<byte> output)
    {
        var encoder = BodyEncoder.For(framing);
        encoder.WriteChunkStart(content.Length, output);
        output.Write(content);
        encoder.WriteChunkEnd(output);
        encoder.WriteEnd(trailers, output);
    }
}
