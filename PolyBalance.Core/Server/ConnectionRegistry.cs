using System.Collections.Concurrent;
using PolyBalance.Proxy;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>The client connections that are open now: for the limit, for draining, for the count. Any thread.</summary>
/// <param name="firstNumber">Where numbering starts; registries of one process start far from each other.</param>
internal sealed class ConnectionRegistry(long firstNumber)
{
    private readonly ConcurrentDictionary<ClientConnection, bool> _open = new();
    private long _numbers = firstNumber;
    private int _count;
    private volatile bool _isDraining;

    /// <summary>How many there are.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Numbers the next connection: part of the ids of its requests.</summary>
    public long NextNumber() => Interlocked.Increment(ref _numbers);

    /// <summary>Serves a client and forgets it when it has ended.</summary>
    /// <returns>False when there are <paramref name="max"/> already (0: no limit).</returns>
    public bool TryServe(ClientConnection client, int max)
    {
        if (Interlocked.Increment(ref _count) > max && max > 0)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        _open[client] = true;
        if (_isDraining)
            client.Drain();
        _ = ServeAsync(client);
        return true;
    }

    /// <summary>How many wait for somebody of this kind now.</summary>
    public int CountWaiting(WaitKind kind) => _open.Keys.Count(client => client.WaitsFor == kind);

    /// <summary>
    /// What the open connections wait for now, for people: <c>2 for a backend's answer, 1 for its client</c>.
    /// </summary>
    public string DescribeWaits()
    {
        var waits = _open.Keys.CountBy(client => NameOf(client.WaitsFor)).OrderByDescending(one => one.Value);
        return string.Join(", ", waits.Select(one => $"{one.Value} for {one.Key}"));
    }

    /// <summary>Ends idle connections now and the others after their current exchange.</summary>
    public void Drain()
    {
        _isDraining = true;
        foreach (var client in _open.Keys)
            client.Drain();
    }

    /// <summary>The same for those of one listener only; more may come at others.</summary>
    public void Drain(ListenerWiring wiring)
    {
        foreach (var client in _open.Keys)
        {
            if (client.BelongsTo(wiring))
                client.Drain();
        }
    }

    /// <summary>Ends all connections at once.</summary>
    public void Abort()
    {
        foreach (var client in _open.Keys)
            client.Abort(CloseReason.ShutDown);
    }

    private static string NameOf(WaitKind? kind) => kind switch
    {
        WaitKind.Client => "its client",
        WaitKind.Queue => "a place at a backend",
        WaitKind.Connect => "a connection to a backend",
        WaitKind.FirstByte => "a backend's answer",
        WaitKind.Content => "the rest of a backend's response",
        _ => "nobody, as tunnels do",
    };

    private async Task ServeAsync(ClientConnection client)
    {
        await client.RunAsync();
        _open.TryRemove(client, out _);
        Interlocked.Decrement(ref _count);
    }
}
