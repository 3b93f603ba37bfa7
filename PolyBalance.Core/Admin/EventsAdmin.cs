using System.Buffers;
using PolyBalance.Proxy;

namespace PolyBalance.Admin;

/// <summary>What happens, as it happens: <c>GET /admin/events</c>, a stream of server-sent events.</summary>
/// <remarks>WHATWG HTML §9.2. Each event <c>state</c> has all of <see cref="LiveAnswer"/>: who missed one missed
/// nothing.</remarks>
internal sealed class EventsAdmin(GatewayView gateway)
{
    /// <summary>The media type of the stream.</summary>
    public const string ContentType = "text/event-stream";

    private readonly LiveFigures _figures = new(gateway);

    /// <summary>Sends until the client leaves or the gateway ends.</summary>
    public async ValueTask<FailureKind> StreamAsync(Exchange exchange)
    {
        if (!_figures.TryJoin())
        {
            var refusal = AdminAnswer.Refused(
                503, "too_many_viewers", $"{Limits.ViewersMax} watch already; close one of them");
            return await LocalResponse.SendAsync(
                exchange, refusal.Status, "application/json", refusal.LineBytes, refusal.Content);
        }

        try
        {
            if (await LocalResponse.BeginAsync(exchange, ContentType) is not { } stream)
                return exchange.Request.Method.IsHead ? FailureKind.None : FailureKind.ClientClosed;

            for (var look = await _figures.LatestAsync(); look.Length > 0; look = await _figures.NextAsync())
            {
                if (!await stream.SendAsync(Frame(look)))
                    return FailureKind.ClientClosed;
            }

            await stream.EndAsync();
            return FailureKind.None;
        }
        finally
        {
            _figures.Leave();
        }
    }

    // JSON has no line end in it, so one data line is enough.
    private static ReadOnlyMemory<byte> Frame(byte[] look)
    {
        var frame = new ArrayBufferWriter<byte>(look.Length + 32);
        frame.Write("event: state\ndata: "u8);
        frame.Write(look);
        frame.Write("\n\n"u8);
        return frame.WrittenMemory;
    }
}
