using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Host;

/// <summary>What holds for every record, checked with random ones; a failure says which round it was.</summary>
internal sealed class AccessFormatPropertyTests
{
    private const int Rounds = 20_000;

    // What makes a difference to one format or the other, and plain text between it.
    private static readonly byte[][] Fragments =
    [
        .. ((string[])
        [
            "/", "a", "?b=c&d=<e>+f", "'`~ ", "0123456789abcdef0123456789abcdef", "\"", "\\", "\0", "\b\t\n\f\r",
            "\u001F", "\u007F", "\u0080", "\u00AD", "é", "\u0378", "\u200B", "\u2028", "\u202E", "€", "\uE000",
            "\uFEFF", "\uFFFD", "\uFFFE", "\uFFFF", "\U0001F600", "\U000E0001", "\U0010FFFF",
        ]).Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        [0x80],
    ];

    private static readonly string[] Names =
    [
        "", "web", "10.0.0.11:8080", "2001:db8::1", "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535",
        "unix:/run/a \"b\"\\é€\U0001F600.sock", new('n', 63), new('n', 64), new('n', 65), new('é', 300),
    ];

    private static readonly long[] Numbers =
        [0, 1, 9, 10, 200, 999, 1000, 12_345, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, -1];

    [Test]
    public void Json_lines_are_what_a_plain_json_writer_writes()
        => AgreesWith(JsonReference, new JsonAccessFormat());

    [Test]
    public void Combined_lines_are_what_plain_formatting_writes()
        => AgreesWith(CombinedReference, new CombinedAccessFormat());

    [Test]
    public void A_line_that_does_not_fit_says_how_long_it_is_and_stays_in_its_room()
    {
        IAccessFormat[] formats = [new JsonAccessFormat(), new CombinedAccessFormat()];
        var random = new Random(20260302);
        var whole = new byte[64 * 1024];
        var cut = new byte[64 * 1024];
        for (var round = 0; round < Rounds / 4; round++)
        {
            var exchange = Any(random);
            foreach (var format in formats)
            {
                var length = format.Write(exchange, whole);
                var room = random.Next(length + 2);
                Array.Fill(cut, (byte)0xFE);

                Assert.That(format.Write(exchange, cut.AsSpan(0, room)), Is.EqualTo(length), $"round {round}");
                Assert.That(cut.AsSpan(room).ContainsAnyExcept((byte)0xFE), Is.False, $"round {round}");
                if (room >= length)
                    Assert.That(cut.AsSpan(0, length).SequenceEqual(whole.AsSpan(0, length)), $"round {round}");
            }
        }
    }

