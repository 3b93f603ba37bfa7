using System.Net;
using PolyBalance.Transport;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>
/// A client in memory. The whole exchange runs inside <see cref="Get"/>, on the thread that calls it.
/// </summary>
internal sealed class MemoryClient : IDisposable
{
    private readonly Connection _connection;
    private readonly byte[] _request;
    private long _responseBytes;

    private MemoryClient(Connection connection, byte[] request) => (_connection, _request) = (connection, request);

    /// <summary>Connects, and learns from a first exchange how long a response is.</summary>
    public static async Task<MemoryClient> ConnectAsync(MemoryTransport transport, EndPoint address, byte[] request)
    {
        var connected = await transport.ConnectAsync(address, transport.Heartbeat.Ticks(TimeSpan.FromSeconds(10)));
        var connection = connected.Connection
            ?? throw new InvalidOperationException($"No connection: {connected.Failure}.");
        var client = new MemoryClient(connection, request);
        client._responseBytes = client.Exchange();
        return client;
    }

    /// <summary>One exchange on the persistent connection.</summary>
    /// <returns>Bytes received.</returns>
    public long Get()
        => Exchange() is var received && received == _responseBytes
            ? received
            : throw new InvalidOperationException($"{received} bytes came instead of {_responseBytes}.");

    public void Dispose() => _connection.Abort(CloseReason.Aborted);

    private long Exchange()
    {
        _connection.Attach(_request);
        var flush = _connection.Output.FlushAsync();
        if (!flush.IsCompleted || flush.GetAwaiter().GetResult().IsCompleted)
            throw new InvalidOperationException("The gateway has not taken the request.");

        // Everything that the flush set off has run before it returned, so the response is there, in one read or
        // several.
        var received = 0L;
        do
        {
            var reading = _connection.Input.ReadAsync();
            if (!reading.IsCompleted)
                throw new InvalidOperationException($"Only {received} bytes came.");

            var read = reading.GetAwaiter().GetResult();
            if (received == 0 && !read.Buffer.FirstSpan.StartsWith("HTTP/1.1 200 "u8))
                throw new InvalidOperationException("The response is no 200.");
            received += read.Buffer.Length;
            _connection.Input.AdvanceTo(read.Buffer.End);
        }
        while (_responseBytes > received);
        return received;
    }
}
