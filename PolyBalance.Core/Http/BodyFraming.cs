namespace PolyBalance.Http;

/// <summary>How the recipient finds the end of a message body. RFC 9112 §6.3.</summary>
internal enum BodyKind : byte
{
    /// <summary>There is no body.</summary>
    None,

    /// <summary>So many bytes as Content-Length says; may be none.</summary>
    Length,

    /// <summary>The chunked transfer coding. RFC 9112 §7.1.</summary>
    Chunked,

    /// <summary>Everything until the connection ends; responses only.</summary>
    UntilClose,
}

/// <summary>
/// The framing of one message body: decided once, from the head alone, and never revised. RFC 9112 §6.3; the rule
/// numbers below are the RFC's.
/// </summary>
/// <param name="Kind">How the end is found.</param>
/// <param name="Length">For <see cref="BodyKind.Length"/>: the content. Unit: bytes.</param>
internal readonly record struct BodyFraming(BodyKind Kind, long Length = 0)
{
    /// <summary>Decides the framing of a request body, or names the reason to refuse the request.</summary>
    /// <remarks>
    /// A gateway has no safe guess here. A request whose end two recipients could place differently is refused, never
    /// repaired (RFC 9112 §11.2, request smuggling).
    /// </remarks>
    public static bool TryDecide(RequestHead request, out BodyFraming framing, out FailureKind failure)
        => TryDecide(request, new BodyFraming(BodyKind.None), out framing, out failure);     // rule 7

    /// <summary>Decides the framing of a response body, or says that the response is malformed.</summary>
    /// <param name="response">The parsed head.</param>
    /// <param name="requestMethod">The method that the response answers.</param>
    /// <param name="framing">The decision.</param>
    /// <param name="failure">Always <see cref="FailureKind.MalformedResponse"/> when there is none.</param>
    /// <remarks>
    /// Fields that a 1xx or 204 may not have are ignored there and not forwarded (RFC 9110 §8.6, RFC 9112 §6.1); on an
    /// answer to HEAD and on a 304 they describe another response and have to be as valid as there.
    /// </remarks>
    public static bool TryDecide(
        ResponseHead response, MethodKind requestMethod, out BodyFraming framing, out FailureKind failure)
    {
        failure = FailureKind.None;

        // Rule 1, first half.
        framing = new BodyFraming(BodyKind.None);
        if (response.IsInterim || response.Status == 204)
            return true;

        // Rule 2 is about CONNECT, which is never forwarded. Rule 8: without a length it ends with the connection.
        if (!TryDecide(response, new BodyFraming(BodyKind.UntilClose), out framing, out failure))
        {
            failure = FailureKind.MalformedResponse;
            return false;
        }

        // Rule 1, second half.
        if (requestMethod == MethodKind.Head || response.Status == 304)
            framing = new BodyFraming(BodyKind.None);
        return true;
    }

    /// <summary>How the same content is framed on the way to the client.</summary>
    /// <param name="fromBackend">How the backend framed it.</param>
    /// <param name="client">What the client speaks: HTTP/1.0 knows no chunks.</param>
    public static BodyFraming ForClient(BodyFraming fromBackend, ProtocolVersion client) => fromBackend.Kind switch
    {
        BodyKind.Chunked or BodyKind.UntilClose when client == ProtocolVersion.Http11 => new(BodyKind.Chunked),
        BodyKind.Chunked => new(BodyKind.UntilClose),
        _ => fromBackend,
    };

    private static bool TryDecide(
        MessageHead head, BodyFraming withoutFields, out BodyFraming framing, out FailureKind failure)
    {
        framing = default;
        failure = FailureKind.None;
        var fields = head.Fields;

        if (fields.Has(KnownField.TransferEncoding))
        {
            // Rule 3 lets a gateway drop Content-Length and go on; we do not. HTTP/1.0 has no transfer codings, so
            // another recipient may not see this one (RFC 9112 §6.1). Two lines are two statements.
            if (fields.Has(KnownField.ContentLength) || head.Version == ProtocolVersion.Http10
                || fields.IsRepeated(KnownField.TransferEncoding))
            {
                failure = FailureKind.AmbiguousLength;
            }
            else
            {
                failure = JudgeCodings(fields.First(KnownField.TransferEncoding));
            }

            framing = new BodyFraming(BodyKind.Chunked);
        }
        else if (fields.Has(KnownField.ContentLength))
        {
            // Rules 5 and 6. Repeated fields are refused even when they agree.
            if (fields.IsRepeated(KnownField.ContentLength)
                || !Ascii.TryParseDecimal(fields.First(KnownField.ContentLength), out var length))
            {
                failure = FailureKind.InvalidContentLength;
            }
            else
            {
                framing = new BodyFraming(BodyKind.Length, length);
            }
        }
        else
        {
            framing = withoutFields;
        }

        if (failure == FailureKind.None)
            return true;

        framing = default;
        return false;
    }

    /// <summary>Rule 4, and RFC 9112 §6.1: <c>chunked</c> alone, in any case, is what we understand.</summary>
    private static FailureKind JudgeCodings(ReadOnlySpan<byte> codings)
    {
        if (Ascii.EqualsIgnoreCase(codings, "chunked"u8))
            return FailureKind.None;

        var comma = codings.LastIndexOf((byte)',');
        if (!Ascii.EqualsIgnoreCase(Ascii.TrimBlanks(codings[(comma + 1)..]), "chunked"u8))
            return FailureKind.ChunkedNotFinal;

        // Chunked twice, or an empty element, which some recipients take for the end of the list.
        for (var before = codings[..comma]; ;)
        {
            comma = before.IndexOf((byte)',');
            var coding = Ascii.TrimBlanks(comma < 0 ? before : before[..comma]);
            if (coding.IsEmpty || Ascii.EqualsIgnoreCase(coding, "chunked"u8))
                return FailureKind.AmbiguousLength;
            if (comma < 0)
                return FailureKind.UnknownTransferCoding;
            before = before[(comma + 1)..];
        }
    }
}
