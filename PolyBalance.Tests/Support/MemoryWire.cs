using System.Buffers;
using System.Net;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Support;

/// <summary>A wire over one end of a connection in memory.</summary>
/// <remarks>
/// Completions run inline on the gateway's own calls; the test goes on elsewhere, as it would behind a socket.
/// </remarks>
internal sealed class MemoryWire(Connection connection) : Wire
{
    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly SemaphoreSlim _writing = new(1, 1);

    public override async Task<WireRead> ReceiveAsync(Memory<byte> into)
    {
        await _reading.WaitAsync();
        try
        {
            var read = await connection.Input.ReadAsync();
            await Task.Yield();
            if (read.Buffer.IsEmpty && !read.IsCanceled)
                return new(0, connection.CloseReason == CloseReason.PeerClosed ? WireEnd.Closed : WireEnd.Reset);

            var bytes = (int)Math.Min(into.Length, read.Buffer.Length);
            read.Buffer.Slice(0, bytes).CopyTo(into.Span);
            connection.Input.AdvanceTo(read.Buffer.GetPosition(bytes));
            return new(bytes, WireEnd.None);
        }
        finally
        {
            _reading.Release();
        }
    }

    public override async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await _writing.WaitAsync();
        try
        {
            connection.Attach(bytes.ToArray());
            var flushed = await connection.Output.FlushAsync();
            await Task.Yield();
            return !flushed.IsCompleted;
        }
        finally
        {
            _writing.Release();
        }
    }

    public override void ShutdownOutput() => connection.ShutdownOutput();

    public override void Close()
    {
        connection.Close();
        _ = ForgetAsync();
    }

    public override void Reset()
    {
        connection.Abort(CloseReason.Aborted);
        _ = ForgetAsync();
    }

    // The memory goes back when no read and no send is at it any more.
    private async Task ForgetAsync()
    {
        await _reading.WaitAsync();
        await _writing.WaitAsync();
        connection.Input.Complete();
        connection.Output.Complete();
    }
}

/// <summary>A scripted backend's listener in memory.</summary>
internal sealed class MemoryWireListener(IConnectionListener listener) : IWireListener
{
    public string Address => listener.LocalEndPoint.ToString()!;

    public async Task<Wire?> AcceptAsync()
    {
        var connection = await listener.AcceptAsync();
        await Task.Yield();
        return connection is null ? null : new MemoryWire(connection);
    }

    public void Dispose() => _ = listener.DisposeAsync().AsTask();
}

/// <summary>A network in memory.</summary>
internal sealed class MemoryNetwork(TimeProvider clock, BlockPool blocks) : TestNetwork
{
    private const long ConnectTimeout = 20 * TimeSpan.TicksPerSecond;

    public override ITransport Transport => Memory;

    private MemoryTransport Memory { get; } = new(clock, blocks);

    public override IWireListener Listen(int port = 0, int backlog = 512)
    {
        Memory.Backlog = backlog;
        return new MemoryWireListener(Memory.Listen(new IPEndPoint(IPAddress.Loopback, port)));
    }

    public override Task FillBacklogAsync(string address) => Task.CompletedTask;

    public override async Task<Wire> ConnectAsync(EndPoint address)
    {
        var connected = await Memory.ConnectAsync(address, ConnectTimeout);
        await Task.Yield();
        return new MemoryWire(connected.Connection ?? throw new IOException($"{connected.Failure}"));
    }
}
