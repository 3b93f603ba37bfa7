using System.Text;
using System.Text.Json;
using NUnit.Framework;
using PolyBalance.Host;
using PolyBalance.Host.Telemetry;
using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Host;

internal sealed class AccessFormatTests
{
    [Test]
    public void A_json_line_has_the_promised_keys_in_the_promised_order()
    {
        Assert.That(Json(Sample.Exchange), Is.EqualTo(Line(
            """
            {"time":"2026-03-01T07:08:09.012Z","client_ip":"192.0.2.7","method":"GET","path":"/a?b=c&d=<e>+f",
            "host":"example.com","cluster":"web","backend":"10.0.0.11:8080","status":200,"latency_ms":12.345,
            "bytes_in":7,"bytes_out":4096,"request_id":"4f2a","attempts":1,"reason":"",
            "queue_ms":0,"connect_ms":1.5,"ttfb_ms":9,"client_ms":0.25,"overhead_ms":0.095}
            """)));
    }

    [Test]
    public void Attempts_are_detailed_when_there_are_details()
    {
        AttemptRecord[] attempts =
        [
            new("10.0.0.11:8080", FailureKind.ConnectRefused, 0, TimeSpan.FromMicroseconds(250))
            {
                Connect = TimeSpan.FromMicroseconds(240),
            },
            new("10.0.0.12:8080", FailureKind.ResponseTruncated, 200, TimeSpan.FromSeconds(30))
            {
                FirstByte = TimeSpan.FromSeconds(2),
                IsReused = true,
            },
        ];
        var exchange = Sample.Exchange with
        {
            Status = 200,
            Attempts = 2,
            Failure = FailureKind.ResponseTruncated,
            Phase = ExchangePhase.ResponseContent,
            AttemptDetails = attempts,
        };

        Assert.That(Json(exchange), Does.EndWith(Line(
            """
            "side":"backend","phase":"response_content","attempt_details":[
            {"backend":"10.0.0.11:8080","reason":"connect_refused","status":0,"latency_ms":0.25,
            "connect_ms":0.24,"ttfb_ms":0,"reused":false},
            {"backend":"10.0.0.12:8080","reason":"response_truncated","status":200,"latency_ms":30000,
            "connect_ms":0,"ttfb_ms":2000,"reused":true}]}
            """)));
    }

    [Test]
    public void Whoever_an_exchange_failed_because_of_and_wherever_has_a_word()
    {
        var words = new HashSet<string>();
        foreach (var phase in Enum.GetValues<ExchangePhase>())
        {
            foreach (var failure in Enum.GetValues<FailureKind>())
            {
                var json = JsonDocument.Parse(Json(Sample.Exchange with { Phase = phase, Failure = failure }))
                    .RootElement;
                if (json.TryGetProperty("phase", out var word))
                    words.Add($"{json.GetProperty("side")} {word}");
                else
                    Assert.That(failure, Is.EqualTo(FailureKind.None));
            }
        }

        string[] phases = ["head", "select", "connect", "request_content", "response", "response_content", "tunnel"];
        Assert.That(words, Is.EquivalentTo(
            from side in (string[])["client", "backend", "gateway"]
            from phase in phases
            select $"{side} {phase}"));
    }

    [Test]
    public void What_an_unreadable_request_did_not_say_is_empty()
    {
        var exchange = new ExchangeRecord
        {
            Started = Sample.Exchange.Started,
            ClientAddress = "2001:db8::1",
            Cluster = "",
            Backend = "",
            BackendAddress = "",
            Status = 400,
            Failure = FailureKind.MalformedRequestLine,
        };

        Assert.That(Json(exchange), Is.EqualTo(Line(
            """
            {"time":"2026-03-01T07:08:09.012Z","client_ip":"2001:db8::1","method":"","path":"","host":"",
            "cluster":"","backend":"","status":400,"latency_ms":0,"bytes_in":0,"bytes_out":0,
            "request_id":"","attempts":0,"reason":"malformed_request_line",
            "queue_ms":0,"connect_ms":0,"ttfb_ms":0,"client_ms":0,"overhead_ms":0,"side":"client","phase":"head"}
            """)));
    }

