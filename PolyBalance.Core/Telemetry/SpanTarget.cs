using System.Text;

namespace PolyBalance.Telemetry;

/// <summary>A request target as spans have it: in two parts, not too long, and without what signs requests.</summary>
/// <param name="Path">Undecoded; the whole target when it has no path.</param>
/// <param name="Query">What follows the question mark.</param>
internal readonly record struct SpanTarget(string Path, string Query)
{
    // A span waits in memory until it is sent: no target makes it large.
    private const int TextBytesMax = 1024;

    // Values that sign a request for storage services: whoever has them has the object. Named by the conventions.
    private static readonly string[] Secrets = ["AWSAccessKeyId", "Signature", "sig", "X-Goog-Signature"];

    /// <summary>Takes a target apart. Any form of RFC 9112 §3.2, and whatever else was sent.</summary>
    public static SpanTarget Of(ReadOnlySpan<byte> target)
    {
        var mark = target.IndexOf((byte)'?');
        var path = mark < 0 ? target : target[..mark];
        var authority = path.IndexOf("://"u8);
        if (authority > 0 && path[0] != (byte)'/')
        {
            var slash = path[(authority + 3)..].IndexOf((byte)'/');
            path = slash < 0 ? "/"u8 : path[(authority + 3 + slash)..];
        }

        return new(Text(path), mark < 0 ? "" : Redact(Text(target[(mark + 1)..])));
    }

    /// <summary>Field values are opaque bytes (RFC 9110 §5.5): what is no UTF-8 becomes U+FFFD.</summary>
    public static string Text(ReadOnlySpan<byte> bytes)
        => bytes.IsEmpty ? "" : Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, TextBytesMax)]);

    private static string Redact(string query)
    {
        if (!Array.Exists(Secrets, secret => query.Contains(secret, StringComparison.Ordinal)))
            return query;

        return string.Join('&', Array.ConvertAll(query.Split('&'), pair =>
        {
            var name = pair.Split('=')[0];
            return name.Length < pair.Length && Array.IndexOf(Secrets, name) >= 0 ? $"{name}=REDACTED" : pair;
        }));
    }
}
