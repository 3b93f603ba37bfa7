using System.Buffers;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>Feeds heads to the parser as a connection does: in pieces, one segment each, a search after each.</summary>
internal static class HeadFeed
{
    /// <summary>The bounds of a default configuration.</summary>
    public static readonly HeadLimits DefaultLimits = new(Limits.HeadBytesDefault, Limits.FieldLinesDefault);

    /// <summary>The pieces as the segments of one sequence.</summary>
    public static ReadOnlySequence<byte> Sequence(params byte[][] pieces)
    {
        var first = new Segment(pieces.Length == 0 ? [] : pieces[0], before: null);
        var last = first;
        foreach (var piece in pieces.Skip(1))
            last = new Segment(piece, last);

        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>What becomes of a request head: a failure, None when read, null when incomplete.</summary>
    public static FailureKind? JudgeRequest(HeadLimits limits, params byte[][] pieces)
    {
        var head = new RequestHead();
        return Judge(
            pieces,
            (in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure)
                => HeadParser.FindRequestEnd(bytes, ref scanned, limits, out length, out failure),
            bytes =>
            {
                head.Take(bytes);
                return HeadParser.TryParseRequest(head, limits, out var failure) ? FailureKind.None : failure;
            });
    }

    /// <summary>What becomes of a response head; as <see cref="JudgeRequest"/>.</summary>
    public static FailureKind? JudgeResponse(HeadLimits limits, params byte[][] pieces)
    {
        var head = new ResponseHead();
        return Judge(
            pieces,
            (in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure)
                => HeadParser.FindResponseEnd(bytes, ref scanned, limits, out length, out failure),
            bytes =>
            {
                head.Take(bytes);
                return HeadParser.TryParseResponse(head, limits, out var failure) ? FailureKind.None : failure;
            });
    }

    /// <summary>What becomes of a trailer section; as <see cref="JudgeRequest"/>.</summary>
    public static FailureKind? JudgeTrailers(params byte[][] pieces)
    {
        var trailers = new TrailerSection();
        return Judge(pieces, HeadParser.FindTrailerEnd, bytes =>
        {
            trailers.Take(bytes);
            return HeadParser.TryParseTrailers(trailers, out var failure) ? FailureKind.None : failure;
        });
    }

    /// <summary>
    /// Asserts one verdict on the bytes whole, in two pieces cut anywhere, and byte by byte. Longer inputs are cut more
    /// coarsely, to keep the time linear.
    /// </summary>
    public static void AssertSameWhereverCut(Func<byte[][], FailureKind?> judge, byte[] bytes, FailureKind? expected)
    {
        Assert.That(judge([bytes]), Is.EqualTo(expected), "whole");

        var step = Math.Max(1, bytes.Length / 300);
        for (var cut = 1; cut < bytes.Length; cut += step)
            Assert.That(judge([bytes[..cut], bytes[cut..]]), Is.EqualTo(expected), $"cut after byte {cut}");

        Assert.That(judge([.. bytes.Chunk(step)]), Is.EqualTo(expected), $"in pieces of {step}");
    }

    private static FailureKind? Judge(byte[][] pieces, Search search, Func<ReadOnlySequence<byte>, FailureKind> parse)
    {
        var scanned = 0L;
        for (var count = 1; count <= pieces.Length; count++)
        {
            var bytes = Sequence(pieces[..count]);
            var status = search(bytes, ref scanned, out var length, out var failure);
            if (status == HeadSearchStatus.Refused)
            {
                Assert.That(failure, Is.Not.EqualTo(FailureKind.None));
                return failure;
            }

            Assert.That(failure, Is.EqualTo(FailureKind.None));
            if (status == HeadSearchStatus.Found)
            {
                Assert.That(scanned, Is.Zero);
                return parse(bytes.Slice(0, length));
            }

            Assert.That(scanned, Is.LessThanOrEqualTo(bytes.Length));
        }

        return null;
    }

    private delegate HeadSearchStatus Search(
        in ReadOnlySequence<byte> bytes, ref long scanned, out int length, out FailureKind failure);

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is null)
                return;

            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
