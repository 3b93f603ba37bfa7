namespace PolyBalance.Http;

/// <summary>
/// The fields that PolyBalance acts on; everything else crosses unread. At most 63, so that a set of them fits a word.
/// </summary>
/// <remarks>A new one needs a member here and its name at the same place in <see cref="KnownFields"/>.</remarks>
internal enum KnownField : byte
{
    /// <summary>A field that we do not act on.</summary>
    None,

    // Framing and connection: RFC 9112, RFC 9110 §7.6 to §7.8.

    /// <summary>RFC 9110 §7.6.1.</summary>
    Connection,

    /// <summary>RFC 9110 §8.6.</summary>
    ContentLength,

    /// <summary>RFC 9112 §6.1.</summary>
    TransferEncoding,

    /// <summary>RFC 9110 §7.2.</summary>
    Host,

    /// <summary>RFC 9110 §10.1.1.</summary>
    Expect,

    /// <summary>RFC 9110 §7.8.</summary>
    Upgrade,

    /// <summary>RFC 9110 §10.1.4.</summary>
    Te,

    /// <summary>RFC 9110 §6.6.2.</summary>
    Trailer,

    /// <summary>RFC 9110 §7.6.3.</summary>
    Via,

    /// <summary>Parameters of an HTTP/1.0 persistent connection; hop-by-hop. RFC 9110 §7.6.1.</summary>
    KeepAlive,

    /// <summary>What some clients send for Connection; hop-by-hop. RFC 9110 §7.6.1.</summary>
    ProxyConnection,

    /// <summary>RFC 9110 §11.7.2.</summary>
    ProxyAuthorization,

    /// <summary>RFC 9110 §11.7.1.</summary>
    ProxyAuthenticate,

    /// <summary>RFC 9110 §11.7.3.</summary>
    ProxyAuthenticationInfo,

    /// <summary>Goes with the withdrawn <c>Upgrade: h2c</c>; hop-by-hop. RFC 7540 §3.2.1.</summary>
    Http2Settings,

    /// <summary>RFC 9110 §7.6.2.</summary>
    MaxForwards,

    // Who asked, and for which exchange.

    /// <summary>The addresses a request came through, nearest last.</summary>
    XForwardedFor,

    /// <summary>The scheme that the first client used.</summary>
    XForwardedProto,

    /// <summary>The Host that the first client asked for.</summary>
    XForwardedHost,

    /// <summary>RFC 7239 §4.</summary>
    Forwarded,

    /// <summary>One name for an exchange across all that handle it.</summary>
    XRequestId,

    /// <summary>Where in which trace a request comes from. W3C Trace Context §3.2.</summary>
    TraceParent,

    /// <summary>What each of those who trace wants to find again. W3C Trace Context §3.3.</summary>
    TraceState,

    /// <summary>What a backend tells us about itself: <see cref="BackendSignal"/>.</summary>
    XPolyBalance,

    /// <summary>Says that a POST may be sent twice.</summary>
    IdempotencyKey,

    /// <summary>RFC 6265 §4.2.</summary>
    Cookie,

    /// <summary>RFC 6265 §4.1.</summary>
    SetCookie,

    /// <summary>RFC 9110 §6.6.1.</summary>
    Date,

    /// <summary>RFC 9110 §10.2.3.</summary>
    RetryAfter,

    // What means something only before the content, so that a trailer section may not carry it. RFC 9110 §6.5.1.

    /// <summary>RFC 9110 §11.6.2.</summary>
    Authorization,

    /// <summary>RFC 9110 §11.6.1.</summary>
    WwwAuthenticate,

    /// <summary>RFC 9110 §11.6.3.</summary>
    AuthenticationInfo,

    /// <summary>RFC 9111 §5.1.</summary>
    Age,

    /// <summary>RFC 9111 §5.2.</summary>
    CacheControl,

    /// <summary>RFC 9111 §5.3.</summary>
    Expires,

    /// <summary>RFC 9111 §5.4.</summary>
    Pragma,

    /// <summary>RFC 9110 §10.2.2.</summary>
    Location,

    /// <summary>RFC 9110 §12.5.5.</summary>
    Vary,

