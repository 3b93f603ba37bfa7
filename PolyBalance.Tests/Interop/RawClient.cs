using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolyBalance.Tests.Interop;

/// <summary>A client that sends exactly the bytes it is given.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };

    /// <summary>Connects.</summary>
    public static async Task<RawClient> ConnectAsync(IPEndPoint address)
    {
        var client = new RawClient();
        await client._socket.ConnectAsync(address);
        return client;
    }

    /// <summary>Connects several at once.</summary>
    public static Task<RawClient[]> ConnectAsync(IPEndPoint address, int count)
        => Task.WhenAll(Enumerable.Range(0, count).Select(_ => ConnectAsync(address)));

    /// <summary>Sends a text, one byte per character.</summary>
    public ValueTask<int> SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends bytes.</summary>
    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes) => _socket.SendAsync(bytes);

    /// <summary>Says that nothing more will come.</summary>
    public void EndSending() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>Receives until a text has come, or the end, of whatever kind.</summary>
    public async Task<string> ReceiveUntilAsync(string text)
    {
        using var patience = new CancellationTokenSource(RunningProgram.Patience);
        var received = new StringBuilder();
        var bytes = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(bytes, patience.Token) is > 0 and var count)
            {
                received.Append(Encoding.Latin1.GetString(bytes, 0, count));
                if (received.ToString().Contains(text, StringComparison.Ordinal))
                    break;
            }
        }
        catch (SocketException)
        {
            // Reset: the text will not come.
        }

        return received.ToString();
    }

    /// <summary>Receives until the peer closes in good order.</summary>
    /// <exception cref="SocketException">It reset the connection: what it sent last may be lost.</exception>
    public async Task<string> ReceiveToEndAsync()
    {
        var received = new StringBuilder();
        using var patience = new CancellationTokenSource(RunningProgram.Patience);
        var bytes = new byte[4096];
        while (await _socket.ReceiveAsync(bytes, patience.Token) is > 0 and var count)
            received.Append(Encoding.Latin1.GetString(bytes, 0, count));

        return received.ToString();
    }

    public void Dispose() => _socket.Dispose();
}
