using System.Buffers;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>Reads a written message back and remembers what matters of it.</summary>
internal static class RoundTrip
{
    /// <summary>The bounds for what is read back: forwarding adds to a head that may be as large as allowed.</summary>
    public static readonly HeadLimits WidestLimits = new(Limits.HeadBytesMax, Limits.FieldLinesMax);

    private static readonly KnownField[] NeverForwarded =
    [
        KnownField.KeepAlive, KnownField.ProxyConnection, KnownField.ProxyAuthorization, KnownField.ProxyAuthenticate,
        KnownField.ProxyAuthenticationInfo, KnownField.Http2Settings,
    ];

    /// <summary>How many lines a field has.</summary>
    public static int CountOf(Fields fields, KnownField field)
    {
        var count = 0;
        for (var i = 0; i < fields.Count; i++)
            count += fields.Known(i) == field ? 1 : 0;
        return count;
    }

    /// <summary>Nothing is left that was meant for one connection only. RFC 9110 §7.6.1.</summary>
    public static void CheckHopByHop(MessageHead received, MessageHead written, params ReadOnlySpan<string> options)
    {
        foreach (var field in NeverForwarded)
            Assert.That(written.Fields.Has(field), Is.False, field.ToString());

        Assert.That(CountOf(written.Fields, KnownField.Connection), Is.LessThan(2));
        if (written.Fields.Has(KnownField.Connection))
            Assert.That(options.ToArray(), Has.Member(CorpusText.Escape(written.Fields.First(KnownField.Connection))));

        for (var i = 0; i < written.Fields.Count; i++)
        {
            var name = CorpusText.Escape(written.Fields.Name(i));
            var isNominated = written.Fields.Known(i) == KnownField.None
                && !name.StartsWith("content-", StringComparison.OrdinalIgnoreCase)
                && received.Fields.ListContains(KnownField.Connection, written.Fields.Name(i));
            if (isNominated && name is not ("close" or "keep-alive"))
                Assert.Fail($"{name} was nominated by Connection and crossed");
        }
    }

    /// <summary>A body is framed once, and as it should be. RFC 9112 §6.</summary>
    public static void CheckFraming(MessageHead written, BodyFraming framing)
    {
        Assert.That(
            CountOf(written.Fields, KnownField.TransferEncoding), Is.EqualTo(framing.Kind == BodyKind.Chunked ? 1 : 0));
        Assert.That(
            CountOf(written.Fields, KnownField.ContentLength), Is.EqualTo(framing.Kind == BodyKind.Length ? 1 : 0));
    }

    /// <summary>A trailer section has nothing in it that decides about its message. RFC 9110 §6.5.1.</summary>
    public static void CheckTrailers(Fields trailers)
    {
        for (var i = 0; i < trailers.Count; i++)
            Assert.That(trailers.Known(i), Is.AnyOf(KnownField.None, KnownField.AuthenticationInfo));
    }
}

/// <summary>Forwards each request that was read, reads it back, and compares.</summary>
internal sealed class RequestRoundTrip(RequestAdditions additions) : RequestForwarding(additions, PreservedHost)
{
    private readonly Written _written = new() { HeadLimits = RoundTrip.WidestLimits };

    /// <inheritdoc/>
    protected override void OnForwarded(ReadOnlySpan<byte> bytes)
    {
        base.OnForwarded(bytes);
        Corpus.ReadWhole(_written, bytes);

        var written = _written.Head;
        Assert.That(_written.Messages, Is.EqualTo(1), () => string.Join('\n', _written.Log.ToLines()));
        Assert.That(_written.Log.Last, Is.EqualTo("keep-alive"), "nothing follows the message");
        Assert.That(written.MethodToken.SequenceEqual(Head.MethodToken), "method");
        Assert.That(written.TargetBytes.SequenceEqual(Head.TargetBytes), "target");
        Assert.That(written.Version, Is.EqualTo(ProtocolVersion.Http11));
        Assert.That(written.WantsUpgrade, Is.EqualTo(Head.WantsUpgrade));
        Assert.That(written.ExpectsContinue, Is.EqualTo(Head.ExpectsContinue));
        Assert.That(_written.Framing, Is.EqualTo(Framing));
        Assert.That(_written.Content.SequenceEqual(Content), "content");
        if (!Head.Host.IsEmpty)
            Assert.That(written.Host.SequenceEqual(Head.Host), "host");

        RoundTrip.CheckFraming(written, Framing);
        RoundTrip.CheckHopByHop(Head, written, "upgrade", "TE", "upgrade, TE");
        RoundTrip.CheckTrailers(_written.TrailerFields);
        Assert.That(RoundTrip.CountOf(written.Fields, KnownField.XForwardedFor), Is.EqualTo(1));
        Assert.That(RoundTrip.CountOf(written.Fields, KnownField.XRequestId), Is.EqualTo(1));
    }