    /// <summary>RFC 9111 §5.5.</summary>
    Warning,

    /// <summary>RFC 9110 §8.4.</summary>
    ContentEncoding,

    /// <summary>RFC 9110 §8.3.</summary>
    ContentType,

    /// <summary>RFC 9110 §14.4.</summary>
    ContentRange,

    /// <summary>RFC 9110 §14.2.</summary>
    Range,

    /// <summary>RFC 9110 §13.1.1.</summary>
    IfMatch,

    /// <summary>RFC 9110 §13.1.2.</summary>
    IfNoneMatch,

    /// <summary>RFC 9110 §13.1.3.</summary>
    IfModifiedSince,

    /// <summary>RFC 9110 §13.1.4.</summary>
    IfUnmodifiedSince,

    /// <summary>RFC 9110 §13.1.5.</summary>
    IfRange,

    /// <summary>RFC 9110 §10.1.3.</summary>
    Referer,

    /// <summary>RFC 9110 §10.1.5.</summary>
    UserAgent,
}

/// <summary>Recognises field names.</summary>
internal static class KnownFields
{
    // In the order of the enum; None has no name.
    private static readonly byte[][] Names =
    [
        [], .. Bytes(
        "Connection", "Content-Length", "Transfer-Encoding", "Host", "Expect", "Upgrade", "TE", "Trailer", "Via",
        "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Authentication-Info",
        "HTTP2-Settings", "Max-Forwards",
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Request-Id",
        "traceparent", "tracestate", "X-PolyBalance",
        "Idempotency-Key",
        "Cookie", "Set-Cookie", "Date", "Retry-After",
        "Authorization", "WWW-Authenticate", "Authentication-Info", "Age", "Cache-Control", "Expires", "Pragma",
        "Location", "Vary", "Warning", "Content-Encoding", "Content-Type", "Content-Range", "Range",
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range",
        "Referer", "User-Agent"),
    ];

    private static readonly byte[] Slots = BuildSlots();

    private const int LongestName = 25;

    /// <summary>How many members the enum has, <see cref="KnownField.None"/> included.</summary>
    public static int Count => Names.Length;

    /// <summary>The usual spelling of a known field's name; empty for <see cref="KnownField.None"/>.</summary>
    public static ReadOnlySpan<byte> NameOf(KnownField field) => Names[(int)field];

    /// <summary>Recognises a field name in any case. RFC 9110 §5.1.</summary>
    public static KnownField Of(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
            return KnownField.None;

        // Most names that are not known meet an empty slot and are never compared with anything.
        for (var slot = SlotOf(name); Slots[slot] != 0; slot = (slot + 1) & (Slots.Length - 1))
        {
            var candidate = Names[Slots[slot]];
            if (candidate.Length == name.Length && Ascii.EqualsIgnoreCase(candidate, name))
                return (KnownField)Slots[slot];
        }

        return KnownField.None;
    }

    /// <summary>
    /// The known field that a CGI-style recipient, to which <c>_</c> and <c>-</c> are the same, would take this name
    /// for although it is another one to us: <c>Content_Length</c>, <c>X_Forwarded-For</c>.
    /// </summary>
    public static KnownField OfDisguised(ReadOnlySpan<byte> name)
    {
        if (name.Length > LongestName || !name.Contains((byte)'_'))
            return KnownField.None;

        Span<byte> plain = stackalloc byte[LongestName];
        plain = plain[..name.Length];
        name.Replace(plain, (byte)'_', (byte)'-');
        return Of(plain);
    }

    private static int SlotOf(ReadOnlySpan<byte> name)
        => ((name[0] | 0x20) * 7 + (name[^1] | 0x20) * 3 + name.Length * 37) & 255;

    private static byte[] BuildSlots()
    {
        var slots = new byte[256];
        for (var field = 1; field < Names.Length; field++)
        {
            var slot = SlotOf(Names[field]);
            while (slots[slot] != 0)
                slot = (slot + 1) & (slots.Length - 1);
            slots[slot] = (byte)field;
        }

        return slots;
    }

    private static byte[][] Bytes(params string[] names)
        => Array.ConvertAll(names, System.Text.Encoding.ASCII.GetBytes);
}
