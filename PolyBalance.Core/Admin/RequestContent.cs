using System.Buffers;
using PolyBalance.Http;
using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>Reads what an operator sends: all of a request's content, up to a bound.</summary>
/// <remarks>On the exchange's flow.</remarks>
internal static class RequestContent
{
    private static readonly byte[] Continue = "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray();

    /// <summary>Reads it to its end.</summary>
    /// <param name="exchange">Whose request.</param>
    /// <param name="bytesMax">More is refused. Unit: bytes.</param>
    /// <param name="content">Where it goes.</param>
    /// <returns>What failed; <see cref="FailureKind.None"/>: it is all there.</returns>
    public static async ValueTask<FailureKind> ReadAsync(
        Exchange exchange, int bytesMax, ArrayBufferWriter<byte> content)
    {
        if (exchange.State.IsRequestRead)
            return FailureKind.None;
        if (exchange.RequestFraming.Length > bytesMax)
            return FailureKind.ContentTooLarge;

        var (connection, client) = (exchange.Connection, exchange.Client);
        if (exchange.Request.ExpectsContinue)
        {
            connection.Output.Write(Continue);
            exchange.State.InterimSent();
            if ((await connection.Output.FlushAsync()).IsCompleted)
                return exchange.LoseClient();
        }

        var reader = new Reader(exchange.RequestFraming, content);
        while (!reader.IsComplete)
        {
            connection.ReadDeadline = client.Heartbeat.Now + client.Rules.BodyIdleTimeout;
            var read = await connection.Input.ReadAsync();
            var failure = reader.Take(read.Buffer, out var used);
            connection.Input.AdvanceTo(read.Buffer.GetPosition(used), read.Buffer.End);
            if (failure != FailureKind.None)
                return failure;
            if (content.WrittenCount > bytesMax)
                return FailureKind.ContentTooLarge;
            if (reader.IsComplete)
                break;
            if (read.IsCompleted)
                return exchange.LoseClient();
            if (read.IsCanceled && connection.IsReadOverdue)
                return FailureKind.ClientBodyTimedOut;
        }

        connection.ReadDeadline = Transport.Heartbeat.Unbounded;
        connection.IsIdle = true;
        exchange.State.RequestReceived();
        return FailureKind.None;
    }

    /// <summary>Takes the framing off. One owner.</summary>
    private sealed class Reader(BodyFraming framing, ArrayBufferWriter<byte> content)
    {
        private readonly TrailerSection _trailers = new();
        private BodyDecoder _decoder = BodyDecoder.For(framing);
        private long _scanned;
        private bool _isInTrailer;

        public bool IsComplete => _decoder.IsComplete;

        public FailureKind Take(in ReadOnlySequence<byte> bytes, out long used)
        {
            used = 0;
            foreach (var memory in bytes)
            {
                var rest = memory.Span;
                while (rest.Length > 0 && !_isInTrailer && !_decoder.IsComplete)
                {
                    var step = _decoder.Decode(rest);
                    if (step.Status == BodyStatus.Malformed)
                        return FailureKind.MalformedChunk;

                    content.Write(rest.Slice(step.ContentStart, step.ContentLength));
                    _isInTrailer = step.Status == BodyStatus.TrailerSection;
                    rest = rest[step.Consumed..];
                    used += step.Consumed;
                }
            }

            return _isInTrailer ? TakeTrailers(bytes.Slice(used), ref used) : FailureKind.None;
        }

        // They must be well-formed, and nobody here wants to know what they say.
        private FailureKind TakeTrailers(in ReadOnlySequence<byte> bytes, ref long used)
        {
            var status = HeadParser.FindTrailerEnd(bytes, ref _scanned, out var length, out var failure);
            if (status != HeadSearchStatus.Found)
                return status == HeadSearchStatus.NeedMore ? FailureKind.None : failure;

            _trailers.Take(bytes.Slice(0, length));
            if (!HeadParser.TryParseTrailers(_trailers, out failure))
                return failure;

            _decoder.TrailerDone();
            used += length;
            return FailureKind.None;
        }
    }
}