    private static void AgreesWith(Func<ExchangeRecord, string> reference, IAccessFormat format)
    {
        var random = new Random(20260301);
        var line = new byte[64 * 1024];
        for (var round = 0; round < Rounds; round++)
        {
            var exchange = Any(random);
            var written = line.AsSpan(0, format.Write(exchange, line));

            Assert.That(
                Encoding.Latin1.GetString(written),
                Is.EqualTo(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(reference(exchange)))),
                $"round {round}; bytes, shown as Latin-1");
        }
    }

    private static string JsonReference(ExchangeRecord exchange)
    {
        using var text = new MemoryStream();
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(text, options))
        {
            json.WriteStartObject();
            json.WriteString("time", exchange.Started.UtcDateTime.ToString(
                "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("client_ip", exchange.ClientAddress);
            json.WriteString("method", Text(exchange.Method));
            json.WriteString("path", Text(exchange.Target));
            json.WriteString("host", Text(exchange.Host));
            json.WriteString("cluster", exchange.Cluster);
            json.WriteString("backend", exchange.BackendAddress);
            json.WriteNumber("status", exchange.Status);
            json.WriteNumber("latency_ms", Milliseconds(exchange.Duration));
            json.WriteNumber("bytes_in", exchange.BytesIn);
            json.WriteNumber("bytes_out", exchange.BytesOut);
            json.WriteString("request_id", Text(exchange.RequestId));
            json.WriteNumber("attempts", exchange.Attempts);
            json.WriteString("reason", exchange.Reason);
            json.WriteNumber("queue_ms", Milliseconds(exchange.Timing.Queue));
            json.WriteNumber("connect_ms", Milliseconds(exchange.Timing.Connect));
            json.WriteNumber("ttfb_ms", Milliseconds(exchange.Timing.FirstByte));
            json.WriteNumber("client_ms", Milliseconds(exchange.Timing.Client));
            json.WriteNumber("overhead_ms", Milliseconds(exchange.Timing.Overhead));
            if (exchange.Failure != FailureKind.None)
            {
                json.WriteString("side", exchange.Side);
                json.WriteString("phase", exchange.FailedPhase);
            }

            if (!exchange.AttemptDetails.IsEmpty)
                json.WriteStartArray("attempt_details");
            foreach (var attempt in exchange.AttemptDetails.Span)
            {
                json.WriteStartObject();
                json.WriteString("backend", attempt.BackendAddress);
                json.WriteString("reason", attempt.Reason);
                json.WriteNumber("status", attempt.Status);
                json.WriteNumber("latency_ms", Milliseconds(attempt.Duration));
                json.WriteNumber("connect_ms", Milliseconds(attempt.Connect));
                json.WriteNumber("ttfb_ms", Milliseconds(attempt.FirstByte));
                json.WriteBoolean("reused", attempt.IsReused);
                json.WriteEndObject();
            }

            if (!exchange.AttemptDetails.IsEmpty)
                json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.ToArray()) + "\n";

        static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
        static decimal Milliseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond / 1000m;
    }

    private static string CombinedReference(ExchangeRecord exchange)
    {
        var client = exchange.ClientAddress.Length == 0 ? "-" : exchange.ClientAddress;
        var bytes = exchange.BytesOut == 0 ? "-" : $"{exchange.BytesOut}";
        var time = exchange.Started.UtcDateTime.ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture);
        var latency = exchange.Duration.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture);
        var version = exchange.IsHttp10 ? "HTTP/1.0" : "HTTP/1.1";
        return $"{client} - - [{time} +0000] \"{Text(exchange.Method)} {Text(exchange.Target)} {version}\" "
            + $"{exchange.Status} {bytes} \"{OrDash(exchange.Referer)}\" \"{OrDash(exchange.UserAgent)}\" "
            + $"\"{exchange.BackendAddress}\" {latency} \"{Text(exchange.RequestId)}\"\n";

        static string OrDash(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? "-" : Text(bytes);
        static string Text(ReadOnlyMemory<byte> bytes)
            => string.Concat(bytes.ToArray().Select(
                one => one is < 0x20 or > 0x7E or (byte)'"' or (byte)'\\' ? $"\\x{one:X2}" : $"{(char)one}"));
    }

    private static ExchangeRecord Any(Random random) => new()
    {
        Started = new(
            random.NextInt64(TimeSpan.TicksPerDay, DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay),
            TimeSpan.FromHours(random.Next(-14, 15))),
        Duration = AnyDuration(random),
        ClientAddress = One(random, Names),
        Method = AnyText(random),
        Target = AnyText(random),
        Host = AnyText(random),
        Referer = AnyText(random),
        UserAgent = AnyText(random),
        IsHttp10 = random.Next(2) == 0,
        Cluster = One(random, Names),
        Backend = One(random, Names),
        BackendAddress = One(random, Names),
        Status = random.Next(2) == 0 ? random.Next(100, 600) : unchecked((int)One(random, Numbers)),
        BytesIn = One(random, Numbers),
        BytesOut = random.Next(2) == 0 ? random.NextInt64(10_000) : One(random, Numbers),
        RequestId = AnyText(random),
        Attempts = random.Next(9),
        Timing = new(
            AnyDuration(random), AnyDuration(random), AnyDuration(random), AnyDuration(random), AnyDuration(random)),
        Phase = One(random, Enum.GetValues<ExchangePhase>()),
        AttemptDetails = AnyAttempts(random),
        Failure = AnyFailure(random),
    };

    private static AttemptRecord[] AnyAttempts(Random random)
    {
        var attempts = new AttemptRecord[random.Next(3) == 0 ? random.Next(9) : 0];
        for (var index = 0; index < attempts.Length; index++)
        {
            attempts[index] = new(
                One(random, Names), AnyFailure(random), random.Next(600), AnyDuration(random))
            {
                Connect = AnyDuration(random),
                FirstByte = AnyDuration(random),
                IsReused = random.Next(2) == 0,
            };
        }

        return attempts;
    }

    private static byte[] AnyText(Random random)
        => [.. Enumerable.Range(0, random.Next(4) * random.Next(8)).SelectMany(_ => One(random, Fragments))];

    // Up to a year: beyond that, a double has not the digits to tell how it would be rounded.
    private static TimeSpan AnyDuration(Random random)
        => new(random.NextInt64(1L << random.Next(1, 48)));

    private static FailureKind AnyFailure(Random random) => One(random, Enum.GetValues<FailureKind>());

    private static T One<T>(Random random, T[] all) => all[random.Next(all.Length)];
}
