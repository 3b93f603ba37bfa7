using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>The HTTP clients that come with Python and Node; what they must see is written in their scripts.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class HttpClientTests(string transport)
{
    private NodeBackend _node = null!;
    private Gateway _gateway = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _node = await NodeBackend.StartAsync("node");
        _gateway = await Gateway.StartAsync(transport, [_node.Address]);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_gateway is not null)
            await _gateway.DisposeAsync();
        if (_node is not null)
            await _node.DisposeAsync();
    }

    [TearDown]
    public void The_log_stays_quiet() => _gateway.AssertHealthy();

    [Test]
    public Task Python_sends_every_kind_of_request_over_one_connection()
        => AssertOkAsync("python3", NodeBackend.Script("client.py"));

    [Test]
    public Task Node_sends_200_requests_at_once_over_kept_connections()
        => AssertOkAsync("node", NodeBackend.Script("client.js"), "agent");

    [Test]
    public Task Node_fetch_streams_a_body_of_unknown_length()
        => AssertOkAsync("node", NodeBackend.Script("client.js"), "fetch");

    [Test]
    public Task Node_reads_the_response_while_it_sends_the_request()
        => AssertOkAsync("node", NodeBackend.Script("client.js"), "duplex");

    private async Task AssertOkAsync(string program, params string[] arguments)
    {
        var result = await RunningProgram.RunAsync(
            Programs.Find(program), [.. arguments, "127.0.0.1", $"{_gateway.Address.Port}"]);

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(result.Output, Is.EqualTo("ok"));
    }
}
