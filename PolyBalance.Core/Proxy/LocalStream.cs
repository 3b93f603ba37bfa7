using System.Buffers;
using PolyBalance.Http;

namespace PolyBalance.Proxy;

/// <summary>The content of a local response that comes bit by bit.</summary>
/// <remarks>
/// On the exchange's flow. Made by <see cref="LocalResponse.BeginAsync"/>. A client that takes nothing for
/// <c>timeouts.client_write</c> ends it like any other response.
/// </remarks>
internal sealed class LocalStream(Exchange exchange, BodyFraming framing)
{
    private BodyEncoder _encoder = BodyEncoder.For(framing);

    /// <summary>Sends a piece.</summary>
    /// <returns>Whether the client is still there.</returns>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> piece)
    {
        var output = exchange.Connection.Output;
        _encoder.WriteChunkStart(piece.Length, output);
        output.Write(piece.Span);
        _encoder.WriteChunkEnd(output);
        exchange.LocalBytesOut += piece.Length;
        return await FlushAsync();
    }

    /// <summary>Sends what is written.</summary>
    /// <returns>Whether the client is still there.</returns>
    public async ValueTask<bool> FlushAsync()
    {
        if (!(await exchange.Connection.Output.FlushAsync()).IsCompleted)
            return true;

        exchange.State.ClientClosed();
        return false;
    }

    /// <summary>Ends the content. The connection may go on.</summary>
    public async ValueTask EndAsync()
    {
        if (!exchange.Request.Method.IsHead)
            _encoder.WriteEnd(trailers: null, exchange.Connection.Output);
        if (await FlushAsync())
            exchange.State.ResponseSent();
    }
}
