using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PolyBalance.Transport.Linux;

namespace PolyBalance.Server;

/// <summary>What two processes say to each other while one hands over to the other, in this order.</summary>
internal enum HandoverWord : byte
{
    /// <summary>To the new one: a <see cref="HandoverState"/>, followed by the sockets.</summary>
    State = 1,

    /// <summary>To the old one: all is prepared, nothing is accepted yet.</summary>
    Prepared,

    /// <summary>To the new one: nobody accepts any more.</summary>
    Go,

    /// <summary>To the old one: a <see cref="ReadyReport"/>; clients are accepted.</summary>
    Ready,

    /// <summary>To the new one: whoever has to know it does.</summary>
    Acknowledged,

    /// <summary>To the new one, again and again: what the old one has counted since.</summary>
    Counted,

    /// <summary>To the new one, again and again: exchanges that the old one has kept since, at first all of them.
    /// </summary>
    Kept,
}

/// <summary>One of them, as it came.</summary>
/// <param name="Word">Which.</param>
/// <param name="Content">JSON, or nothing.</param>
internal readonly record struct HandoverMessage(HandoverWord Word, byte[] Content)
{
    /// <summary>The content as what it stands for.</summary>
    /// <exception cref="HandoverException">It is something else.</exception>
    public T Read<T>(JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(Content, type) ?? throw new HandoverException("It sent nothing.");
        }
        catch (JsonException flaw)
        {
            throw new HandoverException($"What it sent cannot be read: {flaw.Message}", flaw);
        }
    }
}

/// <summary>A Unix socket between two processes of which one takes over from the other.</summary>
/// <remarks>A message is one byte for its word, its length in four, and that many of JSON. One caller at a time in
/// each direction.</remarks>
/// <param name="socket">The socket; this owns it.</param>
internal sealed class HandoverChannel(Socket socket) : IDisposable
{
    private const int HeadBytes = 5;

    // Thousands of backends with full histograms stay far below it.
    private const int ContentBytesMax = 256 * 1024 * 1024;

    /// <summary>Says something.</summary>
    /// <exception cref="HandoverException">The other process is gone.</exception>
    public Task SendAsync(HandoverWord word, CancellationToken cancel) => SendAsync(word, [], cancel);

    /// <summary>Says something that has content.</summary>
    /// <exception cref="HandoverException">The other process is gone.</exception>
    public Task SendAsync<T>(HandoverWord word, T content, JsonTypeInfo<T> type, CancellationToken cancel)
        => SendAsync(word, JsonSerializer.SerializeToUtf8Bytes(content, type), cancel);

    /// <summary>Hears what the other process says next.</summary>
    /// <returns>Null: it is gone.</returns>
    public async Task<HandoverMessage?> ReceiveAsync(CancellationToken cancel)
    {
        var head = new byte[HeadBytes];
        if (!await TryFillAsync(head, cancel))
            return null;

        var length = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(1));
        if (length > ContentBytesMax)
            throw new HandoverException("What it sent is no message of PolyBalance.");

        var content = new byte[length];
        return await TryFillAsync(content, cancel) ? new((HandoverWord)head[0], content) : null;
    }

    /// <summary>Gives sockets to the other process.</summary>
    /// <exception cref="HandoverException">They cannot be given.</exception>
    public void SendFiles(IReadOnlyList<Socket> sockets)
    {
        foreach (var batch in sockets.Select(one => (int)one.SafeHandle.DangerousGetHandle())
            .Chunk(FilePassing.BatchMax))
        {
            if (FilePassing.Send(socket, batch) is var error and not 0)
                throw new HandoverException($"The listening sockets cannot be passed on: error {error}.");
        }
    }

    /// <summary>Takes sockets from the other process.</summary>
    /// <param name="count">As many as it gives.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="HandoverException">Something else came, or nothing.</exception>
    public async Task<List<Socket>> ReceiveFilesAsync(int count, CancellationToken cancel)
    {
        var taken = new List<Socket>();
        while (taken.Count < count)
        {
            // Completes when there is something to be read, and reads nothing.
            await socket.ReceiveAsync(Memory<byte>.Empty, cancel);
            var files = new int[Math.Min(count - taken.Count, FilePassing.BatchMax)];
            if (!FilePassing.TryReceive(socket, files))
                throw new HandoverException("The listening sockets did not come.");

            foreach (var file in files)
                taken.Add(new(new SafeSocketHandle(file, ownsHandle: true)));
        }

        return taken;
    }

    /// <inheritdoc/>
    public void Dispose() => socket.Dispose();

    private async Task SendAsync(HandoverWord word, byte[] content, CancellationToken cancel)
    {
        var message = new byte[HeadBytes + content.Length];
        message[0] = (byte)word;
        BinaryPrimitives.WriteInt32LittleEndian(message.AsSpan(1), content.Length);
        content.CopyTo(message, HeadBytes);
        try
        {
            for (var sent = 0; sent < message.Length;)
                sent += await socket.SendAsync(message.AsMemory(sent), cancel);
        }
        catch (SocketException failure)
        {
            throw new HandoverException("The other process is gone.", failure);
        }
    }

    // False: the end came before the first byte, or in between.
    private async Task<bool> TryFillAsync(byte[] bytes, CancellationToken cancel)
    {
        try
        {
            for (var filled = 0; filled < bytes.Length;)
            {
                var received = await socket.ReceiveAsync(bytes.AsMemory(filled), cancel);
                if (received == 0)
                    return false;

                filled += received;
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
