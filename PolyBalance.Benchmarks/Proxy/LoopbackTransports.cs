using PolyBalance.Transport;
using PolyBalance.Transport.Linux;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>The transports that move bytes through a kernel, by the names that operators know.</summary>
internal static class LoopbackTransports
{
    /// <summary>Those that this system allows.</summary>
    public static IEnumerable<string> Names => IsRingThere() ? ["sockets", "io_uring"] : ["sockets"];

    /// <summary>Starts one; io_uring with a loop per processor.</summary>
    /// <exception cref="NotSupportedException">This system allows no io_uring.</exception>
    public static ITransport Start(string name)
        => name == "sockets"
            ? new SocketTransport(TimeProvider.System)
            : StartRing(Environment.ProcessorCount, out var error)
                ?? throw new NotSupportedException($"There is no io_uring here: {RingObstacle.Explain(error)}.");

    private static bool IsRingThere()
    {
        var ring = StartRing(loops: 1, out _);
        _ = ring?.DisposeAsync().AsTask();
        return ring is not null;
    }

    private static RingTransport? StartRing(int loops, out int error)
        => RingTransport.TryStart(TimeProvider.System, loops, blocks: null, out error);
}
