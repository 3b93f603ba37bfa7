namespace PolyBalance.Http;

/// <summary>
/// Which field lines of a message cross the gateway. What is added instead, <see cref="HeadWriter"/> knows. RFC 9110
/// §7.6.
/// </summary>
/// <remarks>
/// Marking is additive: a line that somebody dropped before stays dropped, and marking twice is the same as once.
/// </remarks>
internal static class Forwarding
{
    // A Connection that names more fields than this is taken to name every field: comparing each
    // name with each line would let a head of 32 KiB cost milliseconds.
    private const int NominationsMax = 64;

    // Hop-by-hop both ways (§7.6.1), or written by the gateway itself in any case. Trailer, Expect,
    // Max-Forwards and the X-Forwarded-* depend on the message.
    private static readonly ulong AlwaysDropped = Set(
        KnownField.Connection, KnownField.KeepAlive, KnownField.ProxyConnection, KnownField.Te, KnownField.Upgrade,
        KnownField.TransferEncoding, KnownField.ContentLength, KnownField.Http2Settings, KnownField.XRequestId,
        KnownField.XPolyBalance,
        KnownField.ProxyAuthorization, KnownField.ProxyAuthenticate, KnownField.ProxyAuthenticationInfo);

    private static readonly ulong Claims = Set(
        KnownField.XForwardedFor, KnownField.XForwardedProto, KnownField.XForwardedHost, KnownField.Forwarded);

    /// <summary>Marks the lines of a request that do not cross to the backend.</summary>
    /// <param name="head">The request's head.</param>
    /// <param name="trustClient">
    /// Whether <c>X-Forwarded-Proto</c>, <c>-Host</c> and <c>Forwarded</c> are kept. <c>X-Forwarded-For</c> is marked
    /// even then, because it is written anew with one more element.
    /// </param>
    public static void MarkRequest(RequestHead head, bool trustClient)
    {
        var fields = head.Fields;
        var dropped = AlwaysDropped | Bit(KnownField.XForwardedFor);
        if (!trustClient)
            dropped |= Claims;
        if (!head.ExpectsContinue)
            dropped |= Bit(KnownField.Expect);
        if (!fields.Has(KnownField.TransferEncoding))
            dropped |= Bit(KnownField.Trailer);
        if (TryDecrementMaxForwards(head, out _))
            dropped |= Bit(KnownField.MaxForwards);

        Mark(head, dropped, alsoDisguised: dropped | Claims);
    }

    /// <summary>Marks the lines of a response that do not cross to the client.</summary>
    /// <param name="head">The response's head, final or interim.</param>
    /// <param name="framing">
    /// The framing towards the client: only a chunked body has a trailer section to announce.
    /// </param>
    public static void MarkResponse(ResponseHead head, BodyFraming framing)
    {
        var dropped = AlwaysDropped;
        if (framing.Kind != BodyKind.Chunked)
            dropped |= Bit(KnownField.Trailer);

        Mark(head, dropped, alsoDisguised: 0);
    }

    /// <summary>Marks the trailer fields that the Connection field of their message names. RFC 9110 §7.6.1.</summary>
    public static void MarkTrailers(Fields trailers, MessageHead head) => DropNominated(head, trailers);

    /// <summary>Whether a trailer field may cross. RFC 9110 §6.5.1.</summary>
    /// <remarks>
    /// Every field that we know by name decides about framing, routing, authentication, caching or the content, and
    /// means something only before the content. Authentication-Info says of itself that it does not (§11.6.3); what
    /// trailer sections say of traces means nothing to us.
    /// </remarks>
    public static bool IsTrailerPermitted(Fields trailers, int index) => trailers.Known(index) switch
    {
        KnownField.None => KnownFields.OfDisguised(trailers.Name(index)) == KnownField.None,
        KnownField.AuthenticationInfo or KnownField.TraceParent or KnownField.TraceState => true,
        _ => false,
    };

