using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>Programs that make load: what they count as an error must not happen.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class LoadProgramTests(string transport)
{
    private NginxBackend _one = null!;
    private NginxBackend _two = null!;
    private Gateway _gateway = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _one = await NginxBackend.StartAsync("nginx-1");
        _two = await NginxBackend.StartAsync("nginx-2");
        _gateway = await Gateway.StartAsync(transport, [_one.Address, _two.Address]);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        foreach (var started in (IAsyncDisposable?[])[_gateway, _two, _one])
        {
            if (started is not null)
                await started.DisposeAsync();
        }
    }

    [TearDown]
    public void The_log_stays_quiet() => _gateway.AssertHealthy();

    [Test]
    public async Task Wrk_with_64_connections_sees_no_error()
    {
        var result = await RunningProgram.RunAsync(
            Programs.Find("wrk"), "-c64", "-t2", "-d3s", "--timeout", "30s", _gateway.At("/"));

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        AssertWrkIsContent(result);
    }

    [Test]
    public async Task H2load_with_pipelining_gets_every_answer()
    {
        const int Requests = 12_800;
        var result = await RunningProgram.RunAsync(
            Programs.Find("h2load"), "--h1", "-c", "64", "-m", "8", "-n", $"{Requests}", _gateway.At("/"));

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(result.Output, Does.Contain(
            $"{Requests} done, {Requests} succeeded, 0 failed, 0 errored, 0 timeout"));
        Assert.That(result.Output, Does.Contain($"status codes: {Requests} 2xx, 0 3xx, 0 4xx, 0 5xx"));
    }

    [Test]
    public async Task Ab_keeps_its_HTTP_1_0_connections()
    {
        var result = await RunningProgram.RunAsync(
            Programs.FindOptional("ab"), "-q", "-k", "-c", "16", "-n", "4000", _gateway.At("/"));

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(Count(result, "Complete requests"), Is.EqualTo(4000), result.Everything);
        Assert.That(Count(result, "Failed requests"), Is.Zero, result.Everything);
        Assert.That(Count(result, "Keep-Alive requests"), Is.EqualTo(4000), result.Everything);
        Assert.That(result.Output, Does.Not.Contain("Non-2xx"));
    }

    /// <summary>wrk prints a line for socket errors and one for statuses beyond 3xx only when there are any.</summary>
    internal static void AssertWrkIsContent(ProgramResult result)
    {
        Assert.That(Count(result, "requests in", after: false), Is.GreaterThan(100), result.Everything);
        Assert.That(result.Output, Does.Not.Contain("Socket errors").And.Not.Contain("Non-2xx"));
    }

    private static int Count(ProgramResult result, string what, bool after = true)
    {
        var pattern = after ? Regex.Escape(what) + @":\s*(\d+)" : @"(\d+) " + Regex.Escape(what);
        return int.Parse(Regex.Match(result.Output, pattern).Groups[1].Value);
    }
}
