using System.Buffers;

namespace PolyBalance.Http;

/// <summary>What a search for the end of a head or trailer section came to.</summary>
internal enum HeadSearchStatus : byte
{
    /// <summary>The whole of it is there.</summary>
    Found,

    /// <summary>It may still become one.</summary>
    NeedMore,

    /// <summary>Whatever follows, it will be refused.</summary>
    Refused,
}

/// <summary>The configured bounds on one head.</summary>
/// <param name="HeadBytesMax">Start line and header section: <c>limits.head</c>. Unit: bytes.</param>
/// <param name="FieldLinesMax">Unit: field lines: <c>limits.fields</c>.</param>
internal readonly record struct HeadLimits(int HeadBytesMax, int FieldLinesMax);

/// <summary>
/// Finds where heads and trailer sections end (on the wire, in any number of segments) and reads them whole (in the
/// bytes that were taken). RFC 9112 §2 to §5. Strict, and nothing about it can be configured but the bounds.
/// </summary>
/// <remarks>
/// A refusal does not depend on where the network cut the bytes: what a search would have refused early, a reading of
/// the whole refuses with the same kind.
/// </remarks>
internal static class HeadParser
{
    private const int MethodBytesMax = 32;
    private const int VersionLength = 9;    // SP HTTP/1.1

    // METHOD SP target SP HTTP/1.1 CR
    private const int RequestLineBytesMax = MethodBytesMax + 1 + Limits.RequestTargetBytesMax + 1 + 8 + 1;

    /// <summary>
    /// Finds the end of a request head. One empty line before it is tolerated and counted. RFC 9112 §2.2.
    /// </summary>
    /// <param name="bytes">From the first byte of the head on, and whatever follows.</param>
    /// <param name="scanned">
    /// How much of <paramref name="bytes"/> earlier calls for this head have seen: 0 at first and again once found.
    /// Keeps the cost of a head that arrives byte by byte linear.
    /// </param>
    /// <param name="limits">The configured bounds.</param>
    /// <param name="length">When found: how many bytes to take, the last empty line included.</param>
    /// <param name="failure">When refused: why.</param>
    public static HeadSearchStatus FindRequestEnd(
        in ReadOnlySequence<byte> bytes, ref long scanned, in HeadLimits limits,
        out int length, out FailureKind failure)
    {
        var start = 0;
        if (RequestHead.StartsWithCarriageReturn(bytes))
        {
            length = 0;
            var status = CheckEmptyLine(bytes, out failure);
            if (status != HeadSearchStatus.Found)
                return status;
            start = 2;
        }

        // What cannot be a method (a TLS handshake, noise) is refused at its first byte instead of being waited for.
        if (bytes.Length > start && !CanBeginMethod(bytes, start))
        {
            length = 0;
            failure = FailureKind.MalformedRequestLine;
            return HeadSearchStatus.Refused;
        }

        var scannedBefore = scanned;
        var found = EmptyLine.Find(bytes, start, limits.HeadBytesMax, EmptyLine.NotAtStart, ref scanned, out length);
        failure = found switch
        {
            EmptyLineSearch.BareLineFeed => FailureKind.BareLineFeed,
            EmptyLineSearch.TooLong => FailureKind.HeadTooLarge,
            _ => FailureKind.None,
        };
        if (found == EmptyLineSearch.Found)
            return HeadSearchStatus.Found;

        // The request line has to end within its own bound. Looked at once: when the search passes the bound.
        var lineBytesMax = LineBytesMax(limits);
        if (scanned - start >= lineBytesMax && scannedBefore - start < lineBytesMax)
        {
            Span<byte> line = stackalloc byte[MethodBytesMax + 1];
            line = line[..Math.Min(line.Length, lineBytesMax)];
            bytes.Slice(start, line.Length).CopyTo(line);
            if (bytes.Slice(start, lineBytesMax).PositionOf((byte)'\r') is null)
                failure = JudgeLongLine(line);
        }

        return failure == FailureKind.None ? HeadSearchStatus.NeedMore : HeadSearchStatus.Refused;
    }

    /// <summary>Whether the byte at the start may begin a method. An LF is the search's business.</summary>
    private static bool CanBeginMethod(in ReadOnlySequence<byte> bytes, int start)
    {
        Span<byte> front = stackalloc byte[1];
        if (bytes.FirstSpan.Length > start)
            front[0] = bytes.FirstSpan[start];
        else
            bytes.Slice(start, 1).CopyTo(front);    // the first segment may be empty

        return front[0] == '\n' || Ascii.IsTokenByte(front[0]);
    }

