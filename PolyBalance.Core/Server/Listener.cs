using PolyBalance.Proxy;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>The accept loops of one address.</summary>
/// <param name="listener">Where clients come from.</param>
/// <param name="wiring">What serves them.</param>
/// <param name="registry">Where those of all listeners of one kind are counted.</param>
/// <param name="files">
/// What file descriptors clients may use; null: all, because they are few and live on those that are reserved.
/// </param>
internal sealed class Listener(
    IConnectionListener listener, ListenerWiring wiring, ConnectionRegistry registry, FileAllowance? files)
{
    private Task _loops = Task.CompletedTask;
    private bool _hasEnded;
    private long _warnedAt = long.MinValue;
    private volatile int _connectionsMax;

    /// <summary>Whether it is for clients; otherwise it is for operators.</summary>
    public required bool IsTraffic { get; init; }

    /// <summary>The address as the configuration has it.</summary>
    public required Configuration.Address Bind { get; init; }

    /// <summary>How many connections the registry may hold; 0: no limit. Any thread.</summary>
    public int ConnectionsMax
    {
        get => _connectionsMax;
        set => _connectionsMax = value;
    }

    /// <summary>What serves its clients.</summary>
    public ListenerWiring Wiring => wiring;

    /// <summary>What messages call it.</summary>
    public string Purpose => IsTraffic ? "traffic" : "admin";

    /// <summary>The address, with the real port.</summary>
    public string Address => listener.LocalEndPoint.ToString() ?? "";

    /// <summary>What it listens with; null: nothing that the system knows of.</summary>
    public ListeningSockets? Sockets => listener.Sockets;

    /// <summary>The same for clients that come another way; those that are here keep what serves them.</summary>
    /// <param name="other">Where clients come from.</param>
    public Listener On(IConnectionListener other) => new(other, wiring, registry, files)
    {
        IsTraffic = IsTraffic,
        Bind = Bind,
        ConnectionsMax = ConnectionsMax,
    };

    /// <summary>Begins to accept.</summary>
    public void Start()
    {
        var loops = new Task[listener.Acceptors];
        for (var acceptor = 0; acceptor < loops.Length; acceptor++)
            loops[acceptor] = RunAsync(acceptor);
        _loops = Task.WhenAll(loops);
    }

    /// <summary>
    /// Stops accepting: new clients are refused by the system from now on, or wait for those who hold the sockets too.
    /// </summary>
    /// <returns>False: it had stopped before.</returns>
    public async Task<bool> TryEndAsync()
    {
        if (_hasEnded)
            return false;

        _hasEnded = true;
        await listener.DisposeAsync();
        await _loops;
        return true;
    }

    private async Task RunAsync(int acceptor)
    {
        // :: 1 accept
        while (await listener.AcceptAsync(acceptor) is { } connection)
        {
            // :: 2 adopt
            if (files is not null && !files.TryAdmit(registry.Count))
            {
                _ = RefuseAsync(connection);
                continue;
            }

            var client = new ClientConnection(connection, registry.NextNumber(), wiring);
            if (registry.TryServe(client, ConnectionsMax))
                continue;

            _ = RefuseAsync(connection);
            WarnOfLimit();
        }
    }

    // Says why and closes, without reading or waiting: a flood must not hold what the limit protects.
    private static async Task RefuseAsync(Connection connection)
    {
        LocalResponse.WriteTooManyConnections(connection.Output);
        await connection.Output.FlushAsync();
        connection.ShutdownOutput();
        connection.Close();
        connection.Input.Complete();
        connection.Output.Complete();
    }

    private void WarnOfLimit()
    {
        // Once a minute: a flood of clients must not become a flood of log lines.
        var now = wiring.Heartbeat.Now;
        if (_warnedAt != long.MinValue && wiring.Heartbeat.Span(now - _warnedAt) < TimeSpan.FromMinutes(1))
            return;

        _warnedAt = now;
        Log.ConnectionLimitReached(wiring.Logger, ConnectionsMax);
    }
}