    private sealed class Written : RequestReading
    {
        private readonly ArrayBufferWriter<byte> _content = new();

        public int Messages { get; private set; }

        public BodyFraming Framing { get; private set; }

        public ReadOnlySpan<byte> Content => _content.WrittenSpan;

        public Fields TrailerFields => Trailers;

        public override void Reset()
        {
            base.Reset();
            Messages = 0;
        }

        protected override void OnHead(BodyFraming framing)
        {
            base.OnHead(framing);
            Framing = framing;
            _content.ResetWrittenCount();
        }

        protected override void OnContent(ReadOnlySpan<byte> content) => _content.Write(content);

        protected override bool OnEnd(bool endsWithConnection)
        {
            Messages++;
            return base.OnEnd(endsWithConnection);
        }
    }
}

/// <summary>Forwards each response that was read, reads it back, and compares.</summary>
internal sealed class ResponseRoundTrip(MethodKind answers, ProtocolVersion client, bool close)
    : ResponseForwarding(answers, client, close)
{
    private readonly Written _written = new(answers) { HeadLimits = RoundTrip.WidestLimits };

    /// <inheritdoc/>
    protected override void OnForwarded(ReadOnlySpan<byte> bytes)
    {
        base.OnForwarded(bytes);
        Corpus.ReadWhole(_written, bytes);

        var written = _written.Head;
        Assert.That(_written.Messages, Is.EqualTo(1), () => string.Join('\n', _written.Log.ToLines()));
        Assert.That(
            _written.Log.Last, Is.AnyOf("keep-alive", "close", "tunnel", "incomplete"), "nothing follows the message");
        Assert.That(_written.Log.Last == "incomplete", Is.EqualTo(Head.IsInterim && Head.Status != 101));
        Assert.That(written.Status, Is.EqualTo(Head.Status));
        Assert.That(written.Reason.SequenceEqual(Head.Reason), "reason");
        Assert.That(written.Version, Is.EqualTo(ProtocolVersion.Http11));
        Assert.That(_written.Framing, Is.EqualTo(Framing));
        Assert.That(_written.Content.SequenceEqual(Content), "content");

        RoundTrip.CheckHopByHop(Head, written, "close", "keep-alive", "upgrade");
        RoundTrip.CheckTrailers(_written.TrailerFields);
        if (Framing.Kind != BodyKind.None || Head.IsInterim || Head.Status == 204)
            RoundTrip.CheckFraming(written, Framing);
        else
            Assert.That(written.Fields.Has(KnownField.TransferEncoding), Is.False, "a coding without a body");
        if (!Head.IsInterim)
            Assert.That(RoundTrip.CountOf(written.Fields, KnownField.XRequestId), Is.EqualTo(1));
    }

    private sealed class Written(MethodKind answers) : ResponseReading(answers)
    {
        private readonly ArrayBufferWriter<byte> _content = new();

        public int Messages { get; private set; }

        public BodyFraming Framing { get; private set; }

        public ReadOnlySpan<byte> Content => _content.WrittenSpan;

        public Fields TrailerFields => Trailers;

        public override void Reset()
        {
            base.Reset();
            Messages = 0;
        }

        protected override void OnHead(BodyFraming framing)
        {
            base.OnHead(framing);
            Framing = framing;
            _content.ResetWrittenCount();
        }

        protected override void OnContent(ReadOnlySpan<byte> content) => _content.Write(content);

        protected override bool OnEnd(bool endsWithConnection)
        {
            Messages++;
            return base.OnEnd(endsWithConnection);
        }
    }
}
