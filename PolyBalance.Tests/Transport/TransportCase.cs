using System.Net;
using System.Net.Sockets;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Linux;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Tests.Transport;

/// <summary>One transport that must keep the contract. A new transport is one more line in <see cref="All"/>.</summary>
/// <param name="Name">How the test report calls it.</param>
/// <param name="Make">Makes it over a clock, with blocks of its own.</param>
/// <param name="NewAddress">Where to listen.</param>
/// <param name="HasReset">Whether an abort can be told from an orderly end at any time.</param>
internal sealed record TransportCase(
    string Name, Func<TimeProvider, ITransport> Make, Func<EndPoint> NewAddress, bool HasReset)
{
    /// <summary>Every transport there is.</summary>
    public static readonly TransportCase[] All =
    [
        new("sockets", clock => new SocketTransport(clock), AnyPort, HasReset: true),
        new("sockets with tiny blocks", clock => new SocketTransport(clock, Tiny()), AnyPort, HasReset: true),
        // A Unix socket tells its peer of an abort only when there was unread input: there is no reset otherwise.
        new("unix sockets", clock => new SocketTransport(clock), UnixPath, HasReset: false),
        new("io_uring", clock => Ring(clock), AnyPort, HasReset: true),
        new("io_uring with tiny blocks", clock => Ring(clock, Tiny()), AnyPort, HasReset: true),
        new("io_uring over unix sockets", clock => Ring(clock), UnixPath, HasReset: false),
        new("memory", clock => new MemoryTransport(clock), AnyPort, HasReset: true),
        new("memory with tiny blocks", clock => new MemoryTransport(clock, Tiny()), AnyPort, HasReset: true),
    ];

    /// <summary>One of them, for tests of what only it can do.</summary>
    public static TransportCase Named(string name) => Array.Find(All, transport => transport.Name == name)!;

    /// <inheritdoc/>
    public override string ToString() => Name;

    // One loop: the rig accepts with one acceptor.
    private static RingTransport Ring(TimeProvider clock, BlockPool? blocks = null)
        => RingOrNone.Start(clock, loops: 1, blocks);

    private static BlockPool Tiny() => new(smallBytes: 64, largeBytes: 256);

    private static IPEndPoint AnyPort() => new(IPAddress.Loopback, 0);

    private static UnixDomainSocketEndPoint UnixPath()
        => new(Path.Combine(Path.GetTempPath(), $"polybalance-{Guid.NewGuid():N}.sock"));
}
