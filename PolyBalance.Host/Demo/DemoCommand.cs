using Microsoft.Extensions.Logging.Abstractions;
using PolyBalance.Configuration;
using PolyBalance.Host.Lifecycle;
using PolyBalance.Server;
using PolyBalance.Transport;

namespace PolyBalance.Host.Demo;

/// <summary>
/// <c>polybalance demo</c>: three backends, the gateway and some load in one process; a table of who answered what.
/// </summary>
internal static class DemoCommand
{
    private const int PortWanted = 8000;
    private const int AdminPortWanted = 8081;
    private const int RequestsOnce = 300;
    private const int RequestsPerSecond = 200;

    private static readonly SampleBackendOptions[] Cast =
    [
        new() { Name = "steady" },
        new() { Name = "slow", Delay = TimeSpan.FromMilliseconds(25) },
        new() { Name = "flaky", FailureRate = 0.1 },
    ];

    /// <summary>Runs until Ctrl-C, or for one round.</summary>
    /// <param name="once">One short round, a plain table, then end.</param>
    /// <param name="surroundings">Where to print.</param>
    /// <returns>0; 1 when a request of <paramref name="once"/> got no answer; 3 when nothing could be listened
    /// on.</returns>
    public static async Task<int> RunAsync(bool once, Surroundings surroundings)
    {
        using var signals = new Signals();
        var backends = new List<SampleBackend>();
        try
        {
            foreach (var options in Cast)
                backends.Add(SampleBackend.Start(options, NullLoggerFactory.Instance));
            var tally = new DemoTally(Cast, backends);
            await using var server = await StartGatewayAsync(tally);
            var address = server.TrafficAddresses[0];
            await SayWhatRunsAsync(server, tally, surroundings.Output);

            using var load = new DemoLoad(new Uri($"http://{address}/"));
            if (once)
                await load.RunRoundAsync(RequestsOnce, signals.First);
            else
                await RunUntilSignalAsync(load, tally, address, signals, surroundings);

            await server.DrainAsync(TimeSpan.FromSeconds(1));
            DemoView.WriteTable(tally, load, surroundings.Output);
            return once && load.Unanswered > 0 ? ExitCode.Refused : ExitCode.Fine;
        }
        catch (ListenException failure)
        {
            await surroundings.Error.WriteLineAsync($"polybalance: {failure.Message}");
            return ExitCode.CouldNotListen;
        }
        finally
        {
            foreach (var backend in backends)
                await backend.DisposeAsync();
        }
    }

    private static async Task RunUntilSignalAsync(
        DemoLoad load, DemoTally tally, string address, Signals signals, Surroundings surroundings)
    {
        var running = load.RunAsync(RequestsPerSecond, signals.First);
        if (Console.IsOutputRedirected)
            await DemoView.WriteLinesAsync(tally, load, surroundings.Output, signals.First);
        else
            await DemoView.ShowLiveAsync(tally, load, address, signals.First);
        await running;
    }

    private static async Task<ProxyServer> StartGatewayAsync(DemoTally tally)
    {
        foreach (var (port, adminPort) in ((int, int)[])[(PortWanted, AdminPortWanted), (PortWanted, 0)])
        {
            var wanted = Create(port, adminPort, tally);
            try
            {
                await wanted.StartAsync();
                return wanted;
            }
            catch (ListenException)
            {
                await wanted.DisposeAsync();
            }
        }

        var server = Create(0, 0, tally);
        await server.StartAsync();
        return server;
    }

    private static ProxyServer Create(int port, int adminPort, DemoTally tally)
    {
        var backends = new List<BackendOptions>();
        foreach (var row in tally.Rows)
        {
            var address = Address.Tcp("127.0.0.1", row.Port);
            backends.Add(new BackendOptions { Address = address, Name = row.Name, Health = null });
        }

        var cluster = new ClusterOptions { Name = "demo", Backends = [.. backends], Health = null };
        var options = new ProxyOptions
        {
            Listeners = [new ListenerOptions { Bind = Address.Tcp("127.0.0.1", port) }],
            Admin = AdminOptions.Default with { Bind = Address.Tcp("127.0.0.1", adminPort) },
            Routes = [new RouteOptions { Cluster = cluster.Name }],
            Clusters = [cluster],
        };
        return ProxyServer.Create(options, NullLoggerFactory.Instance, tally);
    }

    private static async Task SayWhatRunsAsync(ProxyServer server, DemoTally tally, TextWriter output)
    {
        var (address, transport) = (server.TrafficAddresses[0], server.TransportName);
        var isWanted = address.EndsWith($":{PortWanted}", StringComparison.Ordinal);
        var remark = isWanted ? "" : $" (port {PortWanted} is taken)";
        await output.WriteLineAsync($"The gateway listens on http://{address}/{remark}, transport {transport}.");
        foreach (var row in tally.Rows)
            await output.WriteLineAsync($"  backend {row.Name,-6} on {row.Address}{row.Habit}");
        await output.WriteLineAsync($"Look at it in a browser: http://{server.AdminAddress}/admin/");
        await output.WriteLineAsync($"Try it yourself: curl -i http://{address}/hello");
        await output.FlushAsync();
    }
}
