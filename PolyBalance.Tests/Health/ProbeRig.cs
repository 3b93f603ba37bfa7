using System.Text;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Health;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Health;

/// <summary>Runs single probes over real sockets; checks that they leave nothing behind.</summary>
internal sealed class ProbeRig(Medium medium) : IAsyncDisposable
{
    private readonly ITransport _transport = TestNetwork.Create(medium, TimeProvider.System).Transport;

    /// <summary>A check with a timeout that no test runs into by accident.</summary>
    public static HealthOptions Patient { get; } = new() { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>A check for tests that run into the timeout.</summary>
    public static HealthOptions Hasty { get; } = new() { Timeout = TimeSpan.FromMilliseconds(300) };

    /// <summary>Runs one probe.</summary>
    public async Task<ProbeAnswer> ProbeAsync(
        string address, HealthOptions check, CancellationToken cancel = default)
    {
        var parsed = Address.ParseBackend(address).Value!;
        var target = new ProbeTarget("web", "a", parsed, new BackendAddress(parsed, TimeProvider.System), check);
        return await Probes.Of(check.Kind).RunAsync(target, new(_transport, TimeProvider.System), cancel).InTime();
    }

    /// <summary>Asks a backend that sends some bytes after the request head and then closes.</summary>
    public Task<ProbeAnswer> AskAsync(string answer, HealthOptions check) => AskAsync(
        async stream =>
        {
            if (await RawBackend.ReadHeadAsync(stream) is not null)
                await stream.WriteAsync(Encoding.Latin1.GetBytes(answer));
        },
        check);

    /// <summary>Asks a backend that does as told.</summary>
    public async Task<ProbeAnswer> AskAsync(Func<System.Net.Sockets.NetworkStream, Task> serve, HealthOptions check)
    {
        using var backend = new RawBackend((stream, _) => serve(stream));
        return await ProbeAsync(backend.Address, check);
    }

    public async ValueTask DisposeAsync()
    {
        await Eventually.HoldsAsync(() => _transport.Blocks.Rented == 0, () => "no memory is in use any more");
        await _transport.DisposeAsync();
    }
}
