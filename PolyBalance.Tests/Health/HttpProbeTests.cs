using System.Net;
using System.Net.Sockets;
using System.Text;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Tests.Interop;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Health;

[TestFixture(Medium.Sockets)]
[TestFixture(Medium.Ring)]
internal sealed class HttpProbeTests(Medium medium)
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Ready: yes\r\n\r\nok";

    private ProbeRig _rig = null!;

    [SetUp]
    public void Start() => _rig = new(medium);

    [TearDown]
    public async Task EndAsync() => await _rig.DisposeAsync();

    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true, "status 200")]
    [TestCase("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "", true, "status 302")]
    [TestCase("HTTP/1.0 200 OK\r\n\r\nold", "", true, "status 200")]
    [TestCase("HTTP/1.1 500 Oops\r\n\r\n", "", false, "status 500")]
    [TestCase("HTTP/1.1 404 Not Found\r\n\r\n", "", false, "status 404")]
    [TestCase("HTTP/1.1 302 Found\r\n\r\n", "expect: 200-299", false, "status 302")]
    [TestCase("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "", true, "status 204")]
    [TestCase("HTTP/1.1 101 Switch\r\n\r\n", "", false, "malformed response")]
    [TestCase("I speak no HTTP\r\n\r\n", "", false, "malformed response")]
    [TestCase("HTTP/1.1 200 OK\nX: y\n\n", "", false, "malformed response")]
    [TestCase("", "", false, "connection closed too early")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Le", "", false, "connection closed too early")]
    [TestCase(Ok, "expect_field: x-ready", true, "status 200")]
    [TestCase(Ok, "expect_field: \"X-Ready: yes\"", true, "status 200")]
    [TestCase(Ok, "expect_field: \"X-Ready: no\"", false, "status 200 without the expected field X-Ready")]
    [TestCase(Ok, "expect_body: ok", true, "status 200")]
    [TestCase(Ok, "expect_body: ko", false, "the expected text is not in the body")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nre\r\n3\r\nady\r\n0\r\n\r\n",
        "expect_body: ready", true, "status 200")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nre\r\nx\r\n",
        "expect_body: ready", false, "malformed response")]
    [TestCase("HTTP/1.1 200 OK\r\n\r\nnot yet", "expect_body: ready", false, "the expected text is not in the body")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nnot", "expect_body: ready", false,
        "connection closed too early")]
    [TestCase("HTTP/1.1 204 No Content\r\n\r\n", "expect_body: ready", false, "the expected text is not in the body")]
    [TestCase("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "expect_body: a", false,
        "malformed response")]
    [TestCase("HTTP/1.1 404 Not Found\r\n\r\n", "drain_on: 404", true, "status 404, draining")]
    [TestCase("HTTP/1.1 503 Busy\r\n\r\n", "drain_on: \"404,503\", expect_body: ready", true, "status 503, draining")]
    [TestCase("HTTP/1.1 200 OK\r\nX-PolyBalance: drain\r\n\r\n", "", true, "status 200, draining")]
    [TestCase("HTTP/1.1 200 OK\r\nX-PolyBalance: other, DRAIN\r\n\r\n", "", true, "status 200, draining")]
    [TestCase("HTTP/1.1 200 OK\r\nX-PolyBalance: drained\r\n\r\n", "", true, "status 200")]
    [TestCase("HTTP/1.1 500 Oops\r\nX-PolyBalance: drain\r\n\r\n", "", false, "status 500")]
    public async Task An_answer_passes_or_fails_for_a_reason(string answer, string keys, bool passes, string reason)
    {
        var check = Configured(keys);

        var found = await _rig.AskAsync(answer, check);

        Assert.That((found.Passed, found.Reason), Is.EqualTo((passes, reason)));
        Assert.That(found.WantsDrain, Is.EqualTo(reason.EndsWith("draining", StringComparison.Ordinal)));
    }

    [Test]
    public async Task The_request_names_the_backend_and_us_and_closes()
    {
        var address = "";
        var request = await RequestOfAsync(Configured("path: \"/healthz?deep=1\""), told => address = told);

        Assert.That(request[0], Is.EqualTo("GET /healthz?deep=1 HTTP/1.1"));
        Assert.That(request, Does.Contain($"Host: {address}"));
        var agents = request.Where(line => line.StartsWith("User-Agent: ", StringComparison.Ordinal));
        Assert.That(agents.Single(), Does.StartWith("User-Agent: polybalance-health/0."));
        Assert.That(request, Does.Contain("Connection: close"));
    }

    [Test]
    public async Task The_configuration_adds_fields_and_replaces_host_and_agent()
    {
        var request = await RequestOfAsync(
            Configured("host: api.example.com, fields: { X-Probe: \"1\", user-agent: me }"), _ => { });

        Assert.That(request.Skip(1).Take(5), Is.EqualTo((string[])
            ["Host: api.example.com", "X-Probe: 1", "user-agent: me", "Connection: close", ""]));
    }

    [Test]
    public async Task A_port_where_nobody_listens_refuses()
        => Assert.That((await _rig.ProbeAsync($"127.0.0.1:{FreePort.Next()}", ProbeRig.Patient)).Reason,
            Is.EqualTo("connect refused"));

    [Test]
    public async Task A_name_that_nobody_knows_is_told_so()
        => Assert.That((await _rig.ProbeAsync("no-such-name.invalid:80", ProbeRig.Patient)).Reason,
            Is.EqualTo("the name cannot be resolved"));

    [TestCase(null, TestName = "Silence is a timeout")]
    [TestCase("x", TestName = "An endless drip of head is a timeout")]
    public async Task Whoever_does_not_end_runs_into_the_timeout(string? drip)
    {
        var answer = await _rig.AskAsync(
            async stream =>
            {
                await RawBackend.ReadHeadAsync(stream);
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nX: "u8.ToArray());
                while (drip is not null)
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(drip));
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                }

                await stream.ReadExactlyAsync(new byte[1]);
            },
            ProbeRig.Hasty);

        Assert.That(answer.Reason, Is.EqualTo("timeout after 300ms"));
    }

    [Test]
    public async Task A_drip_of_body_runs_into_the_timeout_where_a_text_is_expected()
    {
        var answer = await _rig.AskAsync(
            async stream =>
            {
                await RawBackend.ReadHeadAsync(stream);
                await stream.WriteAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray());
                while (true)
                {
                    await stream.WriteAsync("x"u8.ToArray());
                    await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
                }
            },
            ProbeRig.Hasty with { ExpectBody = "never" });

        Assert.That(answer.Reason, Is.EqualTo("timeout after 300ms"));
    }

    [TestCase("HTTP/1.1 200 OK\r\nX: ", "x", "", "malformed response", TestName = "An endless head is refused")]
    [TestCase("", "HTTP/1.1 100 Continue\r\n\r\n", "", "malformed response", TestName = "So are endless heads")]
    [TestCase("HTTP/1.1 200 OK\r\n\r\n", "x", "expect_body: never", "the expected text is not in the body",
        TestName = "A huge body is looked at as far as 64 KiB")]
    public async Task Nobody_keeps_a_probe_busy(string first, string endless, string keys, string reason)
    {
        var answer = await _rig.AskAsync(
            async stream =>
            {
                await RawBackend.ReadHeadAsync(stream);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(first));
                var more = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(endless, 1_000)));
                while (true)
                    await stream.WriteAsync(more);
            },
            Configured(keys));

        Assert.That(answer.Reason, Is.EqualTo(reason));
    }

    [Test]
    public async Task A_reset_is_told_from_an_end()
    {
        var answer = await _rig.AskAsync(
            async stream =>
            {
                await RawBackend.ReadHeadAsync(stream);
                stream.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
                stream.Socket.Close();
            },
            ProbeRig.Patient);

        Assert.That(answer.Reason, Is.EqualTo("connection reset"));
    }

    [Test]
    public async Task A_machine_that_accepts_nothing_more_is_a_timeout()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(listener.LocalEndPoint!);

        var answer = await _rig.ProbeAsync($"{listener.LocalEndPoint}", ProbeRig.Hasty);

        Assert.That(answer.Reason, Is.EqualTo("timeout after 300ms"));
    }

    [Test]
    public async Task A_probe_ends_at_once_when_nobody_wants_to_know_any_more()
    {
        using var cancel = new CancellationTokenSource();
        using var backend = new RawBackend(async (stream, _) =>
        {
            await RawBackend.ReadHeadAsync(stream);
            await cancel.CancelAsync();
            await stream.ReadExactlyAsync(new byte[1]);
        });

        var answer = await _rig.ProbeAsync(backend.Address, ProbeRig.Patient, cancel.Token);

        Assert.That(answer.Reason, Is.EqualTo("stopped"));
    }

    [TestCase(true, "connected")]
    [TestCase(false, "connect refused")]
    public async Task A_tcp_probe_only_connects(bool listens, string reason)
    {
        using var backend = new RawBackend(async (stream, _) => await stream.ReadExactlyAsync(new byte[1]));
        var address = listens ? backend.Address : $"127.0.0.1:{FreePort.Next()}";

        var answer = await _rig.ProbeAsync(address, ProbeRig.Patient with { Kind = ProbeKind.Tcp });

        Assert.That((answer.Passed, answer.Reason), Is.EqualTo((listens, reason)));
    }

    private static HealthOptions Configured(string keys)
    {
        var result = ProxyOptions.Parse(
            $$"""
            listeners: [ { bind: ":8000" } ]
            clusters: { web: { backends: [], health: { timeout: 10s{{(keys == "" ? "" : ", " + keys)}} } } }
            """, "test.yaml");
        Assert.That(result.Errors, Is.Empty);
        return result.Options!.Clusters[0].Health!;
    }

    private async Task<string[]> RequestOfAsync(HealthOptions check, Action<string> tellAddress)
    {
        var head = new TaskCompletionSource<byte[]?>();
        using var backend = new RawBackend(async (stream, _) =>
        {
            head.SetResult(await RawBackend.ReadHeadAsync(stream));
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Ok));
        });
        tellAddress(backend.Address);
        Assert.That((await _rig.ProbeAsync(backend.Address, check)).Passed);
        return Encoding.ASCII.GetString((await head.Task)!).Split("\r\n");
    }
}
