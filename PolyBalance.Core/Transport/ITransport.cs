using System.Net;

namespace PolyBalance.Transport;

/// <summary>A way to move bytes: listens for clients and connects to backends.</summary>
internal interface ITransport : IAsyncDisposable
{
    /// <summary>What an operator calls it: <c>sockets</c>, <c>memory</c>.</summary>
    string Name { get; }

    /// <summary>The one tick behind the deadlines of all its connections, and their clock.</summary>
    Heartbeat Heartbeat { get; }

    /// <summary>Where the memory of its connections comes from.</summary>
    BlockPool Blocks { get; }

    /// <summary>Starts to listen.</summary>
    /// <exception cref="ListenException">The address cannot be listened on. The message says what to do.</exception>
    IConnectionListener Listen(EndPoint address);

    /// <summary>Connects to an address within a timeout.</summary>
    /// <param name="address">Where to.</param>
    /// <param name="timeout">How long at most, in <see cref="Heartbeat"/> ticks.</param>
    ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout);
}

/// <summary>One address that clients connect to.</summary>
internal interface IConnectionListener : IAsyncDisposable
{
    /// <summary>The address, with the real port where the system chose one.</summary>
    EndPoint LocalEndPoint { get; }

    /// <summary>The next client, or null when the listener was disposed.</summary>
    /// <remarks>
    /// One caller at a time. Trouble with a single client or a lack of file descriptors is waited out, not thrown.
    /// </remarks>
    ValueTask<Connection?> AcceptAsync();
}

/// <summary>A connection, or why there is none.</summary>
/// <param name="Connection">The established connection; null when <paramref name="Failure"/> says why not.</param>
/// <param name="Failure"><see cref="FailureKind.None"/> when there is a connection.</param>
internal readonly record struct ConnectResult(Connection? Connection, FailureKind Failure);