    /// <summary>Finds the end of a response head. Parameters as in <see cref="FindRequestEnd"/>.</summary>
    /// <remarks>
    /// Every refusal is <see cref="FailureKind.MalformedResponse"/>, here and in <see cref="TryParseResponse"/>.
    /// </remarks>
    public static HeadSearchStatus FindResponseEnd(
        in ReadOnlySequence<byte> bytes, ref long scanned, in HeadLimits limits,
        out int length, out FailureKind failure)
    {
        if (RequestHead.StartsWithCarriageReturn(bytes))
        {
            length = 0;
            failure = FailureKind.MalformedResponse;
            return HeadSearchStatus.Refused;
        }

        var found = EmptyLine.Find(bytes, 0, limits.HeadBytesMax, EmptyLine.NotAtStart, ref scanned, out length);
        return StatusOf(found, FailureKind.MalformedResponse, out failure);
    }

    /// <summary>
    /// Finds the end of a trailer section: of what follows the CRLF of the last chunk. Parameters as in
    /// <see cref="FindRequestEnd"/>; the bound is <see cref="Limits.TrailerBytesMax"/>. RFC 9112 §7.1.2.
    /// </summary>
    /// <remarks>
    /// Every refusal is <see cref="FailureKind.MalformedTrailer"/>, here and in <see cref="TryParseTrailers"/>.
    /// </remarks>
    public static HeadSearchStatus FindTrailerEnd(
        in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure)
    {
        var found = EmptyLine.Find(bytes, 0, Limits.TrailerBytesMax, EmptyLine.MaybeAtStart, ref scanned, out length);
        return StatusOf(found, FailureKind.MalformedTrailer, out failure);
    }

    /// <summary>
    /// Reads a taken request head and checks what RFC 9112 §3 asks of one. Framing is <see cref="BodyFraming"/>'s.
    /// </summary>
    public static bool TryParseRequest(RequestHead head, in HeadLimits limits, out FailureKind failure)
    {
        var bytes = head.Bytes;
        failure = ParseRequestLine(head, bytes, out var at);
        if (failure == FailureKind.None)
            failure = ParseFields(head.Fields, bytes, at, limits.FieldLinesMax);
        if (failure != FailureKind.None)
        {
            failure = Reconsider(failure, bytes, limits);
            return false;
        }

        failure = CheckHost(head);
        if (failure == FailureKind.None)
            failure = CheckExpect(head);
        if (failure != FailureKind.None)
            return false;

        head.Conclude();
        return true;
    }

    /// <summary>Reads a taken response head. RFC 9112 §4.</summary>
    public static bool TryParseResponse(ResponseHead head, in HeadLimits limits, out FailureKind failure)
    {
        var bytes = head.Bytes;
        if (!TryParseStatusLine(head, bytes, out var at)
            || ParseFields(head.Fields, bytes, at, limits.FieldLinesMax) != FailureKind.None)
        {
            failure = FailureKind.MalformedResponse;
            return false;
        }

        failure = FailureKind.None;
        head.Conclude();
        return true;
    }

    /// <summary>Reads a taken trailer section. RFC 9112 §7.1.2.</summary>
    public static bool TryParseTrailers(TrailerSection trailers, out FailureKind failure)
    {
        failure = ParseFields(trailers.Fields, trailers.Bytes, 0, Limits.FieldLinesDefault) == FailureKind.None
            ? FailureKind.None
            : FailureKind.MalformedTrailer;
        return failure == FailureKind.None;
    }

    // ---- where it ends

    private static HeadSearchStatus StatusOf(EmptyLineSearch found, FailureKind whenRefused, out FailureKind failure)
    {
        failure = found is EmptyLineSearch.Found or EmptyLineSearch.NeedMore ? FailureKind.None : whenRefused;
        return found switch
        {
            EmptyLineSearch.Found => HeadSearchStatus.Found,
            EmptyLineSearch.NeedMore => HeadSearchStatus.NeedMore,
            _ => HeadSearchStatus.Refused,
        };
    }

