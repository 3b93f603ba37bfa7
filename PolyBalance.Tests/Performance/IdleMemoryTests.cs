using System.Globalization;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// What a client costs that has had an answer and says nothing more: most clients of most gateways are such.
/// </summary>
/// <remarks>
/// The growth of a gateway that is warm and has many of them already, so that neither its code nor what the first
/// clients need counts. Nothing has to settle then: who has his answer leaves nothing to be done, and from one thousand
/// to the next the growth differed by a tenth. Measured per connection: 1.9 to 2.4 KiB over io_uring, 3.6 to 3.9 over
/// sockets.
/// </remarks>
[Platform("Linux", Reason = "resident memory is read from /proc")]
[NonParallelizable]
internal sealed class IdleMemoryTests
{
    private const int ConnectionsBefore = 2_000;
    private const int Connections = 2_000;
    private const int Batches = 3;

    // Half of a gateway's files are for connections to backends; and each process has some hundred others.
    private const int FilesNeeded = 2 * (ConnectionsBefore + Batches * Connections) + 500;

    [TestCase(Transports.Ring, 4 * 1024)]
    [TestCase(Transports.Sockets, 8 * 1024)]
    public async Task An_idle_connection_costs_little_memory(string transport, int bytesMax)
    {
        RequireFiles();
        using var gets = new SmallGets();
        await using var gateway = await Gateway.StartAsync(transport, [$"{gets.Backend}"]);
        await SmallGets.AskAsync(gateway.Address, clients: 32, each: 600);
        var clients = new List<Socket>();
        try
        {
            Open(ConnectionsBefore);
            // Resident memory grows in steps, and for reasons of the runtime's own: the median of three is ours.
            var batches = new List<long>();
            for (var batch = 0; batch < Batches; batch++)
            {
                var before = gateway.Memory;
                Open(Connections);
                batches.Add((gateway.Memory - before) / Connections);
            }

            batches.Sort();
            TestContext.Out.WriteLine($"{transport}: {string.Join(", ", batches)} bytes per idle connection");
            Assert.That(batches.Sum(), Is.Positive);
            Assert.That(batches[Batches / 2], Is.LessThanOrEqualTo(bytesMax));
            SmallGets.Ask(clients[0], requests: 1);
            gateway.AssertHealthy();
        }
        finally
        {
            foreach (var client in clients)
                client.Dispose();
        }

        void Open(int more)
        {
            for (var count = 0; count < more; count++)
            {
                clients.Add(SmallGets.Connect(gateway.Address));
                SmallGets.Ask(clients[^1], requests: 1);
            }
        }
    }

    private static void RequireFiles()
    {
        var line = File.ReadLines("/proc/self/limits")
            .First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        if (int.TryParse(hard, CultureInfo.InvariantCulture, out var max) && max < FilesNeeded)
            Assert.Ignore($"a process may have {max} files here, and {FilesNeeded} are needed: ulimit -n");
    }
}
