using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using PolyBalance.Telemetry;

namespace PolyBalance.Host;

/// <summary>How one access record looks as a line.</summary>
/// <remarks>Called by the writer thread of the access log only.</remarks>
internal interface IAccessFormat
{
    /// <summary>Appends one whole line, its line feed included. Total: no record makes it throw.</summary>
    /// <param name="exchange">What happened.</param>
    /// <param name="output">Where the line goes.</param>
    void Write(in ExchangeRecord exchange, ArrayBufferWriter<byte> output);
}

/// <summary>
/// One JSON object per line. The keys and their order are promised; <c>attempt_details</c> only when there are any.
/// </summary>
/// <remarks>
/// Field values are opaque bytes (RFC 9110 §5.5), JSON text is not (RFC 8259 §8.1): bytes that are no valid UTF-8
/// become U+FFFD. Guessing an encoding instead would show a name that nobody sent.
/// </remarks>
internal sealed class JsonAccessFormat : IAccessFormat, IDisposable
{
    private readonly ArrayBufferWriter<byte> _repaired = new();
    private readonly Utf8JsonWriter _json = new(
        Stream.Null,
        new JsonWriterOptions
        {
            SkipValidation = true,

            // The default escapes `&`, `+` and `<` for the sake of browsers, which would hide every query string.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        });

    /// <inheritdoc/>
    public void Write(in ExchangeRecord exchange, ArrayBufferWriter<byte> output)
    {
        _json.Reset(output);
        _json.WriteStartObject();
        WriteTime(exchange.Started);
        _json.WriteString(Keys.ClientIP, exchange.ClientAddress);
        WriteText(Keys.Method, exchange.Method.Span);
        WriteText(Keys.Path, exchange.Target.Span);
        WriteText(Keys.Host, exchange.Host.Span);
        _json.WriteString(Keys.Cluster, exchange.Cluster);
        _json.WriteString(Keys.Backend, exchange.BackendAddress);
        _json.WriteNumber(Keys.Status, exchange.Status);
        _json.WriteNumber(Keys.Latency, Milliseconds(exchange.Duration));
        _json.WriteNumber(Keys.BytesIn, exchange.BytesIn);
        _json.WriteNumber(Keys.BytesOut, exchange.BytesOut);
        WriteText(Keys.RequestId, exchange.RequestId.Span);
        _json.WriteNumber(Keys.Attempts, exchange.Attempts);
        _json.WriteString(Keys.Reason, exchange.Reason);
        if (!exchange.AttemptDetails.IsEmpty)
            WriteAttempts(exchange.AttemptDetails.Span);
        _json.WriteEndObject();
        _json.Flush();
        output.Write("\n"u8);
    }

    /// <summary>Ends the JSON writer.</summary>
    public void Dispose() => _json.Dispose();

    // Whole microseconds divided by 1000: at most three decimals, and none that is a trailing zero.
    private static decimal Milliseconds(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerMicrosecond / 1000m;

    private void WriteAttempts(ReadOnlySpan<AttemptRecord> attempts)
    {
        _json.WriteStartArray(Keys.AttemptDetails);
        foreach (ref readonly var attempt in attempts)
        {
            _json.WriteStartObject();
            _json.WriteString(Keys.Backend, attempt.BackendAddress);
            _json.WriteString(Keys.Reason, attempt.Reason);
            _json.WriteNumber(Keys.Status, attempt.Status);
            _json.WriteNumber(Keys.Latency, Milliseconds(attempt.Duration));
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
    }

    private void WriteTime(DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[32];
        time.UtcDateTime.TryFormat(text, out var length, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        _json.WriteString(Keys.Time, text[..length]);
    }

    private void WriteText(JsonEncodedText key, ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
        {
            _json.WriteString(key, text);
            return;
        }

        _repaired.ResetWrittenCount();
        while (!text.IsEmpty)
        {
            Rune.DecodeFromUtf8(text, out var rune, out var length);
            rune.EncodeToUtf8(_repaired.GetSpan(4));
            _repaired.Advance(rune.Utf8SequenceLength);
            text = text[length..];
        }

        _json.WriteString(key, _repaired.WrittenSpan);
    }

    /// <summary>The keys, encoded once.</summary>
    private static class Keys
    {
        public static readonly JsonEncodedText Time = JsonEncodedText.Encode("time");
        public static readonly JsonEncodedText ClientIP = JsonEncodedText.Encode("client_ip");
        public static readonly JsonEncodedText Method = JsonEncodedText.Encode("method");
        public static readonly JsonEncodedText Path = JsonEncodedText.Encode("path");
        public static readonly JsonEncodedText Host = JsonEncodedText.Encode("host");
        public static readonly JsonEncodedText Cluster = JsonEncodedText.Encode("cluster");
        public static readonly JsonEncodedText Backend = JsonEncodedText.Encode("backend");
        public static readonly JsonEncodedText Status = JsonEncodedText.Encode("status");
        public static readonly JsonEncodedText Latency = JsonEncodedText.Encode("latency_ms");
        public static readonly JsonEncodedText BytesIn = JsonEncodedText.Encode("bytes_in");
        public static readonly JsonEncodedText BytesOut = JsonEncodedText.Encode("bytes_out");
        public static readonly JsonEncodedText RequestId = JsonEncodedText.Encode("request_id");
        public static readonly JsonEncodedText Attempts = JsonEncodedText.Encode("attempts");
        public static readonly JsonEncodedText Reason = JsonEncodedText.Encode("reason");
        public static readonly JsonEncodedText AttemptDetails = JsonEncodedText.Encode("attempt_details");
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
    private const int EscapeLength = 4;

    /// <inheritdoc/>
    public void Write(in ExchangeRecord exchange, ArrayBufferWriter<byte> output)
    {
        WriteAscii(exchange.ClientAddress is "" ? "-" : exchange.ClientAddress, output);
        output.Write(" - - ["u8);
        WriteFormatted(exchange.Started.UtcDateTime, "dd/MMM/yyyy:HH:mm:ss", output);
        output.Write(" +0000] \""u8);
        WriteEscaped(exchange.Method.Span, output);
        output.Write(" "u8);
        WriteEscaped(exchange.Target.Span, output);
        output.Write(exchange.IsHttp10 ? " HTTP/1.0\" "u8 : " HTTP/1.1\" "u8);
        WriteFormatted(exchange.Status, "", output);
        output.Write(" "u8);
        if (exchange.BytesOut == 0)
            output.Write("-"u8);
        else
            WriteFormatted(exchange.BytesOut, "", output);
        output.Write(" \""u8);
        WriteOrDash(exchange.Referer.Span, output);
        output.Write("\" \""u8);
        WriteOrDash(exchange.UserAgent.Span, output);
        output.Write("\" \""u8);
        WriteAscii(exchange.BackendAddress, output);
        output.Write("\" "u8);
        WriteFormatted(exchange.Duration.TotalMilliseconds, "0.###", output);
        output.Write(" \""u8);
        WriteEscaped(exchange.RequestId.Span, output);
        output.Write("\"\n"u8);
    }

    private static void WriteOrDash(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
        => WriteEscaped(text.IsEmpty ? "-"u8 : text, output);

    private static void WriteFormatted<T>(T value, ReadOnlySpan<char> format, ArrayBufferWriter<byte> output)
        where T : IUtf8SpanFormattable
    {
        value.TryFormat(output.GetSpan(64), out var length, format, CultureInfo.InvariantCulture);
        output.Advance(length);
    }

    private static void WriteAscii(string? text, ArrayBufferWriter<byte> output)
    {
        text ??= "";
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
    }

    private static void WriteEscaped(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> output)
    {
        var line = output.GetSpan(Math.Max(1, text.Length * EscapeLength));
        var length = 0;
        foreach (var one in text)
        {
            if (one is >= 0x20 and <= 0x7E and not ((byte)'"' or (byte)'\\'))
            {
                line[length++] = one;
                continue;
            }

            line[length] = (byte)'\\';
            line[length + 1] = (byte)'x';
            Utf8Formatter.TryFormat(one, line[(length + 2)..], out _, new StandardFormat('X', 2));
            length += EscapeLength;
        }

        output.Advance(length);
    }
}
