using System.Buffers;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>Reads what a client sends: requests, one after the other.</summary>
internal class RequestReading : MessageReading
{
    /// <summary>The last head that was read.</summary>
    public RequestHead Head { get; } = new();

    /// <inheritdoc/>
    protected override HeadSearchStatus Find(
        in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure)
        => HeadParser.FindRequestEnd(bytes, ref scanned, HeadLimits, out length, out failure);

    /// <inheritdoc/>
    protected override bool TryBegin(in ReadOnlySequence<byte> head, out BodyFraming framing, out FailureKind failure)
    {
        framing = default;
        Head.Take(head);
        if (!HeadParser.TryParseRequest(Head, HeadLimits, out failure)
            || !BodyFraming.TryDecide(Head, out framing, out failure))
        {
            return false;
        }

        OnHead(framing);
        return true;
    }

    /// <summary>Hears of a head that was accepted.</summary>
    protected virtual void OnHead(BodyFraming framing)
    {
        Log.Add("request", Head.MethodToken);
        Log.Append(" "u8);
        Log.Append(Head.TargetBytes);
        Log.Append(Head.Version == ProtocolVersion.Http11 ? " HTTP/1.1"u8 : " HTTP/1.0"u8);
        LogFields("field", Head.Fields);

        if (!Head.Path.SequenceEqual(Head.TargetBytes))
            Log.Add("path", Head.Path);
        if (!Head.Query.IsEmpty)
            Log.Add("query", Head.Query);
        if (!Head.Host.SequenceEqual(Head.Fields.First(KnownField.Host)))
            Log.Add("host", Head.Host);
        if (Head.ExpectsContinue)
            Log.Add("expects 100-continue");
        if (Head.WantsUpgrade)
            Log.Add("upgrade", Head.UpgradeProtocol);
        LogFraming(framing);
    }

    /// <inheritdoc/>
    protected override FailureKind NameOf(FailureKind failure) => failure;

    /// <inheritdoc/>
    protected override bool OnEnd(bool endsWithConnection)
    {
        Log.Add("end");
        Log.Add(Head.KeepAlive ? "keep-alive" : "close");
        return Head.KeepAlive;
    }
}
