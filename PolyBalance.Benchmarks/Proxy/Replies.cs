using System.Text;

namespace PolyBalance.Benchmarks.Proxy;

/// <summary>What the embedded backends answer.</summary>
internal static class Replies
{
    /// <summary>The content of a small API answer: 49 bytes.</summary>
    public const string Small = "small";

    /// <summary>A page: 10 KiB.</summary>
    public const string Page = "page";

    /// <summary>The page again, in chunks of 1 KiB.</summary>
    public const string Chunked = "chunked";

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => [Small, Page, Chunked];

    /// <summary>The whole response of a name.</summary>
    public static byte[] Of(string name) => name switch
    {
        Small => WithLength(49),
        Page => WithLength(10 * 1024),
        Chunked => InChunks(count: 10, length: 1024),
        _ => throw new ArgumentException($"There is no reply {name}.", nameof(name)),
    };

    private static byte[] WithLength(int length)
        => Encoding.ASCII.GetBytes(
            $"HTTP/1.1 200 OK\r\nServer: embedded\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"
            + new string('x', length));

    private static byte[] InChunks(int count, int length)
    {
        var chunks = string.Concat(Enumerable.Repeat($"{length:x}\r\n{new string('x', length)}\r\n", count));
        return Encoding.ASCII.GetBytes(
            "HTTP/1.1 200 OK\r\nServer: embedded\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
            + $"{chunks}0\r\n\r\n");
    }
}
