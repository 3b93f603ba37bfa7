using System.Buffers;
using System.Globalization;
using System.Text;
using NUnit.Framework;

namespace PolyBalance.Tests.Support;

/// <summary>One connection that a test plays by hand, be it a client's or a backend's. Every wait is bounded.</summary>
/// <remarks>
/// Reads HTTP with code of its own, so that the code under test cannot agree with its own mistakes. One reading and one
/// writing flow at a time.
/// </remarks>
internal class ScriptedConnection(Wire wire)
{
    private readonly byte[] _into = new byte[64 * 1024];
    private readonly ArrayBufferWriter<byte> _unread = new();
    private int _taken;
    private WireEnd _end;

    /// <summary>Sends text, one byte per character.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends bytes; the other side has to take them.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
        => Assert.That(await TrySendAsync(bytes), Is.True, "the gateway took nothing more");

    /// <summary>Sends text. False when the other side takes nothing more.</summary>
    public Task<bool> TrySendAsync(string text) => TrySendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends bytes. False when the other side takes nothing more.</summary>
    public Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes) => wire.SendAsync(bytes).InTime();

    /// <summary>Says that nothing more will be sent.</summary>
    public void ShutdownOutput() => wire.ShutdownOutput();

    /// <summary>Leaves in an orderly way.</summary>
    public void Close() => wire.Close();

    /// <summary>Leaves abortively.</summary>
    public void Reset() => wire.Reset();

    /// <summary>Reads a whole request.</summary>
    public async Task<ReceivedMessage> ReadRequestAsync()
    {
        var message = new ReceivedMessage(await ReadHeadAsync());
        await ReadRequestBodyAsync(message);
        return message;
    }

    /// <summary>Reads a whole request; null when the connection ends before.</summary>
    public async Task<ReceivedMessage?> TryReadRequestAsync()
    {
        while (Unread.IndexOf("\r\n\r\n"u8) < 0)
        {
            if (!await ReceiveAsync())
                return null;
        }

        var message = await ReadRequestAsync();
        return message.IsWhole ? message : null;
    }

    /// <summary>Reads a whole response, interim ones included: they are messages of their own.</summary>
    /// <param name="hasBody">False for the answer to HEAD.</param>
    public async Task<ReceivedMessage> ReadResponseAsync(bool hasBody = true)
    {
        var message = new ReceivedMessage(await ReadHeadAsync());
        if (!hasBody || message.Status is < 200 or 204 or 304)
            return message;

        if (message.IsChunked)
            await ReadChunksAsync(message);
        else if (message.Length is { } length)
            await ReadLengthAsync(message, length);
        else
            await ReadUntilCloseAsync(message);
        return message;
    }

    /// <summary>Reads the head of a message and leaves its body.</summary>
    public Task<string> ReadHeadAsync() => ReadUntilAsync("\r\n\r\n");

    /// <summary>Reads up to and including a text.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        var sought = Encoding.Latin1.GetBytes(text);
        while (true)
        {
            var index = Unread.IndexOf(sought);
            if (index >= 0)
                return Take(index + sought.Length);
            if (!await ReceiveAsync())
                Assert.Fail($"The connection ended ({_end}) before {Show(text)}, after {Show(Peek())}");
        }
    }

    /// <summary>Reads exactly so many bytes, as text.</summary>
    public async Task<string> ReadTextAsync(int length)
    {
        while (Unread.Length < length)
        {
            if (!await ReceiveAsync())
                Assert.Fail($"The connection ended ({_end}) before {length} bytes, after {Show(Peek())}");
        }

        return Take(length);
    }

    /// <summary>Reads what is there: at least one byte, at most so many.</summary>
    public async Task<byte[]> ReadSomeAsync(int most)
    {
        if (Unread.IsEmpty && !await ReceiveAsync())
            Assert.Fail($"The connection ended ({_end})");
        return TakeBytes(Math.Min(most, Unread.Length));
    }

    /// <summary>Reads what comes until the connection ends. How it ended is in <see cref="EndAsync"/>.</summary>
    public async Task<string> ReadToEndAsync()
    {
        while (await ReceiveAsync())
        {
        }

        return Take(Unread.Length);
    }

    /// <summary>Waits for the end of the connection, before which nothing more may come.</summary>
    public async Task<WireEnd> EndAsync()
    {
        var rest = await ReadToEndAsync();
        Assert.That(rest, Is.Empty, "bytes before the end of the connection");
        return _end;
    }

    private Task ReadRequestBodyAsync(ReceivedMessage message)
        => message.IsChunked ? ReadChunksAsync(message) : ReadLengthAsync(message, message.Length ?? 0);

    private ReadOnlySpan<byte> Unread => _unread.WrittenSpan[_taken..];

    private async Task ReadLengthAsync(ReceivedMessage message, long length)
    {
        while (Unread.Length < length && await ReceiveAsync())
        {
        }

        message.IsWhole = Unread.Length >= length;
        message.End = message.IsWhole ? WireEnd.None : _end;
        message.Content = TakeBytes((int)Math.Min(length, Unread.Length));
    }

    private async Task ReadUntilCloseAsync(ReceivedMessage message)
    {
        while (await ReceiveAsync())
        {
        }

        message.IsWhole = _end == WireEnd.Closed;
        message.End = _end;
        message.Content = TakeBytes(Unread.Length);
    }

    private async Task ReadChunksAsync(ReceivedMessage message)
    {
        var content = new MemoryStream();
        while (message.IsWhole)
        {
            var line = await TryReadLineAsync();
            var length = int.Parse(line ?? "0", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            if (length == 0)
            {
                message.IsWhole = line is not null && await TryReadTrailersAsync(message);
                break;
            }

            while (Unread.Length < length + 2 && await ReceiveAsync())
            {
            }

            message.Chunks++;
            message.IsWhole = Unread.Length >= length + 2;
            content.Write(TakeBytes(Math.Min(length, Unread.Length)));
            if (message.IsWhole)
                Assert.That(Take(2), Is.EqualTo("\r\n"), "the end of a chunk");
        }

        message.End = message.IsWhole ? WireEnd.None : _end;
        message.Content = content.ToArray();
    }

    private async Task<bool> TryReadTrailersAsync(ReceivedMessage message)
    {
        string? line;
        do
        {
            line = await TryReadLineAsync();
            message.Trailers += line + "\r\n";
        }
        while (line is not (null or ""));

        return line is not null;
    }

    private async Task<string?> TryReadLineAsync()
    {
        int index;
        while ((index = Unread.IndexOf("\r\n"u8)) < 0)
        {
            if (!await ReceiveAsync())
                return null;
        }

        return Take(index + 2)[..^2];
    }

    private async Task<bool> ReceiveAsync()
    {
        if (_end != WireEnd.None)
            return false;

        WireRead read;
        try
        {
            read = await wire.ReceiveAsync(_into).InTime();
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"Nothing came any more after {Show(Peek())}", exception);
        }

        _unread.Write(_into.AsSpan(0, read.Bytes));
        _end = read.End;
        return _end == WireEnd.None;
    }

    private string Take(int length) => Encoding.Latin1.GetString(TakeBytes(length));

    private byte[] TakeBytes(int length)
    {
        var taken = Unread[..length].ToArray();
        _taken += length;
        if (_taken == _unread.WrittenCount)
        {
            _unread.ResetWrittenCount();
            _taken = 0;
        }

        return taken;
    }

    private string Peek() => Encoding.Latin1.GetString(Unread[..Math.Min(Unread.Length, 400)]);

    private static string Show(string text)
        => $"\"{text.Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
}
