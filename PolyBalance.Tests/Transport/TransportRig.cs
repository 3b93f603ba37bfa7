using System.Buffers;
using System.IO.Pipelines;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Transport;

/// <summary>A transport with a listener and a clock that stands still, and pairs of connections over it.</summary>
/// <remarks>When it is disposed of, every connection is aborted, and not one block may be missing afterwards.</remarks>
internal sealed class TransportRig : IAsyncDisposable
{
    private readonly List<Connection> _connections = [];

    /// <summary>Listens.</summary>
    public TransportRig(TransportCase transport)
    {
        Transport = transport.Make(Clock);
        Listener = Transport.Listen(transport.NewAddress());
    }

    /// <summary>The clock of the heartbeat.</summary>
    public ManualClock Clock { get; } = new();

    /// <summary>What is tested.</summary>
    public ITransport Transport { get; }

    /// <summary>Where pairs meet.</summary>
    public IConnectionListener Listener { get; }

    /// <summary>A time span as the transport counts it.</summary>
    public long Seconds(double seconds) => Transport.Heartbeat.Ticks(TimeSpan.FromSeconds(seconds));

    /// <summary>A new connection: the end that connected and the end that was accepted.</summary>
    public async Task<(Connection Near, Connection Far)> ConnectAsync()
    {
        var accepting = Listener.AcceptAsync();
        var result = await Transport.ConnectAsync(Listener.LocalEndPoint, Seconds(5)).InTime();
        Assert.That(result.Failure, Is.EqualTo(FailureKind.None));
        var far = await accepting.InTime();
        lock (_connections)
            _connections.AddRange([result.Connection!, far!]);
        return (result.Connection!, far!);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            connection.Abort(CloseReason.Aborted);
        foreach (var connection in _connections)
        {
            await connection.Input.CompleteAsync();
            await connection.Output.CompleteAsync();
        }

        await Listener.DisposeAsync();
        await Transport.DisposeAsync();
        await Eventually.HoldsAsync(
            () => Transport.Blocks.Rented == 0, () => $"{Transport.Blocks.Rented} blocks come back");
    }
}

/// <summary>Short ways to read and write in tests.</summary>
internal static class ConnectionBytes
{
    /// <summary>Bytes that differ from their neighbours and from each other's neighbours.</summary>
    public static byte[] Some(int count, int seed = 1)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Sends a copy of bytes.</summary>
    public static async Task<FlushResult> WriteAsync(this Connection connection, byte[] bytes)
    {
        connection.Output.Write(bytes);
        return await connection.Output.FlushAsync().InTime();
    }

    /// <summary>Receives and consumes exactly so many bytes.</summary>
    public static async Task<byte[]> TakeAsync(this Connection connection, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await connection.Input.ReadAsync().InTime();
            var part = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, count - at));
            part.CopyTo(bytes.AsSpan(at));
            at += (int)part.Length;
            connection.Input.AdvanceTo(part.End);
            if (read.IsCompleted && at < count)
                Assert.Fail($"ended after {at} of {count} bytes: {connection.CloseReason}");
        }

        return bytes;
    }

    /// <summary>Receives and consumes everything up to the end.</summary>
    public static async Task<byte[]> TakeAllAsync(this Connection connection)
    {
        var bytes = new MemoryStream();
        while (true)
        {
            var read = await connection.Input.ReadAsync().InTime();
            foreach (var memory in read.Buffer)
                bytes.Write(memory.Span);
            connection.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return bytes.ToArray();
        }
    }

    /// <summary>Sends until the peer's failure to read makes a send wait.</summary>
    /// <returns>The send that waits, and how much was sent with it.</returns>
    public static (Task<FlushResult> Waiting, int Bytes) FillUp(this Connection connection, byte[] chunk)
    {
        for (var bytes = chunk.Length; bytes < 256 * 1024 * 1024; bytes += chunk.Length)
        {
            connection.Attach(chunk);
            var flush = connection.Output.FlushAsync();
            if (!flush.IsCompleted)
                return (flush.AsTask(), bytes);
            Assert.That(flush.GetAwaiter().GetResult().IsCompleted, Is.False);
        }

        throw new InvalidOperationException("Nothing ever slowed the sender down.");
    }
}
