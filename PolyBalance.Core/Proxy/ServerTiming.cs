using System.Buffers.Text;

namespace PolyBalance.Proxy;

/// <summary>
/// Tells a trusted client where the time went until its response began: the field <c>Server-Timing</c>. W3C Server
/// Timing §3.
/// </summary>
/// <remarks>
/// In milliseconds: <c>pb</c> what the gateway added, <c>queue</c> for a place at a backend, <c>connect</c> for
/// connections, <c>ttfb</c> for backends to answer, all attempts together, <c>client</c> for the client where it was
/// waited for. Together they are the time from the first byte of the request to the first of the response. A backend's
/// own lines of the field stay; ours is one more.
/// </remarks>
internal static class ServerTiming
{
    /// <summary>No line is longer. Unit: bytes.</summary>
    public const int LineBytesMax = 256;

    /// <summary>Writes the line.</summary>
    /// <param name="exchange">Whose response begins.</param>
    /// <param name="now">When it begins, in heartbeat time.</param>
    /// <param name="attempts">How many attempts there were, with the one that is answered.</param>
    /// <param name="line">Where the line goes, with its CRLF: <see cref="LineBytesMax"/>.</param>
    /// <returns>Its length; 0 when the client is not to know.</returns>
    public static int Write(Exchange exchange, long now, int attempts, Span<byte> line)
    {
        var client = exchange.Client;
        if (!client.Rules.SendsServerTiming || !client.IsTrusted)
            return 0;

        var timing = exchange.TimingAt(now - exchange.Started);
        var written = 0;
        Add(line, ref written, "Server-Timing: pb;dur="u8, timing.Overhead);
        Add(line, ref written, ", queue;dur="u8, timing.Queue);
        Add(line, ref written, ", connect;dur="u8, timing.Connect);
        Add(line, ref written, ", ttfb;dur="u8, timing.FirstByte);
        if (timing.Client > TimeSpan.Zero)
            Add(line, ref written, ", client;dur="u8, timing.Client);
        Add(line, ref written, ", attempt;desc=\""u8);
        Add(line, ref written, attempts);
        Add(line, ref written, "\"\r\n"u8);
        return written;
    }

    private static void Add(Span<byte> line, ref int written, ReadOnlySpan<byte> name, TimeSpan duration)
    {
        Add(line, ref written, name);
        var (whole, rest) = Math.DivRem(duration.Ticks / TimeSpan.TicksPerMicrosecond, 1_000L);
        Add(line, ref written, whole);
        if (rest == 0)
            return;

        ReadOnlySpan<byte> decimals =
            [(byte)'.', (byte)('0' + rest / 100), (byte)('0' + rest / 10 % 10), (byte)('0' + rest % 10)];
        Add(line, ref written, decimals.TrimEnd((byte)'0'));
    }

    private static void Add(Span<byte> line, ref int written, long number)
    {
        Utf8Formatter.TryFormat(number, line[written..], out var length);
        written += length;
    }

    private static void Add(Span<byte> line, ref int written, ReadOnlySpan<byte> text)
    {
        text.CopyTo(line[written..]);
        written += text.Length;
    }
}
