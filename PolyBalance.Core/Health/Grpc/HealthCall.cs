using System.Buffers;
using System.Buffers.Binary;

namespace PolyBalance.Health.Grpc;

/// <summary>
/// One call of <c>grpc.health.v1.Health/Check</c> on a connection of its own: bytes in, bytes out, and in the end an
/// answer. HTTP/2 in cleartext with prior knowledge, RFC 9113 §3.3. No I/O.
/// </summary>
/// <remarks>
/// As little HTTP/2 as one request needs: one stream, no push, no priorities, and so little content that no window is
/// ever used up. Strict: whatever the RFC calls a connection error ends the call. Owned by one probe.
/// </remarks>
internal sealed class HealthCall
{
    private const int OnlyStream = 1;
    private const int FramesMax = 1_000;
    private const int BlockBytesMax = HpackDecoder.ListBytesMax;
    private const uint WindowMax = 0x7FFF_FFFF;

    private readonly ArrayBufferWriter<byte> _block = new();
    private readonly HealthReply _reply = new();
    private readonly HpackDecoder _decoder = new();
    private int _frames;
    private bool _isInBlock;
    private bool _endsStream;

    /// <summary>How the call ended; null: it goes on.</summary>
    public ProbeAnswer? Answer { get; private set; }

    /// <summary>Takes in what the backend sent, whole frames only, and writes what has to be answered.</summary>
    /// <param name="bytes">What is there.</param>
    /// <param name="output">Where answers to the connection's own questions go.</param>
    /// <returns>How many bytes are dealt with.</returns>
    public long Receive(in ReadOnlySequence<byte> bytes, IBufferWriter<byte> output)
    {
        var rest = bytes;
        Span<byte> first = stackalloc byte[FrameHead.Bytes];
        while (Answer is null && rest.Length >= FrameHead.Bytes)
        {
            rest.Slice(0, FrameHead.Bytes).CopyTo(first);
            if (_frames == 0 && first.StartsWith("HTTP/1."u8))
            {
                Fail("the backend speaks HTTP/1.1, not HTTP/2");
                break;
            }

            var frame = FrameHead.Read(first);
            if (frame.Length > FrameHead.LengthMax || ++_frames > FramesMax)
            {
                Break();
                break;
            }

            if (rest.Length < FrameHead.Bytes + frame.Length)
                break;

            Take(frame, rest.Slice(FrameHead.Bytes, frame.Length).ToArray(), output);
            rest = rest.Slice(FrameHead.Bytes + frame.Length);
        }

        return bytes.Length - rest.Length;
    }

    private void Take(in FrameHead frame, ReadOnlySpan<byte> content, IBufferWriter<byte> output)
    {
        // §3.4: the backend begins with its wishes; §6.10: nothing comes between the parts of a field block.
        var isFirst = _frames == 1;
        if ((isFirst && (frame.Kind != FrameKind.Wishes || frame.Has(FrameHead.Ack)))
            || _isInBlock != (frame.Kind == FrameKind.Continuation))
        {
            Break();
            return;
        }

        switch (frame.Kind)
        {
            case FrameKind.Content:
                TakeContent(frame, content);
                break;
            case FrameKind.Fields:
                BeginBlock(frame, content);
                break;
            case FrameKind.Continuation:
                ContinueBlock(frame, content);
                break;
            case FrameKind.Wishes:
                TakeWishes(frame, content, output);
                break;
            case FrameKind.Echo:
                if (Require(frame.Stream == 0 && content.Length == 8) && !frame.Has(FrameHead.Ack))
                    HealthRequest.WriteFrame(FrameKind.Echo, FrameHead.Ack, 0, content, output);
                break;
            case FrameKind.Reset:
                if (Require(frame.Stream == OnlyStream && content.Length == 4))
                    Fail($"stream reset by the backend, code {CodeOf(content)}");
                break;
            case FrameKind.Leave:
                TakeLeave(frame, content);
                break;
            case FrameKind.Window:
                Require(frame.Stream is 0 or OnlyStream && content.Length == 4 && CodeOf(content) << 1 != 0);
                break;
            case FrameKind.Priority:
                Require(frame.Stream != 0 && content.Length == 5);
                break;
            case FrameKind.Promise:
                Break();        // §8.4: we have said that we want none
                break;
        }
    }

