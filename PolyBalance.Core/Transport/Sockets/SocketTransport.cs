using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>The portable transport: <see cref="Socket"/> as the framework has it.</summary>
internal sealed class SocketTransport : ITransport
{
    /// <summary>Starts the heartbeat; no socket is made yet.</summary>
    public SocketTransport(TimeProvider clock, BlockPool? blocks = null)
    {
        Heartbeat = new(clock);
        Blocks = blocks ?? new();
    }

    /// <inheritdoc/>
    public string Name => "sockets";

    /// <inheritdoc/>
    public Heartbeat Heartbeat { get; }

    /// <inheritdoc/>
    public BlockPool Blocks { get; }

    /// <inheritdoc/>
    public IConnectionListener Listen(EndPoint address)
        => new SocketListener(StreamSocket.Listen(address), address, Heartbeat, Blocks);

    /// <inheritdoc/>
    public async ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout)
    {
        SocketConnection connection;
        try
        {
            connection = new(StreamSocket.Open(address), address, Heartbeat, Blocks);
        }
        catch (SocketException)
        {
            // No file descriptor left, or an address family that this machine does not have.
            return new(null, FailureKind.ConnectFailed);
        }

        var failure = await connection.ConnectAsync(address, timeout);
        if (failure == FailureKind.None)
            return new(connection, FailureKind.None);

        connection.Abort(CloseReason.Aborted);
        return new(null, failure);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Heartbeat.Dispose();
        return ValueTask.CompletedTask;
    }
}
