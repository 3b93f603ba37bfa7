using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Interop;

namespace PolyBalance.Tests.Performance;

/// <summary>
/// The simplest load there is: keep-alive GETs with a small answer, by blocking clients before a blocking backend. A
/// thread for each connection.
/// </summary>
internal sealed class SmallGets : IDisposable
{
    private const int ContentLength = 49;

    private static readonly byte[] Request = "GET /products/42 HTTP/1.1\r\nHost: shop.example.com\r\n\r\n"u8.ToArray();

    private static readonly byte[] Reply =
        "HTTP/1.1 200 OK\r\nContent-Length: 49\r\n\r\n0123456789012345678901234567890123456789012345678"u8.ToArray();

    private readonly Socket _listener = Open();

    /// <summary>Starts the backend.</summary>
    public SmallGets()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        Start(AcceptAll);
    }

    /// <summary>Where the backend listens.</summary>
    public EndPoint Backend => _listener.LocalEndPoint!;

    /// <summary>A client that is connected and has sent nothing.</summary>
    public static Socket Connect(EndPoint gateway)
    {
        var client = Open();
        client.ReceiveTimeout = (int)RunningProgram.Patience.TotalMilliseconds;
        client.Connect(gateway);
        return client;
    }

    /// <summary>Sends requests over one connection, each after the answer to the one before.</summary>
    public static void Ask(Socket client, int requests)
    {
        var buffer = new byte[4096];
        for (var request = 0; request < requests; request++)
        {
            client.Send(Request);
            var filled = 0;
            do
            {
                var received = client.Receive(buffer.AsSpan(filled));
                Assert.That(received, Is.Positive, $"closed after {request} requests");
                filled += received;
            }
            while (!buffer.AsSpan(0, filled).EndsWith(Reply.AsSpan(Reply.Length - ContentLength)));
        }
    }

    /// <summary>Clients that send requests at the same time.</summary>
    /// <param name="gateway">Where to.</param>
    /// <param name="clients">How many.</param>
    /// <param name="each">How many requests each sends, over a connection of its own.</param>
    public static Task AskAsync(EndPoint gateway, int clients, int each)
        => Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Factory.StartNew(
            () =>
            {
                using var client = Connect(gateway);
                Ask(client, each);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

    public void Dispose() => _listener.Dispose();

    private static Socket Open() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };

    private static void Start(Action run) => new Thread(() =>
    {
        try
        {
            run();
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    })
    { IsBackground = true }.Start();

    private void AcceptAll()
    {
        while (true)
        {
            var gateway = _listener.Accept();
            Start(() => Answer(gateway));
        }
    }

    private static void Answer(Socket gateway)
    {
        using var _ = gateway;
        gateway.NoDelay = true;
        var buffer = new byte[4096];
        var filled = 0;
        while (gateway.Receive(buffer.AsSpan(filled)) is var received and > 0)
        {
            filled += received;
            if (!buffer.AsSpan(0, filled).EndsWith("\r\n\r\n"u8))
                continue;

            gateway.Send(Reply);
            filled = 0;
        }
    }
}
