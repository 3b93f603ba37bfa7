using System.Runtime.CompilerServices;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>After 101: two blind copies, each of which may end before the other (half-close). RFC 9110 §7.8.</summary>
/// <remarks>
/// Ends when both directions have ended, when either side fails, or when nothing has moved either way for the idle
/// timeout.
/// </remarks>
internal sealed class Tunnel(Connection client, Connection backend, Heartbeat heartbeat, long idleTimeout)
{
    private long _lastMoved = heartbeat.Now;

    /// <summary>Bytes from the client. Unit: bytes.</summary>
    public long BytesUp { get; private set; }

    /// <summary>Bytes from the backend. Unit: bytes.</summary>
    public long BytesDown { get; private set; }

    /// <summary>Copies until the tunnel ends.</summary>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public async ValueTask<bool> RunAsync()
    {
        client.IsIdle = backend.IsIdle = true;
        var up = CopyAsync(client, backend);
        BytesDown = await CopyAsync(backend, client);
        BytesUp = await up;
        return true;
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<long> CopyAsync(Connection from, Connection to)
    {
        var moved = 0L;
        while (true)
        {
            from.ReadDeadline = Volatile.Read(ref _lastMoved) + idleTimeout;
            var read = await from.Input.ReadAsync();
            if (!read.Buffer.IsEmpty)
            {
                Volatile.Write(ref _lastMoved, heartbeat.Now);
                moved += read.Buffer.Length;
                if ((await to.SendAsync(read.Buffer)).IsCompleted)
                    break;
                from.Input.AdvanceTo(read.Buffer.End);
            }

            if (read.IsCompleted && from.CloseReason == CloseReason.PeerClosed)
            {
                to.ShutdownOutput();
                return moved;
            }

            var isSilent = heartbeat.Now - Volatile.Read(ref _lastMoved) >= idleTimeout;
            if (read.IsCompleted || (from.IsReadOverdue && isSilent))
                break;
        }

        // One side failed, or both were silent for too long: the other must not wait for what will never come.
        client.Abort(CloseReason.Aborted);
        backend.Abort(CloseReason.Aborted);
        return moved;
    }
}
