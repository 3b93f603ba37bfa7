using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;

namespace PolyBalance.Http;

/// <summary>
/// Writes heads as they leave the gateway: hop-by-hop fields stripped first, then ours added, framing always our own.
/// RFC 9110 §7.6.
/// </summary>
/// <remarks>
/// On the path of every exchange: one buffer per head, whole runs of kept lines in one copy, nothing allocated. The
/// same head may be written again for another attempt.
/// </remarks>
internal static class HeadWriter
{
    // Above the sum of everything constant that one head can get, numbers included.
    private const int ConstantBytesMax = 512;

    // A host name has at most 253 characters. A longer one is legal to send, but not worth a second copy.
    private const int ForwardedHostBytesMax = 255;

    /// <summary>Writes a client's request head for a backend.</summary>
    /// <param name="head">The parsed head; <see cref="Forwarding.MarkRequest"/> is applied to it here.</param>
    /// <param name="additions">Those of the client's connection.</param>
    /// <param name="host">
    /// What Host says. A client of HTTP/1.0 may have sent none, the backend gets one in any case.
    /// </param>
    /// <param name="requestId">The exchange's id: a token.</param>
    /// <param name="framing">How the body will be framed.</param>
    /// <param name="upgrade">Whether <see cref="RequestHead.UpgradeProtocol"/> is asked for.</param>
    /// <param name="lines">Whole field lines of the gateway's own, each with its CRLF; may be empty.</param>
    /// <param name="output">Where the head goes.</param>
    public static void WriteRequest(
        RequestHead head, RequestAdditions additions, in HostRule host, ReadOnlySpan<byte> requestId,
        BodyFraming framing, bool upgrade, ReadOnlySpan<byte> lines, IBufferWriter<byte> output)
    {
        Forwarding.MarkRequest(head, additions.TrustsClient);

        var fields = head.Fields;
        var bytesMax = head.Bytes.Length + 2 * head.Host.Length + host.Value.Length
            + additions.BytesMax + requestId.Length + lines.Length + ConstantBytesMax;
        var cursor = new Cursor(output.GetSpan(bytesMax));

        cursor.Append(head.MethodToken);
        cursor.Append((byte)' ');
        AppendTarget(ref cursor, head, host);
        cursor.Append(" HTTP/1.1\r\n"u8);

        var replacesHost = !host.IsPreserved || !fields.Has(KnownField.Host);
        if (replacesHost)
            cursor.AppendLine("Host: "u8, host.IsPreserved && !head.Host.IsEmpty ? head.Host : host.Value.Span);
        AppendKept(ref cursor, fields, except: replacesHost ? fields.IndexOf(KnownField.Host) : -1);

        AppendClaims(ref cursor, head, additions);
        cursor.Append(head.Version == ProtocolVersion.Http11
            ? "Via: 1.1 polybalance\r\n"u8
            : "Via: 1.0 polybalance\r\n"u8);
        cursor.AppendLine("X-Request-Id: "u8, requestId);
        cursor.Append(lines);

        if (Forwarding.TryDecrementMaxForwards(head, out var forwardsLeft))
            cursor.AppendLine("Max-Forwards: "u8, forwardsLeft);
        AppendConnection(ref cursor, head, upgrade);
        AppendFraming(ref cursor, framing);
        cursor.Append("\r\n"u8);

        output.Advance(cursor.Written);
    }

    // Byte for byte, with one exception: a recipient takes the host from an absolute-form and ignores Host (RFC 9112
    // §3.2.2), so where Host is rewritten the target goes out in origin-form (§3.2.1), or as `*` (§3.2.4).
    private static void AppendTarget(ref Cursor cursor, RequestHead head, in HostRule host)
    {
        var target = head.Target;
        if (host.IsPreserved || target.Form != TargetForm.Absolute)
        {
            cursor.Append(head.TargetBytes);
            return;
        }

        var rest = head.TargetBytes[(target.AuthorityStart + target.AuthorityLength - target.Start)..];
        if (rest.IsEmpty && head.Method.Kind == MethodKind.Options)
            cursor.Append((byte)'*');
        else if (rest.IsEmpty || rest[0] == (byte)'?')
            cursor.Append((byte)'/');
        cursor.Append(rest);
    }