    /// <summary>Looks at bytes that begin with CR: one empty line may precede a request, and only one.</summary>
    private static HeadSearchStatus CheckEmptyLine(in ReadOnlySequence<byte> bytes, out FailureKind failure)
    {
        Span<byte> front = stackalloc byte[3];
        front = front[..(int)Math.Min(bytes.Length, front.Length)];
        bytes.Slice(0, front.Length).CopyTo(front);

        var isRefused = front is [_, not (byte)'\n', ..] or [_, _, (byte)'\r'];
        failure = isRefused ? FailureKind.MalformedRequestLine : FailureKind.None;
        return isRefused ? HeadSearchStatus.Refused
            : front.Length < 3 ? HeadSearchStatus.NeedMore
            : HeadSearchStatus.Found;
    }

    private static int LineBytesMax(in HeadLimits limits) => Math.Min(RequestLineBytesMax, limits.HeadBytesMax);

    /// <summary>What to call a request line that does not end: its target is too long, if it has a method.</summary>
    private static FailureKind JudgeLongLine(ReadOnlySpan<byte> line)
    {
        var methodLength = line[..Math.Min(line.Length, MethodBytesMax + 1)].IndexOf((byte)' ');
        return methodLength > 0 && Ascii.IsToken(line[..methodLength])
            ? FailureKind.TargetTooLong
            : FailureKind.MalformedRequestLine;
    }

    // ---- what it says

    private static FailureKind ParseRequestLine(RequestHead head, ReadOnlySpan<byte> bytes, out int end)
    {
        end = 0;
        var lineLength = bytes.IndexOf((byte)'\r');
        if (lineLength < 0 || !bytes[lineLength..].StartsWith("\r\n"u8))
            return FailureKind.MalformedRequestLine;

        var line = bytes[..lineLength];
        var methodLength = line.IndexOf((byte)' ');
        if (methodLength is < 1 or > MethodBytesMax)
            return FailureKind.MalformedRequestLine;

        var method = RequestMethod.Of(line[..methodLength]);
        if (method.Kind == MethodKind.Other && !Ascii.IsToken(line[..methodLength]))
            return FailureKind.MalformedRequestLine;

        var targetStart = methodLength + 1;
        var targetLength = lineLength - VersionLength - targetStart;
        if (targetLength < 1)
            return FailureKind.MalformedRequestLine;
        if (!TryParseVersion(line[^VersionLength..], out var version, out var failure))
            return failure;
        if (!RequestTarget.TryParse(bytes, targetStart, targetLength, method.Kind, out var target, out failure))
            return failure;

        head.SetRequestLine(methodLength, method, target, version);
        end = lineLength + 2;
        return FailureKind.None;
    }

    // `HTTP` is case-sensitive, and there are exactly two digits: RFC 9112 §2.3.
    private static bool TryParseVersion(ReadOnlySpan<byte> bytes, out ProtocolVersion version, out FailureKind failure)
    {
        version = ProtocolVersion.Http11;
        failure = FailureKind.None;
        if (bytes.SequenceEqual(" HTTP/1.1"u8))
            return true;

        version = ProtocolVersion.Http10;
        if (bytes.SequenceEqual(" HTTP/1.0"u8))
            return true;

        var isWellFormed = bytes.StartsWith(" HTTP/"u8)
            && char.IsAsciiDigit((char)bytes[6]) && bytes[7] == '.' && char.IsAsciiDigit((char)bytes[8]);
        failure = isWellFormed ? FailureKind.UnsupportedVersion : FailureKind.MalformedRequestLine;
        return false;
    }

    private static bool TryParseStatusLine(ResponseHead head, ReadOnlySpan<byte> bytes, out int end)
    {
        end = 0;
        var lineLength = bytes.IndexOf((byte)'\r');
        if (lineLength < 12 || !bytes[lineLength..].StartsWith("\r\n"u8))
            return false;

        var line = bytes[..lineLength];
        var version = line.StartsWith("HTTP/1.1 "u8) ? ProtocolVersion.Http11 : ProtocolVersion.Http10;
        if (version == ProtocolVersion.Http10 && !line.StartsWith("HTTP/1.0 "u8))
            return false;

        // RFC 9110 §15: whatever is beyond 599 counts as a server error, and ours is the 502.
        if (!Ascii.TryParseDecimal(line[9..12], out var status) || status is < 100 or > 599)
            return false;

        // The SP belongs there even without a reason (RFC 9112 §4), but many leave it out and nobody misreads that.
        var reasonStart = Math.Min(13, lineLength);
        if ((lineLength > 12 && line[12] != ' ') || line[reasonStart..].ContainsAny(Ascii.ControlBytes))
            return false;

        head.SetStatusLine(version, (int)status, reasonStart, lineLength - reasonStart);
        end = lineLength + 2;
        return true;
    }

