using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PolyBalance.Tests.Support;
using PolyBalance.Transport;
using PolyBalance.Transport.Sockets;

namespace PolyBalance.Tests.Transport;

/// <summary>Sockets that listen already and that others hold as well.</summary>
internal sealed class GivenSocketTests
{
    private const int Clients = 8;
    private const int Listeners = 20;
    private const int AcceptedPerListener = 20;

    [TestCase("sockets", 1, 1)]
    [TestCase("sockets", 1, 2)]
    [TestCase("io_uring", 1, 1)]
    [TestCase("io_uring", 2, 1)]
    [TestCase("io_uring", 2, 2)]
    [TestCase("io_uring", 2, 3)]
    public async Task Listeners_come_and_go_on_them_and_every_client_is_served(string name, int loops, int count)
    {
        var given = StreamSocket.ListenMany(new IPEndPoint(IPAddress.Loopback, 0), count);
        var address = given[0].LocalEndPoint!;
        await using var transport = name == "sockets"
            ? (ITransport)new SocketTransport(TimeProvider.System)
            : RingOrNone.Start(TimeProvider.System, loops);

        using var enough = new CancellationTokenSource();
        var clients = Task.WhenAll(Enumerable.Range(0, Clients)
            .Select(_ => Task.Run(() => ComeAgainAsync(address, enough.Token))));
        for (var listener = 0; listener < Listeners; listener++)
            await ServeSomeAsync(transport, address, given, clients);
        await enough.CancelAsync();
        while (!clients.IsCompleted)
            await ServeSomeAsync(transport, address, given, clients);

        await clients;
        foreach (var socket in given)
            socket.Dispose();
    }

    [Test]
    public void A_listener_gets_all_sockets_of_its_address_and_gives_them_back()
    {
        var first = StreamSocket.ListenMany(new IPEndPoint(IPAddress.Loopback, 0), 2);
        var second = StreamSocket.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        using var given = new GivenSockets();
        foreach (var socket in (Socket[])[first[0], second, first[1]])
            given.Add(socket, socket.LocalEndPoint!.ToString()!, isKept: true);

        var borrowed = given.Borrow(first[0].LocalEndPoint!);

        Assert.That(borrowed?.All, Is.EqualTo(first));
        Assert.That(borrowed.AreShared);
        Assert.That(given.Unused, Is.EqualTo((string[])[second.LocalEndPoint!.ToString()!]));
        Assert.That(given.Borrow(first[0].LocalEndPoint!), Is.Null);
        given.Return(borrowed);
        Assert.That(given.Borrow(first[0].LocalEndPoint!)?.All, Is.EqualTo(first));
        given.Return(borrowed);
    }

    [TestCase(null, "1")]
    [TestCase("1", "1")]
    [TestCase("own", null)]
    [TestCase("own", "0")]
    public void What_is_given_to_another_process_is_left_alone(string? process, string? count)
        => Assert.That(GivenSockets.FromSystemd(Variables(process, count)).Unused, Is.Empty);

    [TestCase("many")]
    [TestCase("-1")]
    [TestCase("1000")]
    public void A_number_of_sockets_that_is_none_is_refused(string count)
    {
        var problem = Assert.Throws<ListenException>(() => GivenSockets.FromSystemd(Variables("own", count)));

        Assert.That(problem.Message, Does.StartWith($"LISTEN_FDS says `{count}`"));
    }

    private static Func<string, string?> Variables(string? process, string? count) => name => name switch
    {
        "LISTEN_PID" => process == "own" ? $"{Environment.ProcessId}" : process,
        "LISTEN_FDS" => count,
        _ => null,
    };

    // Each connection gets one byte and then the end; anything else is a client that was lost.
    private static async Task ComeAgainAsync(EndPoint address, CancellationToken enough)
    {
        var bytes = new byte[8];
        while (!enough.IsCancellationRequested)
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address).InTime();
            Assert.That(await socket.ReceiveAsync(bytes).InTime(), Is.EqualTo(1));
            Assert.That(await socket.ReceiveAsync(bytes).InTime(), Is.Zero);
        }
    }

    private static async Task ServeSomeAsync(ITransport transport, EndPoint address, Socket[] given, Task end)
    {
        await using var listener = transport.Listen(address, new(address, given, areKept: true));
        var enough = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = AcceptedPerListener;
        var accepting = Task.WhenAll(Enumerable.Range(0, listener.Acceptors).Select(async acceptor =>
        {
            while (await listener.AcceptAsync(acceptor) is { } client)
            {
                await client.WriteAsync([1]);
                client.Close();
                await client.Input.CompleteAsync();
                await client.Output.CompleteAsync();
                if (Interlocked.Decrement(ref left) == 0)
                    enough.SetResult();
            }
        }));
        await Task.WhenAny(enough.Task, end).InTime();
        await listener.DisposeAsync();
        await accepting.InTime();
    }
}
