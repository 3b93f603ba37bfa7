using PolyBalance.Proxy;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>The accept loop of one address.</summary>
internal sealed class Listener(
    IConnectionListener listener, ListenerWiring wiring, ConnectionRegistry registry, int connectionsMax) : IAsyncDisposable
{
    private static long _accepted;

    private Task _loop = Task.CompletedTask;
    private long _warnedAt = long.MinValue;

    /// <summary>The address, with the real port.</summary>
    public string Address => listener.LocalEndPoint.ToString() ?? "";

    /// <summary>Begins to accept.</summary>
    public void Start() => _loop = RunAsync();

    /// <summary>Stops accepting: new clients are refused by the system from now on.</summary>
    public async ValueTask DisposeAsync()
    {
        await listener.DisposeAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        // :: 1 accept
        while (await listener.AcceptAsync().ConfigureAwait(false) is { } connection)
        {
            // :: 2 adopt
            var client = new ClientConnection(connection, Interlocked.Increment(ref _accepted), wiring);
            if (registry.TryServe(client, connectionsMax))
                continue;

            connection.Abort(CloseReason.Aborted);
            WarnOfLimit();
        }
    }

    private void WarnOfLimit()
    {
        // Once a minute: a flood of clients must not become a flood of log lines.
        var now = wiring.Heartbeat.Now;
        if (_warnedAt != long.MinValue && wiring.Heartbeat.Span(now - _warnedAt) < TimeSpan.FromMinutes(1))
            return;

        _warnedAt = now;
        Log.ConnectionLimitReached(wiring.Logger, connectionsMax);
    }
}
