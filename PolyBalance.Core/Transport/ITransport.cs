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

    /// <summary>The file descriptors that its connections hold.</summary>
    FileAllowance Files { get; }

    /// <summary>
    /// How many groups its connections fall into. Those that one thread works with are in one lane, and an exchange
    /// that stays in one lane changes no thread.
    /// </summary>
    int Lanes => ThreadLane.Count;

    /// <summary>The lane of the calling thread; negative: of none.</summary>
    int Lane => ThreadLane.Own;

    /// <summary>Whether a connection is of use in its own lane only.</summary>
    bool KeepsLanesApart => false;

    /// <summary>
    /// Completes when every thread that moves bytes has done what it was asked for before: never, when one of them is
    /// stuck. Any thread.
    /// </summary>
    async Task PassAsync() => await Task.Yield();

    /// <summary>Starts to listen.</summary>
    /// <param name="address">Where.</param>
    /// <param name="given">Sockets that listen there already; null: the listener makes its own.</param>
    /// <exception cref="ListenException">The address cannot be listened on. The message says what to do.</exception>
    IConnectionListener Listen(EndPoint address, ListeningSockets? given);

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

    /// <summary>What it listens with; null: nothing that the system knows of.</summary>
    ListeningSockets? Sockets => null;

    /// <summary>How many callers may accept at the same time: one per lane of clients.</summary>
    int Acceptors => 1;

    /// <summary>The next client, or null when the listener was disposed.</summary>
    /// <remarks>
    /// One caller at a time and acceptor; it goes on where the client's bytes will be moved. Trouble with a single
    /// client or a lack of file descriptors is waited out, not thrown.
    /// </remarks>
    /// <param name="acceptor">From 0 to below <see cref="Acceptors"/>.</param>
    ValueTask<Connection?> AcceptAsync(int acceptor = 0);
}

/// <summary>What is the same for every transport.</summary>
internal static class TransportExtensions
{
    /// <summary>Starts to listen on sockets of the listener's own.</summary>
    /// <exception cref="ListenException">The address cannot be listened on. The message says what to do.</exception>
    public static IConnectionListener Listen(this ITransport transport, EndPoint address)
        => transport.Listen(address, given: null);
}

/// <summary>A connection, or why there is none.</summary>
/// <param name="Connection">The established connection; null when <paramref name="Failure"/> says why not.</param>
/// <param name="Failure"><see cref="FailureKind.None"/> when there is a connection.</param>
internal readonly record struct ConnectResult(Connection? Connection, FailureKind Failure);
