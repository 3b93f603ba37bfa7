using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>Responses that PolyBalance itself originates.</summary>
internal static class LocalResponse
{
    private static readonly byte[] Allow = "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE\r\n"u8.ToArray();
    private static readonly byte[] Chunked = "Transfer-Encoding: chunked\r\n"u8.ToArray();
    private static readonly byte[] RetryAfter = "Retry-After: 1\r\n"u8.ToArray();

    /// <summary>
    /// Ends an exchange that failed: with a JSON error while that is still possible, else by cutting the connection
    /// off, so that the client can tell.
    /// </summary>
    /// <returns><paramref name="failure"/>, for the caller's own return.</returns>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public static async ValueTask<FailureKind> RefuseAsync(Exchange exchange, FailureKind failure)
    {
        if (!exchange.State.CanRefuse || failure is FailureKind.ClientClosed or FailureKind.ClientWriteTimedOut)
        {
            // A response that is cut off must look cut off: RFC 9112 §8.
            exchange.Connection.Abort(CloseReason.Aborted);
            exchange.State.ClientClosed();
            return failure;
        }

        var body = Describe(Failure.Of(failure), exchange.Backend?.Address ?? "", exchange.Id.Span);
        var extra = Failure.Of(failure).Status == 503 ? RetryAfter : [];
        await SendAsync(exchange, Failure.Of(failure).Status, "application/json", extra, body);
        return failure;
    }

    /// <summary>
    /// Answers with a status and some content. The request body, if there is one that was not read, ends the
    /// connection.
    /// </summary>
    /// <param name="exchange">What is answered.</param>
    /// <param name="status">A final status code.</param>
    /// <param name="contentType">Media type of the content.</param>
    /// <param name="extraLines">Further whole field lines.</param>
    /// <param name="content">All of it.</param>
    public static ValueTask<FailureKind> SendAsync(
        Exchange exchange, int status, string contentType, ReadOnlyMemory<byte> extraLines,
        ReadOnlyMemory<byte> content)
        => SendPiecesAsync(exchange, status, contentType, extraLines, new(content));