    /// <summary>What <c>Max-Forwards</c> says to the next recipient. RFC 9110 §7.6.2.</summary>
    /// <returns>
    /// False when the field does not count for this method, is absent, is no number or is 0. A request with 0 is not
    /// forwarded at all, which is the caller's part; everything else crosses as it is.
    /// </returns>
    public static bool TryDecrementMaxForwards(RequestHead head, out long left)
    {
        left = 0;
        if (head.Method.Kind is not (MethodKind.Options or MethodKind.Trace))
            return false;
        if (!Ascii.TryParseDecimal(head.Fields.First(KnownField.MaxForwards), out left) || left == 0)
            return false;

        left--;
        return true;
    }

    private static void Mark(MessageHead head, ulong dropped, ulong alsoDisguised)
    {
        var fields = head.Fields;
        for (var i = 0; i < fields.Count; i++)
        {
            var known = fields.Known(i);

            // To some backends `_` and `-` are the same: X_Forwarded_For must not get past us either.
            var isDropped = known == KnownField.None && alsoDisguised != 0
                ? (Bit(KnownFields.OfDisguised(fields.Name(i))) & alsoDisguised) != 0
                : (Bit(known) & dropped) != 0;
            if (isDropped)
                fields.Drop(i);
        }

        if (fields.Has(KnownField.Connection))
            DropNominated(head, fields);
    }

    /// <summary>
    /// Drops what the Connection lines of a head name, in its own fields or in the trailer section of the same message.
    /// </summary>
    /// <remarks>
    /// Only fields that we do not know can be named away, and those that say where a trace comes from, which mean
    /// nothing to the message. The other known ones are dropped by rule or are meant for every
    /// recipient, for whom §7.6.1 forbids to name them; honouring that would let a client take Host, Cookie or the
    /// fields that backends trust out of its request. The same holds for all Content-* fields.
    /// </remarks>
    private static void DropNominated(MessageHead head, Fields section)
    {
        var fields = head.Fields;
        var left = NominationsMax;
        for (var i = fields.IndexOf(KnownField.Connection); i >= 0 && i < fields.Count; i++)
        {
            if (fields.Known(i) != KnownField.Connection)
                continue;

            var options = fields.Value(i);
            while (Ascii.TryTakeElement(ref options, out var option))
            {
                if (IsOwnOption(option))
                    continue;
                if (left-- == 0)
                {
                    DropNamed(section, default);
                    return;
                }

                DropNamed(section, option);
            }
        }
    }

    // The options that every client sends name no field, or one that is dropped anyway.
    private static bool IsOwnOption(ReadOnlySpan<byte> option) => option.Length switch
    {
        2 => Ascii.EqualsIgnoreCase(option, "te"u8),
        5 => Ascii.EqualsIgnoreCase(option, "close"u8),
        7 => Ascii.EqualsIgnoreCase(option, "upgrade"u8),
        10 => Ascii.EqualsIgnoreCase(option, "keep-alive"u8),
        _ => false,
    };

    // An empty name stands for all names.
    private static void DropNamed(Fields section, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < section.Count; i++)
        {
            if (section.Known(i) is not (KnownField.None or KnownField.TraceParent or KnownField.TraceState))
                continue;

            var candidate = section.Name(i);
            if ((name.IsEmpty || Ascii.EqualsIgnoreCase(candidate, name)) && !IsContentField(candidate))
                section.Drop(i);
        }
    }

    private static bool IsContentField(ReadOnlySpan<byte> name)
        => name.Length > 8 && Ascii.EqualsIgnoreCase(name[..8], "content-"u8);

    private static ulong Set(params ReadOnlySpan<KnownField> fields)
    {
        var set = 0UL;
        foreach (var field in fields)
            set |= Bit(field);
        return set;
    }

    private static ulong Bit(KnownField field) => 1UL << (int)field;
}
