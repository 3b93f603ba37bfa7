using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using NUnit.Framework;

namespace PolyBalance.Tests.Interop;

/// <summary>WebSocket through the gateway: .NET's client and one by hand in Python, before an echo in Node.</summary>
[Platform("Linux", Reason = "signals and /proc")]
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
internal sealed class WebSocketTests(string transport)
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

    [TestCase(0)]
    [TestCase(125)]
    [TestCase(126)]
    [TestCase(65_536)]
    [TestCase(4_000_000)]
    public async Task A_message_comes_back_as_it_was_and_the_close_is_answered(int length)
    {
        using var socket = await ConnectAsync();
        var sent = RandomNumberGenerator.GetBytes(length);

        // At once in both directions: a large frame comes back while its end is still being sent.
        var send = socket.SendAsync(sent, WebSocketMessageType.Binary, endOfMessage: true, default);
        Assert.That(await ReceiveAsync(socket), Is.EqualTo(sent));
        await send;

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "enough", default);
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
        Assert.That(socket.State, Is.EqualTo(WebSocketState.Closed));
    }

    [Test]
    public async Task Twenty_tunnels_do_not_mix()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(TalkAsync));

        async Task TalkAsync(int number)
        {
            using var socket = await ConnectAsync();
            for (var turn = 0; turn < 50; turn++)
            {
                var sent = Encoding.UTF8.GetBytes($"tunnel {number}, turn {turn}");
                await socket.SendAsync(sent, WebSocketMessageType.Text, endOfMessage: true, default);
                Assert.That(await ReceiveAsync(socket), Is.EqualTo(sent));
            }
        }
    }

    [Test]
    public async Task A_client_by_hand_sends_its_first_frame_with_the_handshake()
    {
        var result = await RunningProgram.RunAsync(
            Programs.Find("python3"), NodeBackend.Script("websocket.py"), "127.0.0.1", $"{_gateway.Address.Port}");

        Assert.That(result.ExitCode, Is.Zero, result.Everything);
        Assert.That(result.Output, Is.EqualTo("ok"));
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://{_gateway.Address}/socket"), default);
        return socket;
    }

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(RunningProgram.Patience);
        using var message = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, patience.Token);
            message.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
                return message.ToArray();
        }
    }
}
