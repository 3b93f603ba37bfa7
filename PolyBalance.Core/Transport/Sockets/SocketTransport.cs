using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Sockets;

/// <summary>The portable transport: <see cref="Socket"/> as the framework has it.</summary>
internal sealed class SocketTransport : ITransport
{
    /// <summary>Starts the heartbeat; no socket is made yet.</summary>
    /// <param name="clock">The clock of the heartbeat.</param>
    /// <param name="blocks">Where memory comes from; null: a pool of its own.</param>
    /// <param name="files">What file descriptors may be used; null: any.</param>
    public SocketTransport(TimeProvider clock, BlockPool? blocks = null, FileAllowance? files = null)
    {
        Heartbeat = new(clock);
        Blocks = blocks ?? new();
        Files = files ?? new();
    }

    /// <inheritdoc/>
    public string Name => "sockets";

    /// <inheritdoc/>
    public Heartbeat Heartbeat { get; }

    /// <inheritdoc/>
    public BlockPool Blocks { get; }

    /// <inheritdoc/>
    public FileAllowance Files { get; }

    /// <inheritdoc/>
    public IConnectionListener Listen(EndPoint address, ListeningSockets? given) => new SocketListener(
        given ?? new(address, [StreamSocket.Listen(address)], areKept: false), Heartbeat, Blocks, Files);

    /// <inheritdoc/>
    public async ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout)
    {
        if (StreamSocket.TryOpen(address, Files, out var failure) is not { } socket)
            return new(null, failure);

        var connection = new SocketConnection(socket, address, Heartbeat, Blocks, Files);
        failure = await connection.ConnectAsync(address, timeout);
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
