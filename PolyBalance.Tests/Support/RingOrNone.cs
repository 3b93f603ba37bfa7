using NUnit.Framework;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Tests.Support;

/// <summary>The transport over io_uring, for tests that are to run wherever the system allows it.</summary>
internal static class RingOrNone
{
    /// <summary>Starts it, or ends the test with the reason why it cannot be had here.</summary>
    public static RingTransport Start(
        TimeProvider clock, int loops, BlockPool? blocks = null, FileAllowance? files = null)
    {
        if (RingTransport.TryStart(clock, loops, blocks, out var error, files) is { } transport)
            return transport;

        Assert.Ignore($"io_uring is not to be had here: {RingObstacle.Explain(error)}");
        throw new InvalidOperationException("Ignore does not return.");
    }
}
