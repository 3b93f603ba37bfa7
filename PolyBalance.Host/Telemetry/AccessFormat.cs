using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using PolyBalance.Telemetry;

namespace PolyBalance.Host.Telemetry;

/// <summary>How one access record looks as a line.</summary>
/// <remarks>Any thread, several at once: a format keeps nothing between two lines.</remarks>
internal interface IAccessFormat
{
    /// <summary>Writes one whole line, its line feed included. Total: no record makes it throw.</summary>
    /// <param name="exchange">What happened.</param>
    /// <param name="room">Where the line goes, from its beginning on.</param>
    /// <returns>
    /// How long the line is; when that is more than there is room for, nothing of use was written. Unit: bytes.
    /// </returns>
    int Write(in ExchangeRecord exchange, Span<byte> room);
}

/// <summary>
/// One JSON object per line. The keys and their order are promised. <c>side</c> and <c>phase</c> only when something
/// failed, <c>attempt_details</c> only when there are any, <c>trace_id</c> only when somebody traces.
/// </summary>
/// <remarks>
/// Field values are opaque bytes (RFC 9110 §5.5), JSON text is not (RFC 8259 §8.1): bytes that are no valid UTF-8
/// become U+FFFD. Guessing an encoding instead would show a name that nobody sent.
/// </remarks>
internal sealed class JsonAccessFormat : IAccessFormat
{
    // The default escapes `&`, `+` and `<` for the sake of browsers, which would hide every query string.
    private static readonly JavaScriptEncoder Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    /// <inheritdoc/>
    public int Write(in ExchangeRecord exchange, Span<byte> room)
    {
        var line = new AccessLine(room);
        line.Write("{\"time\":\""u8);
        line.WriteTime(exchange.Started);
        line.Write("\",\"client_ip\":\""u8);
        WriteText(exchange.ClientAddress, ref line);
        line.Write("\",\"method\":\""u8);
        WriteText(exchange.Method.Span, ref line);
        line.Write("\",\"path\":\""u8);
        WriteText(exchange.Target.Span, ref line);
        line.Write("\",\"host\":\""u8);
        WriteText(exchange.Host.Span, ref line);
        line.Write("\",\"cluster\":\""u8);
        WriteText(exchange.Cluster, ref line);
        line.Write("\",\"backend\":\""u8);
        WriteText(exchange.BackendAddress, ref line);
        line.Write("\",\"status\":"u8);
        line.Write(exchange.Status);
        line.Write(",\"latency_ms\":"u8);
        WriteMilliseconds(exchange.Duration, ref line);
        line.Write(",\"bytes_in\":"u8);
        line.Write(exchange.BytesIn);
        line.Write(",\"bytes_out\":"u8);
        line.Write(exchange.BytesOut);
        line.Write(",\"request_id\":\""u8);
        WriteText(exchange.RequestId.Span, ref line);
        line.Write("\",\"attempts\":"u8);
        line.Write(exchange.Attempts);
        line.Write(",\"reason\":\""u8);
        WriteText(exchange.Reason, ref line);
        line.Write("\""u8);
        WriteTiming(exchange.Timing, ref line);
        if (!exchange.TraceId.IsEmpty)
        {
            line.Write(",\"trace_id\":\""u8);
            line.Write(exchange.TraceId.Span);
            line.Write("\""u8);
        }

        if (exchange.Failure != FailureKind.None)
            WriteEnd(exchange, ref line);
        if (!exchange.AttemptDetails.IsEmpty)
            WriteAttempts(exchange.AttemptDetails.Span, ref line);
        line.Write("}\n"u8);
        return line.Length;
    }

    private static void WriteTiming(in ExchangeTiming timing, ref AccessLine line)
    {
        line.Write(",\"queue_ms\":"u8);
        WriteMilliseconds(timing.Queue, ref line);
        line.Write(",\"connect_ms\":"u8);
        WriteMilliseconds(timing.Connect, ref line);
        line.Write(",\"ttfb_ms\":"u8);
        WriteMilliseconds(timing.FirstByte, ref line);
        line.Write(",\"client_ms\":"u8);
        WriteMilliseconds(timing.Client, ref line);
        line.Write(",\"overhead_ms\":"u8);
        WriteMilliseconds(timing.Overhead, ref line);
    }

    private static void WriteEnd(in ExchangeRecord exchange, ref AccessLine line)
    {
        line.Write(",\"side\":\""u8);
        line.Write(exchange.Side);
        line.Write("\",\"phase\":\""u8);
        line.Write(exchange.FailedPhase);
        line.Write("\""u8);
    }

    private static void WriteAttempts(ReadOnlySpan<AttemptRecord> attempts, ref AccessLine line)
    {
        var before = ",\"attempt_details\":[{\"backend\":\""u8;
        foreach (ref readonly var attempt in attempts)
        {
            line.Write(before);
            WriteText(attempt.BackendAddress, ref line);
            line.Write("\",\"reason\":\""u8);
            WriteText(attempt.Reason, ref line);
            line.Write("\",\"status\":"u8);
            line.Write(attempt.Status);
            line.Write(",\"latency_ms\":"u8);
            WriteMilliseconds(attempt.Duration, ref line);
            line.Write(",\"connect_ms\":"u8);
            WriteMilliseconds(attempt.Connect, ref line);
            line.Write(",\"ttfb_ms\":"u8);
            WriteMilliseconds(attempt.FirstByte, ref line);
            line.Write(attempt.IsReused ? ",\"reused\":true"u8 : ",\"reused\":false"u8);
            before = "},{\"backend\":\""u8;
        }

        line.Write("}]"u8);
    }

