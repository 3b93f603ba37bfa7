using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using NUnit.Framework;
using PolyBalance.Http;

namespace PolyBalance.Tests.Http;

/// <summary>Heads from text and text from writers, so that a test shows nothing but what is on the wire.</summary>
internal static class HttpText
{
    private static readonly HeadLimits Limits = new(PolyBalance.Limits.HeadBytesMax, PolyBalance.Limits.FieldLinesMax);

    /// <summary>A request head that the parser accepts.</summary>
    public static RequestHead Request(string text)
    {
        var head = new RequestHead();
        head.Take(new ReadOnlySequence<byte>(Bytes(text)));
        Assert.That(HeadParser.TryParseRequest(head, Limits, out var failure), Is.True, $"{failure} in {text}");
        return head;
    }

    /// <summary>A response head that the parser accepts.</summary>
    public static ResponseHead Response(string text)
    {
        var head = new ResponseHead();
        head.Take(new ReadOnlySequence<byte>(Bytes(text)));
        Assert.That(HeadParser.TryParseResponse(head, Limits, out var failure), Is.True, $"{failure} in {text}");
        return head;
    }

    /// <summary>A trailer section that the parser accepts.</summary>
    public static TrailerSection Trailers(string text)
    {
        var trailers = new TrailerSection();
        trailers.Take(new ReadOnlySequence<byte>(Bytes(text)));
        Assert.That(HeadParser.TryParseTrailers(trailers, out var failure), Is.True, $"{failure} in {text}");
        return trailers;
    }

    /// <summary>One byte per character.</summary>
    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>One character per byte.</summary>
    public static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}

/// <summary>
/// Hands out exactly as many bytes as were asked for, so that writing past one's own estimate throws, and counts how
/// often it was asked.
/// </summary>
internal sealed class ExactOutput : IBufferWriter<byte>
{
    private readonly List<byte> _written = [];
    private byte[] _lent = [];

    /// <summary>How many buffers were asked for.</summary>
    public int Buffers { get; private set; }

    /// <summary>How often bytes were committed.</summary>
    public int Advances { get; private set; }

    /// <summary>All bytes so far.</summary>
    public string Text => HttpText.Text(CollectionsMarshal.AsSpan(_written));

    public void Advance(int count)
    {
        Advances++;
        _written.AddRange(_lent.AsSpan(0, count));
        _lent = [];
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Buffers++;
        return _lent = new byte[sizeHint];
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}

/// <summary>One reused buffer: writing to it allocates nothing.</summary>
internal sealed class ReusedOutput(int capacity) : IBufferWriter<byte>
{
    private readonly byte[] _buffer = new byte[capacity];

    public void Advance(int count)
    {
    }

    public Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

    public Span<byte> GetSpan(int sizeHint = 0) => _buffer;
}
