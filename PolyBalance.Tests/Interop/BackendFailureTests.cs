using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>Backends that die, hang, hang up and talk nonsense.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class BackendFailureTests(string transport)
{
    private static readonly string[] Names = ["nginx-1", "nginx-2", "nginx-3"];

    [Test]
    public async Task Killing_one_of_three_under_load_fails_no_request_and_killing_all_is_told_at_once()
    {
        var wrk = Programs.Find("wrk");
        var backends = await Task.WhenAll(Names.Select(NginxBackend.StartAsync));
        await using var first = backends[0];
        await using var second = backends[1];
        await using var third = backends[2];
        await using var gateway = await Gateway.StartAsync(transport, backends.Select(backend => backend.Address));
        await using var load = RunningProgram.Start(wrk, ["-c64", "-t2", "-d3s", "--timeout", "30s", gateway.At("/")]);
        await UntilLoadFlowsAsync(gateway);

        await third.KillAsync();
        Assert.That(load.HasEnded, Is.False, "the load goes on after the kill");
        var result = await load.EndAsync();

        LoadProgramTests.AssertWrkIsContent(result);
        Assert.That(gateway.HasAccessLine("\"attempts\":2"), "retries happened, unseen");
        gateway.AssertHealthy();

        await first.KillAsync();
        await second.KillAsync();
        for (var turn = 0; turn < 10; turn++)
        {
            var started = Stopwatch.GetTimestamp();
            var (status, answer) = await AnswerAsync(gateway.Http, HttpMethod.Get);
            Assert.That(status, Is.EqualTo(HttpStatusCode.BadGateway));
            Assert.That(answer.GetProperty("reason").GetString(), Is.EqualTo("connect_refused"));
            var last = answer.GetProperty("backend").GetString();
            Assert.That(backends.Select(backend => backend.Address), Does.Contain(last));

            // At once: in less time than a connect may take.
            Assert.That(Stopwatch.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(2)));
        }

        gateway.AssertHealthy();
    }

    [Test]
    public async Task A_backend_that_hangs_is_504_after_the_timeout()
    {
        await using var nginx = await NginxBackend.StartAsync("nginx");
        await using var gateway = await Gateway.StartAsync(transport, [nginx.Address], "timeouts: { response: 1s }");
        Assert.That(await gateway.GetAsync("/"), Is.EqualTo("hello from nginx\n"));

        nginx.Signal(RunningProgram.SigStop);
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Post])
        {
            var started = Stopwatch.GetTimestamp();
            var (status, answer) = await AnswerAsync(gateway.Http, method);
            Assert.That(status, Is.EqualTo(HttpStatusCode.GatewayTimeout));
            Assert.That(answer.GetProperty("reason").GetString(), Is.EqualTo("response_timed_out"));
            Assert.That(Stopwatch.GetElapsedTime(started), Is.GreaterThan(TimeSpan.FromSeconds(0.9)));
        }

        nginx.Signal(RunningProgram.SigCont);
        Assert.That(await gateway.GetAsync("/"), Is.EqualTo("hello from nginx\n"));
        gateway.AssertHealthy();
    }

    [TestCase("I speak no HTTP\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n")]
    [TestCase("\u00ff\u00fe\u00fd\r\n\r\n")]
    public async Task A_backend_that_talks_nonsense_is_502(string nonsense)
    {
        using var backend = new RawBackend(async (stream, _) =>
        {
            if (await RawBackend.ReadHeadAsync(stream) is not null)
                await stream.WriteAsync(Encoding.Latin1.GetBytes(nonsense));
        });
        await using var gateway = await Gateway.StartAsync(transport, [backend.Address]);

        var (status, answer) = await AnswerAsync(gateway.Http, HttpMethod.Get);

        Assert.That(status, Is.EqualTo(HttpStatusCode.BadGateway));
        Assert.That(answer.GetProperty("reason").GetString(), Is.EqualTo("malformed_response"));
        Assert.That(answer.GetProperty("backend").GetString(), Is.EqualTo(backend.Address));
        gateway.AssertHealthy();
    }

    [Test]
    public async Task A_backend_that_hangs_up_after_every_response_costs_no_GET()
    {
        using var backend = new RawBackend(async (stream, _) =>
        {
            // Says nothing of closing, and closes all the same.
            if (await RawBackend.ReadHeadAsync(stream) is not null)
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
        });
        await using var gateway = await Gateway.StartAsync(transport, [backend.Address]);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            for (var turn = 0; turn < 100; turn++)
                Assert.That(await gateway.GetAsync("/"), Is.EqualTo("hello"));
        }));
        Assert.That(backend.Connections, Is.GreaterThanOrEqualTo(800), "one response per connection");
        gateway.AssertHealthy();
    }

    [Test]
    public async Task A_backend_that_hangs_up_after_every_response_never_sees_a_POST_twice()
    {
        var seen = new ConcurrentQueue<string>();
        using var backend = new RawBackend(async (stream, _) =>
        {
            if (await RawBackend.ReadHeadAsync(stream) is not { } head)
                return;

            seen.Enqueue(Encoding.Latin1.GetString(head).Split(' ')[1]);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"u8.ToArray());
        });
        await using var gateway = await Gateway.StartAsync(transport, [backend.Address]);

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async client =>
        {
            for (var turn = 0; turn < 100; turn++)
            {
                using var nothing = new ByteArrayContent([]);
                var target = new Uri($"/{client}/{turn}", UriKind.Relative);
                using var answer = await gateway.Http.PostAsync(target, nothing);

                // The connection may end while the request is on its way: then nobody can know whether it arrived.
                Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK).Or.EqualTo(HttpStatusCode.BadGateway));
            }
        }));
        Assert.That(seen, Is.Unique);
        gateway.AssertHealthy();
    }

    [Test]
    public async Task Node_with_a_tiny_keep_alive_timeout_costs_no_GET()
    {
        await using var node = await NodeBackend.StartAsync("node", keepAliveMilliseconds: 1);
        await using var gateway = await Gateway.StartAsync(transport, [node.Address]);

        for (var turn = 0; turn < 300; turn++)
        {
            using var answer = await gateway.Http.GetAsync(new Uri("/echo", UriKind.Relative));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), await answer.Content.ReadAsStringAsync());
        }

        gateway.AssertHealthy();
    }

    private static async Task<(HttpStatusCode Status, JsonElement Answer)> AnswerAsync(
        HttpClient http, HttpMethod method)
    {
        using var request = new HttpRequestMessage(method, new Uri("/", UriKind.Relative));
        if (method == HttpMethod.Post)
            request.Content = new StringContent("content");
        using var response = await http.SendAsync(request);
        Assert.That(response.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/json"));
        var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.That(answer.EnumerateObject().Select(member => member.Name),
            Is.EqualTo((string[])["error", "reason", "backend", "request_id"]));
        return (response.StatusCode, answer);
    }

    // So much access log that some hundred requests have been answered.
    private static async Task UntilLoadFlowsAsync(Gateway gateway)
    {
        while (gateway.AccessLogLength < 50_000)
        {
            using var answer = await gateway.Http.GetAsync(new Uri("/", UriKind.Relative));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        }
    }
}