    // Whole microseconds: what is less is cut off.
    private static void WriteMilliseconds(TimeSpan duration, ref AccessLine line)
        => line.WriteMilliseconds(duration.Ticks / TimeSpan.TicksPerMicrosecond);

    private static void WriteText(string text, ref AccessLine line)
    {
        // Addresses, names and reasons: hardly ever longer.
        Span<byte> bytes = stackalloc byte[64];
        if (Encoding.UTF8.TryGetBytes(text, bytes, out var length))
            WriteText(bytes[..length], ref line);
        else
            WriteLongText(text, ref line);
    }

    private static void WriteLongText(string text, ref AccessLine line)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        WriteText(bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes)), ref line);
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private static void WriteText(scoped ReadOnlySpan<byte> text, ref AccessLine line)
    {
        if (text.ContainsAnyExcept(AccessLine.Plain))
            WriteEscaped(text, ref line);
        else
            line.Write(text);
    }

    private static void WriteEscaped(scoped ReadOnlySpan<byte> text, ref AccessLine line)
    {
        if (Utf8.IsValid(text))
        {
            Encode(text, ref line);
            return;
        }

        while (!text.IsEmpty)
        {
            // The encoder would write an escape for the replacement character.
            if (Rune.DecodeFromUtf8(text, out _, out var length) == OperationStatus.Done)
                Encode(text[..length], ref line);
            else
                line.Write("\uFFFD"u8);
            text = text[length..];
        }
    }

    private static void Encode(scoped ReadOnlySpan<byte> text, ref AccessLine line)
    {
        Span<byte> escaped = stackalloc byte[128];
        while (!text.IsEmpty)
        {
            Encoder.EncodeUtf8(text, escaped, out var consumed, out var length);
            line.Write(escaped[..length]);
            text = text[consumed..];
        }
    }
}

/// <summary>
/// The combined format of Apache, and after it what that format has no place for: backend, latency in milliseconds,
/// request id.
/// </summary>
/// <remarks>
/// <c>192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a?b HTTP/1.1" 200 49 "-" "curl/8" "10.0.0.11:8080" 1.2 "4f"</c>:
/// after the size come Referer and User-Agent, <c>-</c> when there is none. Quotes, backslashes, control characters and
/// bytes above 0x7E are written as <c>\xHH</c>.
/// </remarks>
internal sealed class CombinedAccessFormat : IAccessFormat
{
    private static ReadOnlySpan<byte> Digits => "0123456789ABCDEF"u8;

    /// <inheritdoc/>
    public int Write(in ExchangeRecord exchange, Span<byte> room)
    {
        var line = new AccessLine(room);
        line.Write(exchange.ClientAddress is "" ? "-" : exchange.ClientAddress);
        line.Write(" - - ["u8);
        WriteTime(exchange.Started.UtcDateTime, ref line);
        line.Write(" +0000] \""u8);
        WriteEscaped(exchange.Method.Span, ref line);
        line.Write(" "u8);
        WriteEscaped(exchange.Target.Span, ref line);
        line.Write(exchange.IsHttp10 ? " HTTP/1.0\" "u8 : " HTTP/1.1\" "u8);
        line.Write(exchange.Status);
        line.Write(" "u8);
        if (exchange.BytesOut == 0)
            line.Write("-"u8);
        else
            line.Write(exchange.BytesOut);
        line.Write(" \""u8);
        WriteOrDash(exchange.Referer.Span, ref line);
        line.Write("\" \""u8);
        WriteOrDash(exchange.UserAgent.Span, ref line);
        line.Write("\" \""u8);
        line.Write(exchange.BackendAddress);
        line.Write("\" "u8);
        WriteMilliseconds(exchange.Duration, ref line);
        line.Write(" \""u8);
        WriteEscaped(exchange.RequestId.Span, ref line);
        line.Write("\"\n"u8);
        return line.Length;
    }

    // Whole microseconds: what is less is rounded, halves away from zero.
    private static void WriteMilliseconds(TimeSpan duration, ref AccessLine line)
    {
        var half = Math.Sign(duration.Ticks) * TimeSpan.TicksPerMicrosecond / 2;
        line.WriteMilliseconds((duration.Ticks + half) / TimeSpan.TicksPerMicrosecond);
    }

    // As `dd/MMM/yyyy:HH:mm:ss`, made of the pieces of `yyyy-MM-ddTHH:mm:ss`: a pattern alone would cost 110 ns, as
    // much as all of the line does now.
    private static void WriteTime(DateTime time, ref AccessLine line)
    {
        Span<byte> text = stackalloc byte[28];
        time.TryFormat(text, out _, "O");
        line.Write(text[8..10]);
        line.Write("/"u8);
        line.Write("JanFebMarAprMayJunJulAugSepOctNovDec"u8.Slice((time.Month - 1) * 3, 3));
        line.Write("/"u8);
        line.Write(text[..4]);
        line.Write(":"u8);
        line.Write(text[11..19]);
    }

    private static void WriteOrDash(scoped ReadOnlySpan<byte> text, ref AccessLine line)
        => WriteEscaped(text.IsEmpty ? "-"u8 : text, ref line);

    private static void WriteEscaped(scoped ReadOnlySpan<byte> text, ref AccessLine line)
    {
        for (var index = text.IndexOfAnyExcept(AccessLine.Plain); index >= 0;
            index = text.IndexOfAnyExcept(AccessLine.Plain))
        {
            var one = text[index];
            line.Write(text[..index]);
            line.Write([(byte)'\\', (byte)'x', Digits[one >> 4], Digits[one & 0xF]]);
            text = text[(index + 1)..];
        }

        line.Write(text);
    }
}
