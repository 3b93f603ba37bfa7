using System.Net;
using NUnit.Framework;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Backends;

/// <summary>A pool over memory, a backend that accepts everything, and a clock that stands still.</summary>
internal sealed class PoolRig : IAsyncDisposable
{
    private readonly MemoryTransport _memory;
    private readonly IConnectionListener _listener;
    private readonly Task _accepting;

    /// <summary>Starts the backend; the pool is empty and swept every second.</summary>
    public PoolRig(PoolOptions options)
    {
        _memory = new(Clock, new BlockPool(smallBytes: 64));
        _listener = _memory.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var address = Address.Tcp("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint).Port);
        Pool = new(new BackendAddress(address, Clock), _memory, options, TimeSpan.FromSeconds(3));
        _memory.Heartbeat.Every(TimeSpan.FromSeconds(1), Pool.Sweep);
        _accepting = AcceptAllAsync();
    }

    /// <summary>The clock of the heartbeat.</summary>
    public ManualClock Clock { get; } = new();

    /// <summary>What is tested.</summary>
    public ConnectionPool Pool { get; }

    /// <summary>The transport under it.</summary>
    public MemoryTransport Memory => _memory;

    /// <summary>The backend's ends, in the order in which they were accepted.</summary>
    public List<Connection> Accepted { get; } = [];

    /// <summary>A connection; fails the test when there is none.</summary>
    public async Task<BackendConnection> AcquireAsync(bool mustBeFresh = false, bool mustBeSure = false)
    {
        var result = await Pool.AcquireAsync(mustBeFresh, mustBeSure).InTime();
        Assert.That(result.Failure, Is.EqualTo(FailureKind.None));
        return result.Connection!;
    }

    /// <summary>So many connections at once.</summary>
    public async Task<List<BackendConnection>> AcquireAsync(int count)
    {
        var connections = new List<BackendConnection>();
        while (connections.Count < count)
            connections.Add(await AcquireAsync());
        return connections;
    }

    /// <summary>Stops the backend from accepting.</summary>
    public ValueTask StopListeningAsync() => _listener.DisposeAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Pool.Retire();
        await _listener.DisposeAsync();
        await _accepting.InTime();
        foreach (var connection in Accepted)
        {
            connection.Abort(CloseReason.Aborted);
            await connection.Input.CompleteAsync();
            await connection.Output.CompleteAsync();
        }

        await _memory.DisposeAsync();
        await Eventually.HoldsAsync(
            () => _memory.Blocks.Rented == 0, () => $"{_memory.Blocks.Rented} blocks come back");
    }

    private async Task AcceptAllAsync()
    {
        while (await _listener.AcceptAsync() is { } connection)
        {
            lock (Accepted)
                Accepted.Add(connection);
        }
    }
}