    [TestCase(0, "0")]
    [TestCase(9, "0")]
    [TestCase(10, "0.001")]
    [TestCase(10_000, "1")]
    [TestCase(15_000, "1.5")]
    [TestCase(123_456_789, "12345.678")]
    public void Latency_is_in_milliseconds_with_three_decimals_at_most(long ticks, string written)
        => Assert.That(
            Json(Sample.Exchange with { Duration = TimeSpan.FromTicks(ticks) }),
            Does.Contain($"\"latency_ms\":{written},"));

    [TestCase("\"\\\r\n\0", "\"\\\r\n\0")]
    [TestCase("/caf\u00e9", "/caf\u00e9")]
    [TestCase("/\U0001F600", "/\U0001F600")]
    public void Text_survives_json_whatever_it_holds(string target, string read)
    {
        var line = Json(Sample.Exchange with { Target = Encoding.UTF8.GetBytes(target) });

        Assert.That(line.Count(one => one == '\n'), Is.EqualTo(1));
        Assert.That(JsonDocument.Parse(line).RootElement.GetProperty("path").GetString(), Is.EqualTo(read));
    }

    [Test]
    public void Any_bytes_in_target_and_host_give_one_line_of_valid_json()
    {
        var random = new Random(20260301);
        var bytes = new byte[64];
        for (var round = 0; round < 2_000; round++)
        {
            random.NextBytes(bytes);
            var exchange = Sample.Exchange with { Target = bytes, Host = bytes.AsMemory(0, 9) };
            var line = Bytes(new JsonAccessFormat(), exchange);

            Assert.That(line.AsSpan().IndexOf((byte)'\n'), Is.EqualTo(line.Length - 1));
            Assert.That(JsonDocument.Parse(line).RootElement.GetProperty("attempts").GetInt32(), Is.EqualTo(1));
        }
    }

    [Test]
    public void Bytes_that_are_no_utf8_become_replacement_characters()
    {
        var line = Json(Sample.Exchange with { Target = new byte[] { (byte)'/', 0xFF, (byte)'a', 0xC3, 0xA9, 0xC3 } });

        var path = JsonDocument.Parse(line).RootElement.GetProperty("path").GetString();
        Assert.That(path, Is.EqualTo("/\uFFFDa\u00e9\uFFFD"));
    }

    [Test]
    public void A_combined_line_is_what_log_readers_know_and_three_more()
    {
        Assert.That(Combined(Sample.Exchange), Is.EqualTo(Line(
            """
            192.0.2.7 - - [01/Mar/2026:07:08:09 +0000] "GET /a?b=c&d=<e>+f HTTP/1.1"
             200 4096 "-" "-" "10.0.0.11:8080" 12.345 "4f2a"
            """)));
    }

    [Test]
    public void A_combined_line_cannot_be_forged_by_a_target()
    {
        var line = Combined(Sample.Exchange with
        {
            Target = "/\" 200 \\ \r\n\u00e9"u8.ToArray(),
            BytesOut = 0,
            BackendAddress = "",
        });

        Assert.That(line, Is.EqualTo(Line(
            """
            192.0.2.7 - - [01/Mar/2026:07:08:09 +0000] "GET /\x22 200 \x5C \x0D\x0A\xC3\xA9 HTTP/1.1"
             200 - "-" "-" "" 12.345 "4f2a"
            """)));
    }

    // What is written in several lines here, for the eye, is one line.
    private static string Line(string text) => text.ReplaceLineEndings("") + "\n";

    private static string Json(in ExchangeRecord exchange)
        => Encoding.UTF8.GetString(Bytes(new JsonAccessFormat(), exchange));

    private static string Combined(in ExchangeRecord exchange)
        => Encoding.UTF8.GetString(Bytes(new CombinedAccessFormat(), exchange));

    private static byte[] Bytes(IAccessFormat format, in ExchangeRecord exchange)
    {
        var line = new byte[4096];
        return line[..format.Write(exchange, line)];
    }
}
