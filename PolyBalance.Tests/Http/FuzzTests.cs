using System.Globalization;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>
/// Streams nobody thought of, made from the corpus. Whatever they are: nothing throws, cuts do not matter, and what is
/// accepted is forwarded as exactly the same message.
/// </summary>
/// <remarks>
/// The suite runs a fixed number of streams from a fixed seed. <c>POLYBALANCE_FUZZ_SECONDS</c> lets it run longer, from
/// a seed of its own; <c>POLYBALANCE_FUZZ_SEED</c> sets the seed. A failure names seed and stream: the same seed makes
/// the same streams, and a stream worth keeping becomes a file of the corpus.
/// </remarks>
internal sealed class FuzzTests
{
    private const int StreamsInTheSuite = 10_000;
    private const int ByteByByteMax = 600;
    private const int UsualSeed = 1;

    private static readonly TimeSpan OnDemand = TimeSpan.FromSeconds(double.Parse(
        Environment.GetEnvironmentVariable("POLYBALANCE_FUZZ_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    [Test]
    public void No_stream_of_requests_is_misread()
        => Fuzz(
            CorpusKind.Request,
            random => new RequestReading(),
            random => new RequestRoundTrip(new RequestAdditions(
                "2001:db8::1"u8, isTls: IsHeads(random), trustClient: IsHeads(random), addForwarded: IsHeads(random))));

    [Test]
    public void No_stream_of_responses_is_misread()
        => Fuzz(
            CorpusKind.Response,
            random => new ResponseReading(MethodOf(random)),
            random => new ResponseRoundTrip(
                MethodOf(random),
                IsHeads(random) ? ProtocolVersion.Http10 : ProtocolVersion.Http11,
                close: IsHeads(random)));

    private static bool IsHeads(Random random) => random.Next(2) == 0;

    private static MethodKind MethodOf(Random random) => random.Next(4) == 0 ? MethodKind.Head : MethodKind.Get;

    private static void Fuzz(
        CorpusKind kind, Func<Random, MessageReading> reading, Func<Random, MessageReading> roundTrip)
    {
        var known = KnownStreams(kind);
        var seed = Seed();
        TestContext.Out.WriteLine($"seed {seed}");

        var started = TimeProvider.System.GetTimestamp();
        var accepted = 0;
        for (var stream = 0;
            stream < StreamsInTheSuite || TimeProvider.System.GetElapsedTime(started) < OnDemand;
            stream++)
        {
            var random = new Random(unchecked(seed * 486_187_739 + stream));
            var bytes = new Mutator(random, known).Next();
            try
            {
                Try(bytes, random, reading(random));
                Try(bytes, random, roundTrip(random), ref accepted);
            }
            catch (Exception exception)
            {
                Assert.Fail($"""
                    seed {seed}, stream {stream}
                    {CorpusText.Escape(bytes).Replace(@"\r\n", "\\r\\n\n", StringComparison.Ordinal)}
                    {exception}
                    """);
            }
        }

        // A mutator whose streams are all refused, or all accepted, tests nothing.
        Assert.That(accepted, Is.InRange(StreamsInTheSuite / 20, int.MaxValue), "streams with a message in them");
    }

    private static void Try(byte[] bytes, Random random, MessageReading forwarding, ref int accepted)
    {
        Try(bytes, random, forwarding);
        if (forwarding.Log.ToLines().Contains("forwards:"))
            accepted++;
    }

    /// <summary>Reads whole, cut and byte by byte, and compares. The reading is left as the whole one.</summary>
    private static void Try(byte[] bytes, Random random, MessageReading reading)
    {
        Corpus.ReadWhole(reading, bytes);
        var whole = reading.Log.ToLines();

        for (var left = 3; left > 0; left--)
        {
            var cut = random.Next(bytes.Length + 1);
            Corpus.ReadCut(reading, bytes, cut);
            Assert.That(reading.Log.ToLines(), Is.EqualTo(whole), $"cut after byte {cut}");
        }

        if (bytes.Length <= ByteByByteMax)
        {
            Corpus.ReadByteByByte(reading, bytes, segmentBytes: random.Next(1, 8));
            Assert.That(reading.Log.ToLines(), Is.EqualTo(whole), "byte by byte");
        }
    }

    private static List<byte[]> KnownStreams(CorpusKind kind)
    {
        var wanted = kind == CorpusKind.Request
            ? new[] { CorpusKind.Request, CorpusKind.ForwardedRequest }
            : [CorpusKind.Response, CorpusKind.ForwardedResponse];

        // Streams near a limit take long and change little.
        return Corpus.Names.Select(Corpus.Load)
            .Where(example => wanted.Contains(example.Kind) && example.Bytes.Length <= 2_048)
            .Select(example => example.Bytes)
            .ToList();
    }

    private static int Seed()
    {
        var given = Environment.GetEnvironmentVariable("POLYBALANCE_FUZZ_SEED");
        if (given is not null)
            return int.Parse(given, CultureInfo.InvariantCulture);

        return OnDemand > TimeSpan.Zero ? Environment.TickCount : UsualSeed;
    }
}
