using System.Text;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>W3C Trace Context §3.2: what is a traceparent, and what is none.</summary>
internal sealed class TraceParentTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string SpanId = "00f067aa0ba902b7";

    [TestCase($"00-{TraceId}-{SpanId}-00", false)]
    [TestCase($"00-{TraceId}-{SpanId}-01", true)]
    [TestCase($"00-{TraceId}-{SpanId}-03", true, TestName = "further flags mean nothing to us")]
    [TestCase($"00-{TraceId}-{SpanId}-fe", false, TestName = "without the one that we know")]
    [TestCase($"01-{TraceId}-{SpanId}-01", true, TestName = "a later version of the same length")]
    [TestCase($"cc-{TraceId}-{SpanId}-01-what-the-future-will-be", true, TestName = "a later version with more")]
    public void What_is_one_is_read(string value, bool isSampled)
    {
        Assert.That(TraceParent.TryParse(Encoding.ASCII.GetBytes(value), out var parent));
        Assert.That(parent, Is.EqualTo(new TraceParent(
            UInt128.Parse(TraceId, System.Globalization.NumberStyles.HexNumber,
                System.Globalization.CultureInfo.InvariantCulture),
            0x00f067aa0ba902b7, isSampled)));
    }

    [TestCase("")]
    [TestCase("00")]
    [TestCase($"00-{TraceId}-{SpanId}-0")]
    [TestCase($"00-{TraceId}-{SpanId}-011")]
    [TestCase($"00-{TraceId}-{SpanId}-01-more", TestName = "version 00 has nothing more")]
    [TestCase($"cc-{TraceId}-{SpanId}-01.more", TestName = "more begins with a dash")]
    [TestCase($"ff-{TraceId}-{SpanId}-01", TestName = "ff is no version")]
    [TestCase($"0x-{TraceId}-{SpanId}-01")]
    [TestCase($"00-{TraceId}-{SpanId}-0g")]
    [TestCase($"00-4BF92F3577B34DA6A3CE929D0E0E4736-{SpanId}-01", TestName = "digits are lower case")]
    [TestCase($"00-{TraceId}-00F067AA0BA902B7-01", TestName = "in the span id too")]
    [TestCase($"00-00000000000000000000000000000000-{SpanId}-01", TestName = "no trace has the id 0")]
    [TestCase($"00-{TraceId}-0000000000000000-01", TestName = "no span has the id 0")]
    [TestCase($"00 {TraceId}-{SpanId}-01")]
    [TestCase($"00-{TraceId} {SpanId}-01")]
    [TestCase($"00-{TraceId}-{SpanId} 01")]
    [TestCase($"00-{TraceId}-{SpanId}-01, 00-{TraceId}-{SpanId}-01", TestName = "a list is none")]
    public void What_is_none_is_not_repaired(string value)
        => Assert.That(TraceParent.TryParse(Encoding.ASCII.GetBytes(value), out _), Is.False);

    [Test]
    public void What_is_written_is_read_again()
    {
        var random = new Random(20261127);
        Span<byte> value = stackalloc byte[TraceParent.Bytes];
        for (var round = 0; round < 1_000; round++)
        {
            var parent = new TraceParent(
                new((ulong)random.NextInt64(), (ulong)random.NextInt64() >> random.Next(60)),
                ((ulong)random.NextInt64() >> random.Next(60)) + 1, random.Next(2) == 0);
            parent.Write(value);

            Assert.That(TraceParent.TryParse(value, out var read), $"round {round}");
            Assert.That(read, Is.EqualTo(parent), $"round {round}");
        }
    }

    [Test]
    public void One_wrong_byte_anywhere_never_makes_it_throw()
    {
        var valid = Encoding.ASCII.GetBytes($"00-{TraceId}-{SpanId}-01");
        for (var at = 0; at < valid.Length; at++)
        {
            for (var wrong = 0; wrong < 256; wrong++)
            {
                var value = (byte[])valid.Clone();
                value[at] = (byte)wrong;
                if (TraceParent.TryParse(value, out var parent))
                    Assert.That(parent.TraceId != 0 && parent.SpanId != 0, $"byte {at} is {wrong}");
            }

            Assert.That(TraceParent.TryParse(valid.AsSpan(0, at), out _), Is.False, $"cut after {at} bytes");
        }
    }
}
