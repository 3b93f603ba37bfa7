using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace PolyBalance.Discovery;

/// <summary>Puts one question to one server, and has its answer, or why there is none.</summary>
/// <remarks>
/// Any thread, off the way of requests. A datagram first; over TCP where it does not hold the answer (RFC 7766 §5), or
/// where so many strays come in its place that somebody seems to guess (RFC 5452 §9.3). An answer counts when it comes
/// from the address that was asked and repeats id, name, kind and class (§9.1); the id comes from a generator that
/// nobody can foresee, and so does the port, from the system: each question has a socket of its own (§9.2). Waits for
/// no try longer than the timeout, and has no more than <see cref="Limits.QueriesAtOnce"/> sockets open.
/// </remarks>
/// <param name="clock">Whose time the timeouts are in.</param>
internal sealed class DnsClient(TimeProvider clock) : IDisposable
{
    // Two bytes with the length come before each message. RFC 1035 §4.2.2.
    private const int LengthBytes = 2;

    // A server that sends more than we said that we take has not read that.
    private const int DatagramBufferBytes = 4 * 1024;

    private static readonly DnsReply TimedOut = new(ReplyKind.TimedOut);
    private static readonly DnsReply Unreachable = new(ReplyKind.Unreachable);
    private static readonly DnsReply Malformed = new(ReplyKind.Malformed);

    private readonly SemaphoreSlim _room = new(Limits.QueriesAtOnce);

    /// <summary>Asks.</summary>
    /// <param name="server">Whom.</param>
    /// <param name="name">Whose records are wanted.</param>
    /// <param name="kind">Which ones.</param>
    /// <param name="timeout">How long each try may take.</param>
    /// <param name="stop">Nobody wants to know any more.</param>
    /// <exception cref="OperationCanceledException">Nobody does.</exception>
    public async Task<DnsReply> AskAsync(
        IPEndPoint server, DnsName name, RecordKind kind, TimeSpan timeout, CancellationToken stop)
    {
        await _room.WaitAsync(stop);
        try
        {
            // RFC 6891 §7: who does not know extensions says so by not understanding the question.
            var question = new Question(name, kind, IsExtended: true);
            var reply = await TryAsync(DatagramAsync, server, question, timeout, stop);
            if (reply.Kind == ReplyKind.NotUnderstood)
            {
                question = question with { IsExtended = false };
                reply = await TryAsync(DatagramAsync, server, question, timeout, stop);
            }

            return reply.Kind is ReplyKind.Truncated or ReplyKind.Stray
                ? await TryAsync(StreamAsync, server, question, timeout, stop)
                : reply;
        }
        finally
        {
            _room.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _room.Dispose();

    private async Task<DnsReply> TryAsync(
        Func<IPEndPoint, Question, CancellationToken, Task<DnsReply>> askAsync, IPEndPoint server, Question question,
        TimeSpan timeout, CancellationToken stop)
    {
        using var time = new CancellationTokenSource(timeout, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stop);
        try
        {
            return await askAsync(server, question, end.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return TimedOut;
        }
        catch (SocketException)
        {
            return Unreachable;
        }
    }

    private static async Task<DnsReply> DatagramAsync(IPEndPoint server, Question question, CancellationToken end)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);

        // Connected: the system hands over what this server sends from this port, and nothing else.
        await socket.ConnectAsync(server, end);
        var bytes = new byte[DatagramBufferBytes];
        var id = FreshId();
        var length = DnsQuery.Write(id, question.Name, question.Kind, question.IsExtended, bytes);
        await socket.SendAsync(bytes.AsMemory(0, length), end);

        var reply = Malformed;
        for (var strays = 0; strays <= Limits.StrayRepliesMax; strays++)
        {
            length = await socket.ReceiveAsync(bytes.AsMemory(), end);
            reply = ReplyReader.Read(bytes.AsSpan(0, length), id, question.Name, question.Kind);
            if (reply.Kind != ReplyKind.Stray)
                break;
        }

        return reply;
    }

    private static async Task<DnsReply> StreamAsync(IPEndPoint server, Question question, CancellationToken end)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, end);
        var id = FreshId();
        var bytes = new byte[LengthBytes + DnsQuery.BytesMax];
        var length = DnsQuery.Write(
            id, question.Name, question.Kind, question.IsExtended, bytes.AsSpan(LengthBytes));
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)length);
        for (var sent = 0; sent < LengthBytes + length;)
            sent += await socket.SendAsync(bytes.AsMemory(sent..(LengthBytes + length)), end);

        if (!await TryReceiveAsync(socket, bytes.AsMemory(0, LengthBytes), end))
            return Unreachable;

        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(bytes)];
        if (!await TryReceiveAsync(socket, message, end))
            return Unreachable;

        var reply = ReplyReader.Read(message, id, question.Name, question.Kind);
        return reply.Kind is ReplyKind.Stray or ReplyKind.Truncated ? Malformed : reply;
    }

    private static async Task<bool> TryReceiveAsync(Socket socket, Memory<byte> into, CancellationToken end)
    {
        while (into.Length > 0)
        {
            var length = await socket.ReceiveAsync(into, end);
            if (length == 0)
                return false;

            into = into[length..];
        }

        return true;
    }

    private static ushort FreshId() => (ushort)RandomNumberGenerator.GetInt32(ushort.MaxValue + 1);

    private readonly record struct Question(DnsName Name, RecordKind Kind, bool IsExtended);
}
