using System.Buffers;
using PolyBalance.Http;

namespace PolyBalance.Benchmarks.Http;

/// <summary>Recorded heads that the parser has read, for what comes after it.</summary>
internal static class ParsedHeads
{
    private static readonly HeadLimits Bounds = new(Limits.HeadBytesDefault, Limits.FieldLinesDefault);

    /// <summary>A request head of its own.</summary>
    public static RequestHead Request(string name)
    {
        var head = new RequestHead();
        head.Take(new ReadOnlySequence<byte>(RecordedHeads.Request(name)));
        return HeadParser.TryParseRequest(head, Bounds, out var failure)
            ? head
            : throw new InvalidOperationException($"{name} is refused: {failure}.");
    }

    /// <summary>A response head of its own.</summary>
    public static ResponseHead Response(string name)
    {
        var head = new ResponseHead();
        head.Take(new ReadOnlySequence<byte>(RecordedHeads.Response(name)));
        return HeadParser.TryParseResponse(head, Bounds, out var failure)
            ? head
            : throw new InvalidOperationException($"{name} is refused: {failure}.");
    }
}
