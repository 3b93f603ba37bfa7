using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>Clients that are slow, silent, many or mad: others notice nothing, and memory stays bounded.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class HostileClientTests(string transport)
{
    private const int Kibi = 1024;
    private const int Mebi = 1024 * Kibi;
    private const string Request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    private const string Answer = "hello from nginx\n";

    [Test]
    public async Task Thousands_of_idle_connections_cost_little_and_others_are_answered()
    {
        // Each end of a connection is a file. Half of a gateway's files are for connections to backends.
        var count = FilesMax() >= 11_000 ? 5_000 : 1_500;
        await using var nginx = await NginxBackend.StartAsync("nginx");
        await using var gateway = await Gateway.StartAsync(transport, [nginx.Address]);
        var clients = new List<RawClient>();
        try
        {
            await OpenAsync(100);
            var before = gateway.Memory;
            await OpenAsync(count);
            var each = (gateway.Memory - before) / count;

            for (var turn = 0; turn < 50; turn++)
                Assert.That(await gateway.GetAsync("/"), Is.EqualTo(Answer));
            await clients[0].SendAsync(Request);
            Assert.That(await clients[0].ReceiveUntilAsync(Answer), Does.StartWith("HTTP/1.1 200 OK"));

            TestContext.Out.WriteLine($"{each} bytes for each of {count} idle connections");
            Assert.That(each, Is.LessThan(16 * Kibi));
            gateway.AssertHealthy();
        }
        finally
        {
            foreach (var client in clients)
                client.Dispose();
        }

        // Every other one has had an answer and may send another request; the rest have said nothing yet.
        async Task OpenAsync(int more)
        {
            foreach (var chunk in Enumerable.Range(0, more).Chunk(200))
            {
                var opened = await Task.WhenAll(chunk.Select(async index =>
                {
                    var client = await RawClient.ConnectAsync(gateway.Address);
                    if (index % 2 != 0)
                        return client;

                    await client.SendAsync(Request);
                    await client.ReceiveUntilAsync(Answer);
                    return client;
                }));
                clients.AddRange(opened);
            }
        }
    }

    [Test]
    public async Task Slow_heads_and_bodies_are_ended_while_others_are_answered()
    {
        const int Each = 50;
        await using var node = await NodeBackend.StartAsync("node");
        await using var gateway = await Gateway.StartAsync(
            transport, [node.Address], more: "timeouts: { client_header: 1s, client_body_idle: 1s }");
        var heads = Enumerable.Range(0, Each).Select(_ => DripAsync("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")).ToList();
        var bodies = Enumerable.Range(0, Each)
            .Select(_ => StallAsync("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nsome")).ToList();

        for (var turn = 0; turn < 200; turn++)
            Assert.That(await gateway.GetAsync("/echo"), Does.Contain("/echo"));

        foreach (var answer in await Task.WhenAll(heads))
            Assert.That(answer, Does.StartWith("HTTP/1.1 408 ").And.Contain("client_head_timed_out"));
        foreach (var answer in await Task.WhenAll(bodies))
            Assert.That(answer, Does.StartWith("HTTP/1.1 408 ").And.Contain("client_body_timed_out"));
        gateway.AssertHealthy();

        async Task<string> StallAsync(string beginning)
        {
            using var client = await RawClient.ConnectAsync(gateway.Address);
            await client.SendAsync(beginning);
            return await client.ReceiveToEndAsync();
        }

        // The attack itself: a byte every now and then, so that the connection is never silent for a whole second.
        async Task<string> DripAsync(string beginning)
        {
            using var client = await RawClient.ConnectAsync(gateway.Address);
            await client.SendAsync(beginning);
            var answer = client.ReceiveToEndAsync();
            using var drip = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (await Task.WhenAny(answer, drip.WaitForNextTickAsync().AsTask()) != answer)
            {
                try
                {
                    await client.SendAsync("x");
                }
                catch (System.Net.Sockets.SocketException)
                {
                    break;
                }
            }

            return await answer;
        }
    }

    [Test]
    public async Task Clients_that_stop_reading_are_not_read_ahead_for()
    {
        const int Clients = 40;
        await using var nginx = await NginxBackend.StartAsync("nginx");
        await using (var file = File.Create(Path.Combine(nginx.Files, "large")))
            file.SetLength(64 * Mebi);
        await using var gateway = await Gateway.StartAsync(transport, [nginx.Address]);
        var clients = await RawClient.ConnectAsync(gateway.Address, Clients);
        try
        {
            foreach (var client in clients)
            {
                await client.SendAsync("GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n");
                await client.ReceiveUntilAsync("\r\n\r\n");
            }

            for (var turn = 0; turn < 200; turn++)
                Assert.That(await gateway.GetAsync("/"), Is.EqualTo(Answer));

            TestContext.Out.WriteLine($"resident memory at most {gateway.MemoryPeak / Mebi} MiB");
            Assert.That(gateway.MemoryPeak, Is.LessThan(100L * Mebi));
            gateway.AssertHealthy();
        }
        finally
        {
            foreach (var client in clients)
                client.Dispose();
        }
    }

    [Test]
    public async Task Random_bytes_are_refused_and_disturb_nobody()
    {
        const int Seed = 20_260_101;
        await using var nginx = await NginxBackend.StartAsync("nginx");
        await using var gateway = await Gateway.StartAsync(transport, [nginx.Address]);
        var random = new Random(Seed);

        for (var round = 0; round < 20; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 25).Select(index => SendAsync(Noise(random, index))));
            Assert.That(
                answers, Is.All.Match(@"^($|HTTP/1\.1 (400|408|414|431|501|505) )"), $"seed {Seed}, round {round}");
            Assert.That(await gateway.GetAsync("/"), Is.EqualTo(Answer));
        }

        gateway.AssertHealthy();

        async Task<string> SendAsync(byte[] noise)
        {
            using var client = await RawClient.ConnectAsync(gateway.Address);
            try
            {
                await client.SendAsync(noise);
                client.EndSending();
            }
            catch (System.Net.Sockets.SocketException)
            {
                // Refused before everything was sent.
            }

            return await client.ReceiveToEndAsync();
        }
    }

    // Bytes of any kind; every third time behind the beginning of a real request, so that some of them get far.
    private static byte[] Noise(Random random, int index)
    {
        var beginning = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"u8;
        var noise = new byte[random.Next(beginning.Length, 4000)];
        random.NextBytes(noise);
        if (index % 3 == 0)
            beginning[..random.Next(beginning.Length)].CopyTo(noise);
        return noise;
    }

    private static int FilesMax()
    {
        var line = File.ReadLines("/proc/self/limits")
            .First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        return int.TryParse(hard, out var max) ? max : int.MaxValue;
    }
}
