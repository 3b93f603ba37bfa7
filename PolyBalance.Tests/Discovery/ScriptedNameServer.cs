using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PolyBalance.Discovery;

namespace PolyBalance.Tests.Discovery;

/// <summary>A question as it came to a name server.</summary>
/// <param name="Id">What the answer has to repeat.</param>
/// <param name="Name">Whose records.</param>
/// <param name="Kind">Which ones.</param>
/// <param name="IsExtended">Whether it says how long a datagram it takes.</param>
/// <param name="IsStream">Whether it came over TCP.</param>
/// <param name="From">The client's port.</param>
internal sealed record AskedQuestion(
    ushort Id, string Name, RecordKind Kind, bool IsExtended, bool IsStream, int From)
{
    /// <summary>Begins an answer.</summary>
    public ReplyBytes Reply(int code = 0) => new(Id, Name, Kind) { Code = code };

    /// <summary>An answer with the addresses of the kind that was asked for; the others are none.</summary>
    public ReplyBytes With(params string[] addresses)
    {
        var reply = Reply();
        foreach (var address in addresses.Where(IsAsked))
            reply.WithAddress(Name, address);
        return reply;
    }

    private bool IsAsked(string address)
        => address.Contains(':', StringComparison.Ordinal) == (Kind == RecordKind.Address6);
}

/// <summary>A name server on loopback, over UDP and TCP on one port, that does what a test says.</summary>
internal sealed class ScriptedNameServer : IDisposable
{
    private readonly Socket _datagrams;
    private readonly TcpListener _streams;
    private readonly ConcurrentQueue<AskedQuestion> _asked = [];

    public ScriptedNameServer()
    {
        (_datagrams, _streams) = Bind();
        _ = ServeDatagramsAsync();
        _ = ServeStreamsAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)_datagrams.LocalEndPoint!;

    /// <summary>What it answers; null: nothing.</summary>
    public Func<AskedQuestion, ReplyBytes?> Answer { get; set; } = static question => question.Reply(code: 3);

    /// <summary>Messages that come before the answer, from the same port.</summary>
    public Func<AskedQuestion, IEnumerable<byte[]>> Before { get; set; } = static _ => [];

    /// <summary>Messages that come before it from somebody else.</summary>
    public Func<AskedQuestion, IEnumerable<byte[]>> FromStrangers { get; set; } = static _ => [];

    /// <summary>What is sent over TCP in place of an answer with its length; null: the answer.</summary>
    public Func<byte[], byte[]>? OverStream { get; set; }

    /// <summary>Everything that was asked, in order.</summary>
    public AskedQuestion[] Asked => [.. _asked];

    public void Dispose()
    {
        _datagrams.Dispose();
        _streams.Dispose();
    }

    // Both want the same port, and somebody may have taken one of them.
    private static (Socket Datagrams, TcpListener Streams) Bind()
    {
        while (true)
        {
            var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var streams = new TcpListener((IPEndPoint)datagrams.LocalEndPoint!);
            try
            {
                streams.Start();
                return (datagrams, streams);
            }
            catch (SocketException)
            {
                datagrams.Dispose();
                streams.Dispose();
            }
        }
    }

    private async Task ServeDatagramsAsync()
    {
        var bytes = new byte[4096];
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        stranger.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        try
        {
            while (true)
            {
                var received = await _datagrams.ReceiveFromAsync(bytes, new IPEndPoint(IPAddress.Any, 0));
                var from = (IPEndPoint)received.RemoteEndPoint;
                var question = Read(bytes.AsSpan(0, received.ReceivedBytes), isStream: false, from.Port);
                foreach (var message in FromStrangers(question))
                    await stranger.SendToAsync(message, from);
                foreach (var message in Before(question))
                    await _datagrams.SendToAsync(message, from);
                if (Answer(question) is { } answer)
                    await _datagrams.SendToAsync(answer.ToArray(), from);
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeStreamsAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _streams.AcceptTcpClientAsync());
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var length = new byte[2];
            await stream.ReadExactlyAsync(length);
            var bytes = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
            await stream.ReadExactlyAsync(bytes);
            var from = ((IPEndPoint)client.Client.RemoteEndPoint!).Port;
            if (Answer(Read(bytes, isStream: true, from)) is not { } answer)
                return;

            var message = answer.ToArray();
            byte[] whole = [(byte)(message.Length >> 8), (byte)message.Length, .. message];
            await stream.WriteAsync(OverStream?.Invoke(whole) ?? whole);
        }
    }

    private AskedQuestion Read(ReadOnlySpan<byte> bytes, bool isStream, int from)
    {
        var offset = DnsQuery.HeadBytes;
        var isName = DnsName.TryRead(bytes, ref offset, out var name);
        var question = new AskedQuestion(
            BinaryPrimitives.ReadUInt16BigEndian(bytes), isName ? name!.ToString() : "?",
            (RecordKind)BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]), bytes[11] == 1, isStream, from);
        _asked.Enqueue(question);
        return question;
    }
}
