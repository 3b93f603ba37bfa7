using System.Globalization;
using System.Text;

namespace PolyBalance.Tests.Support;

/// <summary>One HTTP message as a scripted client or backend got it.</summary>
/// <param name="Head">Start line and header section, with the empty line.</param>
internal sealed record ReceivedMessage(string Head)
{
    /// <summary>The content, framing removed; as much as came.</summary>
    public byte[] Content { get; set; } = [];

    /// <summary>The trailer section, with its empty line; empty when the body was not chunked.</summary>
    public string Trailers { get; set; } = "";

    /// <summary>How many chunks the content came in.</summary>
    public int Chunks { get; set; }

    /// <summary>Whether the message came to its end. False: the connection ended first.</summary>
    public bool IsWhole { get; set; } = true;

    /// <summary>How the connection ended, if that was seen while reading the message.</summary>
    public WireEnd End { get; set; }

    /// <summary>The first line.</summary>
    public string StartLine => Head[..Head.IndexOf("\r\n", StringComparison.Ordinal)];

    /// <summary>The status code of a response.</summary>
    public int Status => int.Parse(StartLine.AsSpan(9, 3), CultureInfo.InvariantCulture);

    /// <summary>The content as text.</summary>
    public string Text => Encoding.Latin1.GetString(Content);

    /// <summary>The value of a field, several lines joined by a comma; null when there is none.</summary>
    public string? this[string name]
    {
        get
        {
            var values = Lines.Select(line => line.Split(':', 2))
                .Where(parts => parts[0].Equals(name, StringComparison.OrdinalIgnoreCase))
                .Select(parts => parts[1].Trim())
                .ToList();
            return values.Count == 0 ? null : string.Join(", ", values);
        }
    }

    /// <summary>The field lines in their order.</summary>
    public string[] Lines => Head.Split("\r\n", StringSplitOptions.RemoveEmptyEntries)[1..];

    /// <summary>Whether the head says that the body is chunked.</summary>
    public bool IsChunked => this["Transfer-Encoding"] == "chunked";

    /// <summary>Content-Length, or null.</summary>
    public long? Length => this["Content-Length"] is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;
}
