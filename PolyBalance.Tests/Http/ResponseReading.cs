using System.Buffers;
using System.Globalization;
using System.Text;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>Reads what a backend sends: interim responses and one final response, and nothing after it.</summary>
/// <param name="answers">The method of the request.</param>
internal class ResponseReading(MethodKind answers) : MessageReading
{
    /// <summary>The last head that was read.</summary>
    public ResponseHead Head { get; } = new();

    /// <summary>Whether the final response has not begun.</summary>
    protected override bool IsWaitingForHead => true;

    /// <inheritdoc/>
    protected override HeadSearchStatus Find(
        in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure)
        => HeadParser.FindResponseEnd(bytes, ref scanned, HeadLimits, out length, out failure);

    /// <inheritdoc/>
    protected override bool TryBegin(in ReadOnlySequence<byte> head, out BodyFraming framing, out FailureKind failure)
    {
        framing = default;
        Head.Take(head);
        if (!HeadParser.TryParseResponse(Head, HeadLimits, out failure)
            || !BodyFraming.TryDecide(Head, answers, out framing, out failure))
        {
            return false;
        }

        OnHead(framing);
        return true;
    }

    /// <summary>Hears of a head that was accepted.</summary>
    protected virtual void OnHead(BodyFraming framing)
    {
        Log.Add("response", Head.Version == ProtocolVersion.Http11 ? "HTTP/1.1 " : "HTTP/1.0 ");
        Log.Append(Encoding.ASCII.GetBytes(Head.Status.ToString(CultureInfo.InvariantCulture)));
        if (!Head.Reason.IsEmpty)
            Log.Append(" "u8);
        Log.Append(Head.Reason);
        LogFields("field", Head.Fields);
        if (!Head.IsInterim)
            LogFraming(framing);
    }

    /// <summary>Whatever is wrong with a response, the client hears that it is malformed.</summary>
    protected override FailureKind NameOf(FailureKind failure) => FailureKind.MalformedResponse;

    /// <inheritdoc/>
    protected override bool OnEnd(bool endsWithConnection)
    {
        if (Head.IsInterim)
        {
            Log.Add(Head.Status == 101 ? "tunnel" : "interim");
            return Head.Status != 101;
        }

        Log.Add("end");
        Log.Add(Head.KeepAlive && !endsWithConnection ? "keep-alive" : "close");
        return false;
    }
}
