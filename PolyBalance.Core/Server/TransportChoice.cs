using PolyBalance.Configuration;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Server;

/// <summary>Starts the transport that was asked for, or the best one that this system allows.</summary>
internal static class TransportChoice
{
    /// <summary>Starts a transport.</summary>
    /// <param name="kind">What the configuration says.</param>
    /// <param name="workers">Loops of <c>io_uring</c>; null: one per processor.</param>
    /// <param name="clock">The clock of its heartbeat.</param>
    /// <param name="obstacle">Why <c>auto</c> has not become <c>io_uring</c>; null when nothing is in its way.</param>
    /// <exception cref="TransportException"><c>io_uring</c> was asked for and is not to be had here.</exception>
    public static ITransport Start(TransportKind kind, int? workers, TimeProvider clock, out string? obstacle)
    {
        obstacle = null;
        var files = FileAllowance.OfProcess();
        if (kind == TransportKind.Sockets)
            return new SocketTransport(clock, files: files);

        obstacle = TryStartRing(workers ?? Environment.ProcessorCount, clock, files, out var ring);
        if (ring is not null)
            return ring;
        if (kind == TransportKind.IoUring)
        {
            throw new TransportException(
                $"Cannot use the transport io_uring: {obstacle}. Allow it, or write `transport: auto`.");
        }

        return new SocketTransport(clock, files: files);
    }

    /// <summary>What <c>auto</c> would choose on this system, in a few words: for <c>polybalance version</c>.</summary>
    public static async Task<string> DescribeAsync()
    {
        var obstacle = TryStartRing(loops: 1, TimeProvider.System, new(), out var ring);
        if (ring is null)
            return $"sockets, not io_uring: {obstacle}";

        await ring.DisposeAsync();
        return ring.Name;
    }

    private static string? TryStartRing(int loops, TimeProvider clock, FileAllowance files, out RingTransport? ring)
    {
        ring = null;
        if (!OperatingSystem.IsLinux())
            return "it is a feature of Linux";

        ring = RingTransport.TryStart(clock, loops, blocks: null, out var error, files);
        return ring is null ? RingObstacle.Explain(error) : null;
    }
}