    /// <summary>Writes a backend's final response head, or its 101, for the client.</summary>
    /// <param name="head">The parsed head; <see cref="Forwarding.MarkResponse"/> is applied to it here.</param>
    /// <param name="framing">
    /// How the body will be framed towards the client: <see cref="BodyFraming.ForClient"/>.
    /// </param>
    /// <param name="client">What the client speaks.</param>
    /// <param name="close">
    /// Whether the client's connection ends with this response: <see cref="ExchangeState.MustCloseClient"/>.
    /// </param>
    /// <param name="requestId">The exchange's id: a token.</param>
    /// <param name="date">
    /// Now, as IMF-fixdate (RFC 9110 §5.6.7); written only when the backend sent no Date (§6.6.1).
    /// </param>
    /// <param name="upgrade">
    /// Whether this is a 101 that the gateway goes along with; <paramref name="close"/> has no meaning then.
    /// </param>
    /// <param name="lines">Whole field lines of the gateway's own, each with its CRLF; may be empty.</param>
    /// <param name="output">Where the head goes.</param>
    public static void WriteResponse(
        ResponseHead head, BodyFraming framing, ProtocolVersion client, bool close, ReadOnlySpan<byte> requestId,
        ReadOnlySpan<byte> date, bool upgrade, ReadOnlySpan<byte> lines, IBufferWriter<byte> output)
    {
        Forwarding.MarkResponse(head, framing);

        var fields = head.Fields;
        var bytesMax = head.Bytes.Length + requestId.Length + date.Length + lines.Length + ConstantBytesMax;
        var cursor = new Cursor(output.GetSpan(bytesMax));

        AppendStatusLine(ref cursor, head);
        AppendKept(ref cursor, fields, except: -1);

        if (!fields.Has(KnownField.Date) && !date.IsEmpty)
            cursor.AppendLine("Date: "u8, date);
        cursor.AppendLine("X-Request-Id: "u8, requestId);
        cursor.Append(lines);

        if (upgrade)
        {
            cursor.Append("Connection: upgrade\r\n"u8);
            cursor.AppendLine("Upgrade: "u8, fields.First(KnownField.Upgrade));
        }
        else if (close)
        {
            cursor.Append("Connection: close\r\n"u8);
        }
        else if (client == ProtocolVersion.Http10)
        {
            cursor.Append("Connection: keep-alive\r\n"u8);      // RFC 9112 §9.3: 1.0 does not persist by itself
        }

        // A length without a body describes what another request would get: HEAD and 304 (RFC 9110 §8.6).
        if (framing.Kind == BodyKind.None && DescribesOtherResponse(head))
            cursor.AppendLine("Content-Length: "u8, fields.First(KnownField.ContentLength));
        else
            AppendFraming(ref cursor, framing);
        cursor.Append("\r\n"u8);

        output.Advance(cursor.Written);
    }

    /// <summary>Writes a backend's interim response for the client. RFC 9110 §15.2.</summary>
    /// <param name="head">
    /// The parsed head, not a 101; <see cref="Forwarding.MarkResponse"/> is applied to it here.
    /// </param>
    /// <param name="output">Where the head goes: a client of HTTP/1.1, since 1.0 knows no interim responses.</param>
    public static void WriteInterim(ResponseHead head, IBufferWriter<byte> output)
    {
        Forwarding.MarkResponse(head, new BodyFraming(BodyKind.None));

        var cursor = new Cursor(output.GetSpan(head.Bytes.Length + ConstantBytesMax));
        AppendStatusLine(ref cursor, head);
        AppendKept(ref cursor, head.Fields, except: -1);
        cursor.Append("\r\n"u8);

        output.Advance(cursor.Written);
    }

    // Our own version, whatever the backend's is (RFC 9112 §2.3); the SP before an empty reason is required (§4).
    private static void AppendStatusLine(ref Cursor cursor, ResponseHead head)
    {
        cursor.Append("HTTP/1.1 "u8);
        cursor.AppendDecimal(head.Status);
        cursor.Append((byte)' ');
        cursor.AppendLine(default, head.Reason);
    }

    private static void AppendKept(ref Cursor cursor, Fields fields, int except)
    {
        var runStart = 0;
        for (var i = 0; i < fields.Count; i++)
        {
            if (!fields.IsDropped(i) && i != except)
                continue;

            cursor.Append(fields.Lines(runStart, i - runStart));
            runStart = i + 1;
        }

        cursor.Append(fields.Lines(runStart, fields.Count - runStart));
    }

