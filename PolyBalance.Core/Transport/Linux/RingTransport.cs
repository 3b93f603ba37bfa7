using System.Net;
using System.Net.Sockets;

namespace PolyBalance.Transport.Linux;

/// <summary>
/// The transport for Linux: a few loops, each with its own thread, its own io_uring, and its own connections to clients
/// and backends. Nothing is shared on the way of a request.
/// </summary>
internal sealed class RingTransport : ITransport
{
    // A loop has its ring and the event that wakes it.
    private const int FilesPerLoop = 2;

    private int _next;

    private RingTransport(
        EventLoop[] loops, TimeProvider clock, LoopClock loopClock, BlockPool blocks, FileAllowance files)
    {
        Loops = loops;
        Files = files;
        Files.Add(FilesPerLoop * loops.Length);
        loopClock.TimerLoop = loops[0];
        Heartbeat = new(clock, loopClock);
        Blocks = blocks;
    }

    /// <inheritdoc/>
    public string Name => "io_uring";

    /// <inheritdoc/>
    public Heartbeat Heartbeat { get; }

    /// <inheritdoc/>
    public BlockPool Blocks { get; }

    /// <inheritdoc/>
    public FileAllowance Files { get; }

    /// <inheritdoc/>
    public int Lanes => Loops.Length;

    /// <inheritdoc/>
    public int Lane => Current?.Index ?? -1;

    /// <inheritdoc/>
    public bool KeepsLanesApart => true;

    /// <summary>The loops; each knows its index.</summary>
    public EventLoop[] Loops { get; }

    private EventLoop? Current
        => EventLoop.Current is { } loop && loop.Index < Loops.Length && Loops[loop.Index] == loop ? loop : null;

    /// <summary>Starts the loops, if this system allows it.</summary>
    /// <param name="clock">The clock of the heartbeat.</param>
    /// <param name="loops">How many.</param>
    /// <param name="blocks">Where memory comes from; null: a pool of its own.</param>
    /// <param name="error">0, or the error code that the kernel gave; see <see cref="RingObstacle"/>.</param>
    /// <param name="files">What file descriptors may be used; null: any.</param>
    /// <returns>The transport; null when the kernel refused.</returns>
    public static RingTransport? TryStart(
        TimeProvider clock, int loops, BlockPool? blocks, out int error, FileAllowance? files = null)
    {
        error = 0;
        files ??= new();
        var loopClock = new LoopClock(clock);
        var started = new List<EventLoop>(loops);
        while (started.Count < loops && error == 0)
        {
            error = EventLoop.TryStart(started.Count, loopClock, files, out var loop);
            if (loop is not null)
                started.Add(loop);
        }

        if (error == 0)
            return new([.. started], clock, loopClock, blocks ?? new(), files);

        foreach (var loop in started)
            _ = loop.Stop();
        return null;
    }

    /// <inheritdoc/>
    public IConnectionListener Listen(EndPoint address, ListeningSockets? given)
    {
        var count = address is UnixDomainSocketEndPoint ? 1 : Loops.Length;
        return new RingListener(
            this, given ?? new(address, StreamSocket.ListenMany(address, count), areKept: false));
    }

    /// <inheritdoc/>
    public ValueTask<ConnectResult> ConnectAsync(EndPoint address, long timeout)
    {
        if (StreamSocket.TryOpen(address, Files, out var failure) is not { } socket)
            return new(new ConnectResult(null, failure));

        // The ring wants the bare file descriptor; it closes it itself.
        var file = (int)socket.SafeHandle.DangerousGetHandle();
        socket.SafeHandle.SetHandleAsInvalid();
        var loop = Current ?? Loops[(uint)Interlocked.Increment(ref _next) % (uint)Loops.Length];
        return new RingConnect(this, loop, address, file).RunAsync(timeout);
    }

    /// <inheritdoc/>
    public async Task PassAsync()
    {
        foreach (var loop in Loops)
        {
            var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (loop.Post(static state => ((TaskCompletionSource)state!).SetResult(), passed))
                await passed.Task;
        }
    }

    /// <summary>Takes over a connected socket. Thread of the loop.</summary>
    public Connection Adopt(EventLoop loop, int file, EndPoint? remote, bool isUnix)
        => new RingConnection(loop, file, remote, isUnix, Heartbeat, Blocks);

    /// <summary>
    /// Where a client that one loop has accepted should live: there, unless another loop has clearly fewer connections.
    /// </summary>
    public EventLoop HomeFor(EventLoop accepting)
    {
        var lightest = accepting;
        foreach (var loop in Loops)
        {
            if (loop.Connections < lightest.Connections)
                lightest = loop;
        }

        var slack = 1 + (lightest.Connections >> 4);
        return accepting.Connections > lightest.Connections + slack ? lightest : accepting;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var loop in Loops)
            await loop.Stop();
        Heartbeat.Dispose();
    }
}