    // §6.5.2. What limits our side does not matter: the only request has been sent.
    private void TakeWishes(in FrameHead frame, ReadOnlySpan<byte> content, IBufferWriter<byte> output)
    {
        var isAnswer = frame.Has(FrameHead.Ack);
        if (!Require(frame.Stream == 0 && (isAnswer ? content.Length == 0 : content.Length % 6 == 0)) || isAnswer)
            return;

        for (; !content.IsEmpty; content = content[6..])
        {
            var value = CodeOf(content[2..]);
            var isSound = BinaryPrimitives.ReadUInt16BigEndian(content) switch
            {
                0x2 => value == 0,
                0x4 => value <= WindowMax,
                0x5 => value is >= FrameHead.LengthMax and <= 0xFF_FFFF,
                _ => true,
            };
            if (!Require(isSound))
                return;
        }

        HealthRequest.WriteFrame(FrameKind.Wishes, FrameHead.Ack, 0, [], output);
    }

    // §6.8: streams above the last one that is named are not going to be answered.
    private void TakeLeave(in FrameHead frame, ReadOnlySpan<byte> content)
    {
        if (Require(frame.Stream == 0 && content.Length >= 8) && (CodeOf(content) & 0x7FFF_FFFF) < OnlyStream)
            Fail($"the backend is leaving, code {CodeOf(content[4..])}");
    }

    private void TakeContent(in FrameHead frame, ReadOnlySpan<byte> content)
    {
        if (frame.Stream != OnlyStream || !_reply.HasHead || !TryUnpad(frame, ref content))
            Break();
        else if (!_reply.TryAdd(content))
            Fail("the answer is too long");
        else if (frame.Has(FrameHead.EndStream))
            Answer = _reply.Judge();
    }

    private void BeginBlock(in FrameHead frame, ReadOnlySpan<byte> content)
    {
        var isSound = frame.Stream == OnlyStream && TryUnpad(frame, ref content)
            && (!frame.Has(FrameHead.HasPriority) || content.Length >= 5);
        if (!isSound)
        {
            Break();
            return;
        }

        _endsStream = frame.Has(FrameHead.EndStream);
        _block.ResetWrittenCount();
        Collect(frame, frame.Has(FrameHead.HasPriority) ? content[5..] : content);
    }

    private void ContinueBlock(in FrameHead frame, ReadOnlySpan<byte> content)
    {
        if (Require(frame.Stream == OnlyStream))
            Collect(frame, content);
    }

    private void Collect(in FrameHead frame, ReadOnlySpan<byte> fragment)
    {
        if (_block.WrittenCount + fragment.Length > BlockBytesMax)
        {
            Fail("the answer is too long");
            return;
        }

        _block.Write(fragment);
        _isInBlock = !frame.Has(FrameHead.EndFields);
        if (_isInBlock)
            return;

        var fields = new List<HpackField>();
        if (!_decoder.TryDecode(_block.WrittenSpan, fields) || !_reply.TryTake(fields, _endsStream))
            Break();
        else if (_endsStream)
            Answer = _reply.Judge();
    }

    // §6.1, §6.2: one byte says how much padding there is at the end.
    private static bool TryUnpad(in FrameHead frame, ref ReadOnlySpan<byte> content)
    {
        if (!frame.Has(FrameHead.Padded))
            return true;
        if (content.IsEmpty || content[0] >= content.Length)
            return false;

        content = content[1..^content[0]];
        return true;
    }

    private static uint CodeOf(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes);

    private bool Require(bool isSound)
    {
        if (!isSound)
            Break();
        return isSound;
    }

    private void Break() => Fail("malformed response");

    private void Fail(string reason) => Answer ??= ProbeAnswer.Failed(reason);
}
