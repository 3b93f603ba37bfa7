using System.Buffers;
using System.Net;
using PolyBalance.Http;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>A backend over any transport that gives every request without content the same answer.</summary>
internal sealed class MemoryBackend : IAsyncDisposable
{
    private static readonly HeadLimits Bounds = new(Limits.HeadBytesDefault, Limits.FieldLinesDefault);

    private readonly IConnectionListener _listener;
    private readonly byte[] _reply;
    private readonly Task _accepting;

    /// <summary>Starts it.</summary>
    public MemoryBackend(ITransport transport, byte[] reply)
    {
        _reply = reply;
        _listener = transport.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public EndPoint Address => _listener.LocalEndPoint;

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        while (await _listener.AcceptAsync() is { } connection)
            _ = ServeAsync(connection);
    }

    private async Task ServeAsync(Connection connection)
    {
        var scanned = 0L;
        while (true)
        {
            var read = await connection.Input.ReadAsync();
            var bytes = read.Buffer;
            if (HeadParser.FindRequestEnd(bytes, ref scanned, Bounds, out var length, out _) == HeadSearchStatus.Found)
            {
                connection.Input.AdvanceTo(bytes.GetPosition(length));
                scanned = 0;
                connection.Attach(_reply);
                await connection.Output.FlushAsync();
                continue;
            }

            if (read.IsCompleted)
                break;
            connection.Input.AdvanceTo(bytes.Start, bytes.End);
        }

        connection.Close();
    }
}