    /// <summary>
    /// Says who asked and how. A trusted peer's own claims were kept, so only what is missing is added.
    /// </summary>
    private static void AppendClaims(ref Cursor cursor, RequestHead head, RequestAdditions additions)
    {
        var fields = head.Fields;
        var trusts = additions.TrustsClient;

        if (trusts && fields.Has(KnownField.XForwardedFor))
            AppendForwardedFor(ref cursor, fields, additions.ClientAddress);
        else
            cursor.Append(additions.ForwardedForLine);

        if (!trusts || !fields.Has(KnownField.XForwardedProto))
            cursor.Append(additions.ProtoLine);

        var host = head.Host;
        if (!host.IsEmpty && (!trusts || !fields.Has(KnownField.XForwardedHost)))
            cursor.AppendLine("X-Forwarded-Host: "u8, host);

        if (additions.ForwardedStart.IsEmpty)
            return;

        cursor.Append(additions.ForwardedStart);
        if (host.Length is > 0 and <= ForwardedHostBytesMax)
        {
            // Always quoted, because of the colon before a port. A valid Host has no character that needs an escape.
            cursor.Append(";host=\""u8);
            cursor.Append(host);
            cursor.Append((byte)'"');
        }

        cursor.Append("\r\n"u8);
    }

    /// <summary>One line out of all: many recipients read only the first line of a list, or only the last.</summary>
    private static void AppendForwardedFor(ref Cursor cursor, Fields fields, ReadOnlySpan<byte> clientAddress)
    {
        cursor.Append("X-Forwarded-For: "u8);
        for (var i = fields.IndexOf(KnownField.XForwardedFor); i < fields.Count; i++)
        {
            if (fields.Known(i) != KnownField.XForwardedFor || fields.Value(i).IsEmpty)
                continue;

            cursor.Append(fields.Value(i));
            cursor.Append(", "u8);
        }

        cursor.AppendLine(default, clientAddress);
    }

    // Both are for the next hop only, so Connection has to name them (RFC 9110 §7.8, §10.1.4).
    private static void AppendConnection(ref Cursor cursor, RequestHead head, bool upgrade)
    {
        var fields = head.Fields;
        var takesTrailers = head.Version == ProtocolVersion.Http11
            && fields.ListContains(KnownField.Te, "trailers"u8)
            && fields.ListContains(KnownField.Connection, "te"u8);

        if (upgrade)
            cursor.AppendLine("Upgrade: "u8, head.UpgradeProtocol);
        if (takesTrailers)
            cursor.Append("TE: trailers\r\n"u8);

        if (upgrade && takesTrailers)
            cursor.Append("Connection: upgrade, TE\r\n"u8);
        else if (upgrade)
            cursor.Append("Connection: upgrade\r\n"u8);
        else if (takesTrailers)
            cursor.Append("Connection: TE\r\n"u8);
    }

    private static void AppendFraming(ref Cursor cursor, BodyFraming framing)
    {
        if (framing.Kind == BodyKind.Length)
            cursor.AppendLine("Content-Length: "u8, framing.Length);
        else if (framing.Kind == BodyKind.Chunked)
            cursor.Append("Transfer-Encoding: chunked\r\n"u8);
    }

    private static bool DescribesOtherResponse(ResponseHead head)
        => !head.IsInterim && head.Status != 204 && head.Fields.Has(KnownField.ContentLength);

    /// <summary>A place in the buffer that one head is written to.</summary>
    private ref struct Cursor(Span<byte> buffer)
    {
        private readonly Span<byte> _buffer = buffer;

        public int Written { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Append(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_buffer[Written..]);
            Written += bytes.Length;
        }

        public void Append(byte value) => _buffer[Written++] = value;

        public void AppendDecimal(long value)
        {
            Utf8Formatter.TryFormat(value, _buffer[Written..], out var length);
            Written += length;
        }

        public void AppendLine(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            Append(name);
            Append(value);
            Append("\r\n"u8);
        }

        public void AppendLine(ReadOnlySpan<byte> name, long value)
        {
            Append(name);
            AppendDecimal(value);
            Append("\r\n"u8);
        }
    }
}
