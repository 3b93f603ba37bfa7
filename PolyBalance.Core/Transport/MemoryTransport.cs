using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport;

/// <summary>
/// A transport inside this process, for tests and benchmarks: connections that can be cut, stalled and reset at any
/// byte.
/// </summary>
/// <remarks>
/// What makes a transport hard to use right is real here: back-pressure, half-closes, resets, completions inline on the
/// thread of whoever sent the bytes. A continuation must not block: what it waits for may have to run on its own
/// thread. With a clock of its own and one thread, the same calls always do the same things in the same order.
/// </remarks>
internal sealed class MemoryTransport : ITransport
{
    private const int FirstPort = 49_152;

    private readonly ConcurrentDictionary<string, MemoryListener> _listeners = new();
    private int _lastPort = FirstPort - 1;
    private long _sends;
    private long _receives;

    /// <summary>Starts the heartbeat.</summary>
    /// <param name="clock">The clock of the heartbeat: tests bring one that they move themselves.</param>
    /// <param name="blocks">Where memory comes from; tests choose tiny blocks, so that everything crosses
    /// borders.</param>
    public MemoryTransport(TimeProvider clock, BlockPool? blocks = null)
    {
        Heartbeat = new(clock);
        Blocks = blocks ?? new();
    }

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public Heartbeat Heartbeat { get; }

    /// <inheritdoc/>
    public BlockPool Blocks { get; }

    /// <inheritdoc/>
    public FileAllowance Files { get; } = new();

    /// <summary>
    /// Bytes in flight in one direction of a connection; a sender that has filled it waits. Unit: bytes.
    /// </summary>
    public int WindowBytes { get; init; } = 64 * 1024;

    /// <summary>
    /// Clients of one listener that may be connected and not yet accepted; the next one waits. Counts at
    /// <see cref="Listen"/>.
    /// </summary>
    public int Backlog { get; set; } = 4096;

    /// <summary>
    /// Sees both ends of each new connection before anybody uses them, to put faults on its lines: first the one that
    /// connects, then the one that is accepted.
    /// </summary>
    public Action<MemoryConnection, MemoryConnection>? Connecting { get; set; }

    /// <summary>Sends since the start: over a socket, each would have been at least one system call.</summary>
    public long Sends => Interlocked.Read(ref _sends);

    /// <summary>Receives since the start: over a socket, each would have been at least one system call.</summary>
    public long Receives => Interlocked.Read(ref _receives);

    /// <summary>Where completions run.</summary>
    public CompletionQueue Completions { get; } = new();

    /// <inheritdoc/>
    public IConnectionListener Listen(EndPoint address, ListeningSockets? given)
    {
        var local = address is IPEndPoint { Port: 0 } any ? new IPEndPoint(any.Address, NextPort()) : address;
        var listener = new MemoryListener(this, local, Backlog);
        if (!_listeners.TryAdd(Key(local), listener))
            throw new ListenException($"Cannot listen on {local}: somebody does already. Change `bind`.");
        return listener;
    }

    /// <inheritdoc/>
    public ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout)
        => ConnectFromAsync(ClientAddressFor(address), address, timeout);

    /// <summary>Connects as a client of a certain address.</summary>
    /// <param name="client">What the listener sees as the client's address; null as on a Unix socket.</param>
    /// <param name="address">Where to.</param>
    /// <param name="timeout">How long at most, in <see cref="Transport.Heartbeat"/> ticks.</param>
    public async ValueTask<ConnectResult> ConnectFromAsync(EndPoint? client, EndPoint address, long timeout)
    {
        if (Find(address) is not { } listener)
            return new(null, FailureKind.ConnectRefused);

        var up = new MemoryLine(WindowBytes, Blocks, Completions);
        var down = new MemoryLine(WindowBytes, Blocks, Completions);
        (up.Back, down.Back) = (down, up);
        var connecting = new MemoryConnection(this, address, incoming: down, outgoing: up);
        var accepted = new MemoryConnection(this, client, incoming: up, outgoing: down);
        Connecting?.Invoke(connecting, accepted);

        var failure = await connecting.ConnectAsync(listener, accepted, timeout);
        if (failure == FailureKind.None)
            return new(connecting, FailureKind.None);

        connecting.Abort(CloseReason.Aborted);
        accepted.Abort(CloseReason.Aborted);
        return new(null, failure);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Heartbeat.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A listener has been disposed: its address is free again.</summary>
    public void Forget(MemoryListener listener)
        => _listeners.TryRemove(new(Key(listener.LocalEndPoint), listener));

    /// <summary>One more send was begun.</summary>
    public void CountSend() => Interlocked.Increment(ref _sends);

    /// <summary>One more receive was begun.</summary>
    public void CountReceive() => Interlocked.Increment(ref _receives);

    // As bind does: the exact address first, then a listener on every address.
    private MemoryListener? Find(EndPoint address)
    {
        if (_listeners.TryGetValue(Key(address), out var listener) || address is not IPEndPoint { Port: var port } ip)
            return listener;

        return _listeners.TryGetValue(Key(new IPEndPoint(IPAddress.IPv6Any, port)), out listener)
            || (ip.AddressFamily == AddressFamily.InterNetwork
                && _listeners.TryGetValue(Key(new IPEndPoint(IPAddress.Any, port)), out listener))
                ? listener
                : null;
    }

    private IPEndPoint? ClientAddressFor(EndPoint address) => address switch
    {
        IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } => new(IPAddress.IPv6Loopback, NextPort()),
        UnixDomainSocketEndPoint => null,
        _ => new(IPAddress.Loopback, NextPort()),
    };

    private int NextPort()
    {
        var turn = (uint)(Interlocked.Increment(ref _lastPort) - FirstPort);
        return FirstPort + (int)(turn % (IPEndPoint.MaxPort - FirstPort + 1));
    }

    private static string Key(EndPoint address) => $"{address.AddressFamily} {address}";
}
