using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PolyBalance.Configuration;
using PolyBalance.Server;
using PolyBalance.Tests.Transport;
using PolyBalance.Transport;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// Content is sent from the memory that it was received into: of what the gateway sends, it writes only heads and
/// framing.
/// </summary>
[TestFixture("memory")]
[TestFixture("sockets")]
[TestFixture("io_uring")]
internal sealed class CopyTests(string transport)
{
    private const int ContentLength = 1024 * 1024;

    // Both heads are well below this. Content that went through the gateway's hands would be a thousand times as much.
    private const int HeadLengthMax = 1024;

    private static readonly byte[] Content = MakeContent();

    private ITransport _transport = null!;
    private CountingTransport _counting = null!;
    private IConnectionListener _backend = null!;
    private ProxyServer _gateway = null!;
    private Connection _client = null!;

    [SetUp]
    public async Task Start()
    {
        _transport = TransportCase.Named(transport).Make(TimeProvider.System);
        _counting = new(_transport);
        _backend = _transport.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        _gateway = ProxyServer.Create(
            Options(_backend.LocalEndPoint), NullLoggerFactory.Instance, sink: null, _counting, TimeProvider.System);
        await _gateway.StartAsync();
        var connected = await _transport.ConnectAsync(
            IPEndPoint.Parse(_gateway.TrafficAddresses[0]), _transport.Heartbeat.Ticks(TimeSpan.FromMinutes(1)));
        _client = connected.Connection!;
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Abort(CloseReason.Aborted);
        await _backend.DisposeAsync();
        await _gateway.DisposeAsync();
        await _transport.DisposeAsync();
    }

    [Test]
    public async Task A_response_of_1_MiB_with_a_length_is_lent_to_the_client_and_not_copied()
    {
        var answering = AnswerAsync($"HTTP/1.1 200 OK\r\nContent-Length: {ContentLength}\r\n\r\n", [Content]);
        var response = await AskAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n", [], HasContent);
        await answering;

        Assert.That(response.AsSpan(response.Length - ContentLength).SequenceEqual(Content));
        Assert.That(_counting.ToClients.Lent, Is.EqualTo(ContentLength));
        Assert.That(_counting.ToClients.Copied, Is.LessThan(HeadLengthMax));
        Assert.That(_counting.ToBackends.Lent, Is.Zero);
        Assert.That(_counting.ToBackends.Copied, Is.LessThan(HeadLengthMax));
    }

    [Test]
    public async Task A_response_of_1_MiB_in_chunks_is_lent_to_the_client_and_only_its_framing_is_written()
    {
        const int ChunkLength = 16 * 1024;
        var chunks = new List<byte[]>();
        for (var offset = 0; offset < ContentLength; offset += ChunkLength)
            chunks.AddRange([[.. "4000\r\n"u8], Content[offset..(offset + ChunkLength)], [.. "\r\n"u8]]);
        chunks.Add([.. "0\r\n\r\n"u8]);

        var answering = AnswerAsync("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunks);
        var response = await AskAsync(
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n", [], bytes => bytes.AsSpan().EndsWith("0\r\n\r\n"u8));
        await answering;

        Assert.That(response, Has.Length.GreaterThan(ContentLength));
        Assert.That(_counting.ToClients.Lent, Is.EqualTo(ContentLength));

        // A chunk of ours per receive, whatever its size was: a size line and an end of at most 12 bytes each.
        Assert.That(_counting.ToClients.Copied, Is.LessThan(HeadLengthMax + ContentLength / 1024 * 12));
    }

    [TestCase("POST", Description = "never sent twice")]
    [TestCase("PUT", Description = "its start is held for another attempt")]
    public async Task An_upload_of_1_MiB_is_lent_to_the_backend_and_not_copied(string method)
    {
        var answering = AnswerAsync("HTTP/1.1 204 No Content\r\n\r\n", []);
        var response = await AskAsync(
            $"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: {ContentLength}\r\n\r\n", Content,
            bytes => bytes.AsSpan().EndsWith("\r\n\r\n"u8));
        var request = await answering;

        Assert.That(Encoding.ASCII.GetString(response), Does.StartWith("HTTP/1.1 204 "));
        Assert.That(request.AsSpan(request.Length - ContentLength).SequenceEqual(Content));
        Assert.That(_counting.ToBackends.Lent, Is.EqualTo(ContentLength));
        Assert.That(_counting.ToBackends.Copied, Is.LessThan(HeadLengthMax));
        Assert.That(_counting.ToClients.Lent, Is.Zero);
        Assert.That(_counting.ToClients.Copied, Is.LessThan(HeadLengthMax));
    }

    private static ProxyOptions Options(EndPoint backend)
    {
        var parsed = ProxyOptions.Parse(
            $$"""
            listeners: [ { bind: "127.0.0.1:8000" } ]
            admin: off
            clusters: { web: { health: off, backends: [ "{{backend}}" ] } }
            """,
            "test.yaml");
        return parsed.Options! with { Listeners = [new ListenerOptions { Bind = Address.Tcp("127.0.0.1", 0) }] };
    }

    private static byte[] MakeContent()
    {
        var content = new byte[ContentLength];
        new Random(1).NextBytes(content);
        return content;
    }

    private static bool HasContent(byte[] bytes)
        => bytes.AsSpan().IndexOf("\r\n\r\n"u8) is var head and >= 0 && bytes.Length == head + 4 + ContentLength;

    private static async Task<byte[]> ReadAsync(Connection connection, Func<byte[], bool> isWhole)
    {
        var received = new MemoryStream();
        do
        {
            var read = await connection.Input.ReadAsync();
            Assert.That(read.IsCompleted, Is.False, $"ended after {received.Length} bytes: {connection.CloseReason}");
            foreach (var memory in read.Buffer)
                received.Write(memory.Span);
            connection.Input.AdvanceTo(read.Buffer.End);
        }
        while (!isWhole(received.ToArray()));
        return received.ToArray();
    }

    private async Task<byte[]> AskAsync(string head, byte[] content, Func<byte[], bool> isWhole)
    {
        _client.Attach(Encoding.ASCII.GetBytes(head));
        _client.Attach(content);
        var flushed = await _client.Output.FlushAsync();
        Assert.That(flushed.IsCompleted, Is.False);
        return await ReadAsync(_client, isWhole);
    }

    /// <summary>The backend: takes one request with the content it announces, and answers.</summary>
    private async Task<byte[]> AnswerAsync(string head, IReadOnlyList<byte[]> body)
    {
        var connection = await _backend.AcceptAsync() ?? throw new InvalidOperationException("nobody connects");
        var request = await ReadAsync(connection, bytes => bytes[0] == 'G' ? bytes.Length > 0 : HasContent(bytes));
        connection.Attach(Encoding.ASCII.GetBytes(head));
        foreach (var piece in body)
            connection.Attach(piece);
        await connection.Output.FlushAsync();
        return request;
    }
}