    /// <summary>Reads field lines up to the empty line, which has to be the end of the bytes. RFC 9112 §5.</summary>
    private static FailureKind ParseFields(Fields fields, ReadOnlySpan<byte> bytes, int at, int fieldLinesMax)
    {
        if (!bytes.EndsWith("\r\n"u8))
            return FailureKind.MalformedField;

        var emptyLine = bytes.Length - 2;
        while (at < emptyLine)
        {
            var nameLength = bytes[at..].IndexOfAnyExcept(Ascii.TokenBytes);
            if (nameLength < 1 || bytes[at + nameLength] != ':')
                return FailureKind.MalformedField;      // also a blank before name or colon, and a folded line

            var start = at + nameLength + 1;
            while (Ascii.IsBlank(bytes[start]))
                start++;

            var end = start + bytes[start..].IndexOfAny(Ascii.ControlBytes);
            if (!bytes[end..].StartsWith("\r\n"u8))
                return FailureKind.MalformedField;

            var next = end + 2;
            while (end > start && Ascii.IsBlank(bytes[end - 1]))
                end--;

            var known = KnownFields.Of(bytes.Slice(at, nameLength));
            if (known == KnownField.None && IsDisguisedFraming(bytes.Slice(at, nameLength)))
                return FailureKind.MalformedField;
            if (fields.Count == fieldLinesMax)
                return FailureKind.TooManyFields;

            fields.Add(at, nameLength, start, end - start, next, known);
            at = next;
        }

        return at == emptyLine ? FailureKind.None : FailureKind.MalformedField;
    }

    /// <summary>Whether a CGI-style backend would take the name for a framing field although it is none.</summary>
    private static bool IsDisguisedFraming(ReadOnlySpan<byte> name)
        => name.Length is 14 or 17
            && KnownFields.OfDisguised(name) is KnownField.ContentLength or KnownField.TransferEncoding;

    // RFC 9112 §3.2, and §3.2.2 for the absolute-form. An empty Host is legal there for a target without authority;
    // refused here, because it routes nowhere.
    private static FailureKind CheckHost(RequestHead head)
    {
        var fields = head.Fields;
        if (!fields.Has(KnownField.Host))
            return head.Version == ProtocolVersion.Http11 ? FailureKind.MissingHost : FailureKind.None;
        if (fields.IsRepeated(KnownField.Host))
            return FailureKind.RepeatedHost;

        var host = fields.First(KnownField.Host);
        if (!Authority.IsValid(host))
            return FailureKind.MalformedHost;

        var target = head.Target;
        var isSame = target.Form != TargetForm.Absolute
            || Ascii.EqualsIgnoreCase(host, head.Bytes.Slice(target.AuthorityStart, target.AuthorityLength));
        return isSame ? FailureKind.None : FailureKind.HostMismatch;
    }

    // RFC 9110 §10.1.1: what we do not understand may be refused; an HTTP/1.0 client cannot have meant it.
    private static FailureKind CheckExpect(RequestHead head)
    {
        var fields = head.Fields;
        return head.Version == ProtocolVersion.Http10 || !fields.Has(KnownField.Expect)
            || (!fields.IsRepeated(KnownField.Expect)
                && Ascii.EqualsIgnoreCase(fields.First(KnownField.Expect), "100-continue"u8))
            ? FailureKind.None
            : FailureKind.UnknownExpectation;
    }

    /// <summary>Names a refusal as the search would have named it, had the same bytes come in pieces.</summary>
    private static FailureKind Reconsider(FailureKind failure, ReadOnlySpan<byte> head, in HeadLimits limits)
    {
        var bareLineFeed = -1;
        for (var at = 0; at < head.Length && bareLineFeed < 0; at++)
        {
            if (head[at] == '\n' && (at == 0 || head[at - 1] != '\r'))
                bareLineFeed = at;
        }

        var lineBytesMax = LineBytesMax(limits);
        var lineIsTooLong = head.Length >= lineBytesMax && !head[..lineBytesMax].Contains((byte)'\r');
        if (lineIsTooLong && (bareLineFeed < 0 || bareLineFeed >= lineBytesMax))
            return JudgeLongLine(head);

        return bareLineFeed >= 0 ? FailureKind.BareLineFeed : failure;
    }
}
