using PolyBalance.Http;
using PolyBalance.Tests.Support;

namespace PolyBalance.Tests.Http;

/// <summary>The cases in <c>Corpus/&lt;area&gt;/&lt;what-happens&gt;.http</c>, and how one of them is read.</summary>
internal static class Corpus
{
    private static readonly string Folder = Repository.PathOf("PolyBalance.Tests", "Http", "Corpus");

    /// <summary>The areas, one folder each.</summary>
    public static IEnumerable<string> Areas
        => Directory.EnumerateDirectories(Folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);

    /// <summary>The names of all cases: <c>area/what-happens</c>.</summary>
    public static IEnumerable<string> Names
        => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/'))
            .Select(path => path.EndsWith(".http", StringComparison.Ordinal) ? path[..^5] : path)
            .Order(StringComparer.Ordinal);

    /// <summary>Reads the file of a case.</summary>
    public static CorpusCase Load(string name)
        => CorpusCase.Parse(name, File.ReadAllText(Path.Combine(Folder, name + ".http")));

    /// <summary>What reads the bytes of a case and writes down what the case expects.</summary>
    public static MessageReading ReadingOf(CorpusCase example) => example.Kind switch
    {
        CorpusKind.Request => new RequestReading(),
        CorpusKind.Response => new ResponseReading(example.Answers),
        CorpusKind.ForwardedRequest => new RequestForwarding(
            new RequestAdditions("192.0.2.1"u8, example.Has("tls"), example.Has("trusted"), example.Has("forwarded")),
            example.ValueOf("host") is { } name
                ? HostRule.Literal(CorpusText.Unescape(name))
                : RequestForwarding.PreservedHost),
        _ => new ResponseForwarding(
            example.Answers,
            example.Has("client HTTP/1.0") ? ProtocolVersion.Http10 : ProtocolVersion.Http11,
            example.Has("close")),
    };

    /// <summary>Reads the bytes in one piece.</summary>
    public static void ReadWhole(MessageReading reading, ReadOnlySpan<byte> bytes)
    {
        var arriving = new ArrivingBytes(segmentBytes: 0);
        reading.Reset();
        arriving.Add(bytes);
        reading.Read(arriving);
        reading.ReadEnd(arriving);
    }

    /// <summary>Reads the bytes in two pieces, each a segment of its own behind a segment of nothing.</summary>
    public static void ReadCut(MessageReading reading, ReadOnlySpan<byte> bytes, int cut)
    {
        var arriving = new ArrivingBytes(segmentBytes: 0);
        reading.Reset();
        arriving.AddNothing();
        arriving.Add(bytes[..cut]);
        reading.Read(arriving);
        arriving.AddNothing();
        arriving.Add(bytes[cut..]);
        reading.Read(arriving);
        reading.ReadEnd(arriving);
    }

    /// <summary>Reads the bytes one by one.</summary>
    /// <param name="reading">What reads them.</param>
    /// <param name="bytes">All bytes.</param>
    /// <param name="segmentBytes">How many of them share a segment.</param>
    public static void ReadByteByByte(MessageReading reading, ReadOnlySpan<byte> bytes, int segmentBytes)
    {
        var arriving = new ArrivingBytes(segmentBytes);
        reading.Reset();
        for (var at = 0; at < bytes.Length; at++)
        {
            arriving.Add(bytes.Slice(at, 1));
            reading.Read(arriving);
        }

        reading.ReadEnd(arriving);
    }
}
