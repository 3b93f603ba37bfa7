using System.Globalization;
using System.Text.Json;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>Round robin, counted by what backends say of themselves and by what they have received.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class DistributionTests(string transport)
{
    [TestCase(2, ExpectedResult = "500 500", TestName = "1000 requests over two nginx are 500 and 500")]
    [TestCase(3, ExpectedResult = "333 333 334", TestName = "1000 requests over three nginx are 333, 333 and 334")]
    public async Task<string> A_thousand_requests_are_divided_exactly(int count)
    {
        var curl = Programs.Find("curl");
        var backends = new List<NginxBackend>();
        try
        {
            for (var index = 1; index <= count; index++)
                backends.Add(await NginxBackend.StartAsync($"nginx-{index}"));
            await using var gateway = await Gateway.StartAsync(transport, backends.Select(backend => backend.Address));

            // One curl, one connection, a thousand URLs; each answer is one line with the backend's name.
            var result = await RunningProgram.RunAsync(
                curl, "-sS", "-o", "/dev/null", "-w", "%{http_code} %header{x-backend}\n", gateway.At("/?[1-1000]"));
            Assert.That(result.ExitCode, Is.Zero, result.Everything);
            gateway.AssertHealthy();

            var answers = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(answers, Has.Length.EqualTo(1000).And.All.StartsWith("200 nginx-"));
            return string.Join(' ', answers.CountBy(answer => answer).Select(found => found.Value).Order());
        }
        finally
        {
            foreach (var backend in backends)
                await backend.DisposeAsync();
        }
    }

    [Test]
    public async Task Fifty_clients_at_once_get_their_own_answers_and_the_sums_at_the_backends_are_exact()
    {
        const int Clients = 50;
        const int Each = 200;
        await using var one = await NodeBackend.StartAsync("node-1");
        await using var two = await NodeBackend.StartAsync("node-2");
        await using var gateway = await Gateway.StartAsync(transport, [one.Address, two.Address]);

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => RunAsync(client))));

        Assert.That(await one.RequestsAsync(), Is.EqualTo(Clients * Each / 2));
        Assert.That(await two.RequestsAsync(), Is.EqualTo(Clients * Each / 2));
        gateway.AssertHealthy();

        async Task RunAsync(int client)
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1 });
            for (var turn = 0; turn < Each; turn++)
            {
                var target = string.Create(CultureInfo.InvariantCulture, $"/echo?client={client}&turn={turn}");
                using var answer = JsonDocument.Parse(await http.GetStringAsync(new Uri(gateway.At(target))));
                Assert.That(answer.RootElement.GetProperty("target").GetString(), Is.EqualTo(target));
            }
        }
    }
}