    /// <summary>The same with content in pieces, which stay as they are until this has completed.</summary>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public static async ValueTask<FailureKind> SendPiecesAsync(
        Exchange exchange, int status, string contentType, ReadOnlyMemory<byte> extraLines,
        ReadOnlySequence<byte> content)
    {
        var close = exchange.State.MustCloseClient(new(BodyKind.Length, content.Length), exchange.Client.IsDraining);
        WriteHead(exchange, status, contentType, extraLines.Span, content.Length, close);
        exchange.State.ResponseHeadSent(close);
        exchange.Status = status;

        if (!exchange.Request.Method.IsHead)
        {
            exchange.LocalBytesOut = content.Length;
            exchange.Connection.Attach(content);
        }

        exchange.BeginWait(WaitKind.Client);
        var flushed = await exchange.Connection.Output.FlushAsync();
        exchange.EndWait();
        if (flushed.IsCompleted)
        {
            exchange.State.ClientClosed();
            return FailureKind.ClientClosed;
        }

        exchange.State.ResponseSent();
        return FailureKind.None;
    }

    /// <summary>
    /// Begins an answer whose content comes bit by bit, for as long as it lasts: chunked, or up to the end of the
    /// connection for a client of HTTP/1.0.
    /// </summary>
    /// <param name="exchange">What is answered.</param>
    /// <param name="contentType">Media type of the content.</param>
    /// <returns>Null: there is no more to send, or nobody to send it to.</returns>
    public static async ValueTask<LocalStream?> BeginAsync(Exchange exchange, string contentType)
    {
        var framing = BodyFraming.ForClient(new(BodyKind.Chunked), exchange.Request.Version);
        var close = exchange.State.MustCloseClient(framing, exchange.Client.IsDraining);
        var isChunked = framing.Kind == BodyKind.Chunked;
        WriteHead(exchange, 200, contentType, isChunked ? Chunked : default, length: -1, close);
        exchange.State.ResponseHeadSent(close);
        exchange.Status = 200;
        var stream = new LocalStream(exchange, framing);
        if (exchange.Request.Method.IsHead)
        {
            await stream.EndAsync();
            return null;
        }

        return await stream.FlushAsync() ? stream : null;
    }

    /// <summary>Writes the answer to a connection that is one too many; it has no exchange.</summary>
    public static void WriteTooManyConnections(IBufferWriter<byte> output)
    {
        ref readonly var failure = ref Failure.Of(FailureKind.TooManyConnections);
        var body = Describe(failure, backend: "", requestId: default);
        output.Write(Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {failure.Status} {ReasonPhrase(failure.Status)}\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\nConnection: close\r\n")));
        output.Write(RetryAfter);
        output.Write("\r\n"u8);
        output.Write(body.Span);
    }

    /// <summary>
    /// Answers TRACE and OPTIONS whose Max-Forwards is 0: we are their final recipient. RFC 9110 §7.6.2, §9.3.7,
    /// §9.3.8.
    /// </summary>
    public static ValueTask<FailureKind> AnswerLastHopAsync(Exchange exchange)
        => exchange.Request.Method.Kind == MethodKind.Trace
            ? SendAsync(exchange, 200, "message/http", default, Reflect(exchange.Request))
            : SendAsync(exchange, 200, "text/plain", Allow, content: default);

    /// <summary>Whether the request says that it must not be forwarded any further. RFC 9110 §7.6.2.</summary>
    public static bool IsLastHop(RequestHead request)
        => request.Method.Kind is MethodKind.Trace or MethodKind.Options
            && Http.Ascii.TryParseDecimal(request.Fields.First(KnownField.MaxForwards), out var left)
            && left == 0;

    // RFC 9110 §9.3.8: what may be secret is left out of what TRACE reflects.
    private static byte[] Reflect(RequestHead request)
    {
        var reflected = new ArrayBufferWriter<byte>();
        reflected.Write(request.MethodToken);
        reflected.Write(" "u8);
        reflected.Write(request.TargetBytes);
        reflected.Write(request.Version == ProtocolVersion.Http11 ? " HTTP/1.1\r\n"u8 : " HTTP/1.0\r\n"u8);
        for (var index = 0; index < request.Fields.Count; index++)
        {
            var isSecret = request.Fields.Known(index) is KnownField.Cookie or KnownField.Authorization
                or KnownField.ProxyAuthorization;
            if (!isSecret)
                reflected.Write(request.Fields.Line(index));
        }

        reflected.Write("\r\n"u8);
        return reflected.WrittenSpan.ToArray();
    }

    private static ReadOnlyMemory<byte> Describe(in Failure failure, string backend, ReadOnlySpan<byte> requestId)
    {
        var json = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(json);
        writer.WriteStartObject();
        writer.WriteString("error"u8, failure.Sentence);
        writer.WriteString("reason"u8, failure.Label);
        writer.WriteString("backend"u8, backend);
        writer.WriteString("request_id"u8, requestId);
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }

    private static void WriteHead(
        Exchange exchange, int status, string contentType, ReadOnlySpan<byte> extraLines, long length, bool close)
    {
        var output = exchange.Connection.Output;
        var head = new StringBuilder(256)
            .Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} {ReasonPhrase(status)}\r\n")
            .Append("Date: ").Append(exchange.Client.Heartbeat.UtcNow.ToString("R")).Append("\r\n");
        if (length != 0)
            head.Append("Content-Type: ").Append(contentType).Append("\r\n");

        // RFC 9110 §8.6: not with 204, which has no content by itself.
        if (status != 204 && length >= 0)
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        head.Append("Cache-Control: no-store\r\n");
        if (exchange.Id.Span.Length > 0)
            head.Append("X-Request-Id: ").Append(Encoding.ASCII.GetString(exchange.Id.Span)).Append("\r\n");
        if (close)
            head.Append("Connection: close\r\n");
        else if (exchange.Request.Version == ProtocolVersion.Http10)
            head.Append("Connection: keep-alive\r\n");

        output.Write(Encoding.ASCII.GetBytes(head.ToString()));
        output.Write(extraLines);
        Span<byte> timing = stackalloc byte[ServerTiming.LineBytesMax];
        output.Write(timing[..ServerTiming.Write(exchange, exchange.Client.Heartbeat.Now, exchange.Attempts, timing)]);
        output.Write("\r\n"u8);
    }

    // RFC 9110 §15; the phrase carries no meaning, but people read it.
    private static string ReasonPhrase(int status) => status switch
    {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    };
}
