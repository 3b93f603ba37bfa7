namespace PolyBalance.Http;

/// <summary>The four ways to write a request target. RFC 9112 §3.2.</summary>
internal enum TargetForm : byte
{
    /// <summary><c>/path?query</c>. RFC 9112 §3.2.1.</summary>
    Origin,

    /// <summary><c>http://authority/path?query</c>. RFC 9112 §3.2.2.</summary>
    Absolute,

    /// <summary><c>host:port</c>, for CONNECT, which we refuse. RFC 9112 §3.2.3.</summary>
    Authority,

    /// <summary><c>*</c>, for OPTIONS. RFC 9112 §3.2.4.</summary>
    Asterisk,
}

/// <summary>
/// Where the parts of a request target lie in the head's bytes. The target itself is forwarded byte for byte; the parts
/// are for routing.
/// </summary>
/// <param name="Form">How it is written.</param>
/// <param name="Start">Offset of the target.</param>
/// <param name="Length">Length of the target. Unit: bytes.</param>
/// <param name="AuthorityStart">Offset of the authority; absolute-form only.</param>
/// <param name="AuthorityLength">Length of the authority, 0 in every other form. Unit: bytes.</param>
/// <param name="PathStart">Offset of the path: of the <c>*</c> in the asterisk-form.</param>
/// <param name="PathLength">Length of the path, 0 for an absolute-form that has none. Unit: bytes.</param>
/// <param name="QueryStart">Offset of the query, its <c>?</c> not included.</param>
/// <param name="QueryLength">Length of the query, 0 when there is none. Unit: bytes.</param>
internal readonly record struct RequestTarget(
    TargetForm Form,
    ushort Start, ushort Length,
    ushort AuthorityStart, ushort AuthorityLength,
    ushort PathStart, ushort PathLength,
    ushort QueryStart, ushort QueryLength)
{
    /// <summary>Recognises the form and finds the parts, or says why we refuse it.</summary>
    /// <remarks>
    /// Percent-encodings are checked and never decoded. A backslash is refused: some recipients read it as a slash.
    /// The other bytes that RFC 3986 leaves out (<c>"</c>, <c>{</c>, <c>|</c> …) are common in queries, and all read
    /// them alike.
    /// </remarks>
    public static bool TryParse(
        ReadOnlySpan<byte> head, int start, int length, MethodKind method,
        out RequestTarget target, out FailureKind failure)
    {
        target = default;
        failure = FindFailure(head.Slice(start, length));
        if (failure != FailureKind.None)
            return false;

        if (method == MethodKind.Connect)
        {
            failure = FailureKind.ConnectNotSupported;
            return false;
        }

        var isValid = head[start] switch
        {
            (byte)'/' => SetParts(TargetForm.Origin, head, start, length, start, authorityStart: 0, out target),
            (byte)'*' => SetAsterisk(start, length, method, out target),
            _ => TrySetAbsolute(head, start, length, out target),
        };
        failure = isValid ? FailureKind.None : FailureKind.MalformedTarget;
        return isValid;
    }

    private static FailureKind FindFailure(ReadOnlySpan<byte> target)
    {
        if (target.IsEmpty)
            return FailureKind.MalformedRequestLine;
        if (target.Length > Limits.RequestTargetBytesMax)
            return FailureKind.TargetTooLong;

        for (var rest = target; ;)
        {
            var special = rest.IndexOfAnyExcept(Ascii.TargetBytes);
            if (special < 0)
                return FailureKind.None;

            rest = rest[special..];
            if (Ascii.IsBlank(rest[0]))
                return FailureKind.MalformedRequestLine;    // a third blank in the line, not a fault of the target
            if (!Ascii.StartsWithPercentEncoding(rest))
                return FailureKind.MalformedTarget;

            rest = rest[3..];
        }
    }

    private static bool SetAsterisk(int start, int length, MethodKind method, out RequestTarget target)
    {
        target = new RequestTarget(TargetForm.Asterisk, (ushort)start, 1, 0, 0, (ushort)start, 1, 0, 0);
        return length == 1 && method == MethodKind.Options;
    }

    private static bool TrySetAbsolute(ReadOnlySpan<byte> head, int start, int length, out RequestTarget target)
    {
        target = default;
        var whole = head.Slice(start, length);
        var colon = whole.IndexOf((byte)':');
        if (colon < 0 || !whole[colon..].StartsWith("://"u8)
            || !(Ascii.EqualsIgnoreCase(whole[..colon], "http"u8) || Ascii.EqualsIgnoreCase(whole[..colon], "https"u8)))
        {
            return false;
        }

        var authority = whole[(colon + 3)..];
        var authorityEnd = authority.IndexOfAny((byte)'/', (byte)'?');
        if (authorityEnd >= 0)
            authority = authority[..authorityEnd];

        var authorityStart = start + colon + 3;
        var pathStart = authorityStart + authority.Length;
        return Http.Authority.IsValid(authority)
            && SetParts(TargetForm.Absolute, head, start, length, pathStart, authorityStart, out target);
    }

    private static bool SetParts(
        TargetForm form, ReadOnlySpan<byte> head, int start, int length, int pathStart, int authorityStart,
        out RequestTarget target)
    {
        var end = start + length;
        var question = head[pathStart..end].IndexOf((byte)'?');
        var pathEnd = question < 0 ? end : pathStart + question;
        var queryStart = question < 0 ? end : pathEnd + 1;
        target = new RequestTarget(
            form,
            (ushort)start, (ushort)length,
            (ushort)authorityStart, (ushort)(authorityStart == 0 ? 0 : pathStart - authorityStart),
            (ushort)pathStart, (ushort)(pathEnd - pathStart),
            (ushort)queryStart, (ushort)(end - queryStart));
        return true;
    }
}
