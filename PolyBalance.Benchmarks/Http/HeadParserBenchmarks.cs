using System.Buffers;
using BenchmarkDotNet.Attributes;
using PolyBalance.Http;

namespace PolyBalance.Benchmarks.Http;

/// <summary>What a request head costs from the wire to values: find its end, take it, read it.</summary>
[MemoryDiagnoser]
public class RequestHeadBenchmarks
{
    private static readonly HeadLimits Bounds = new(Limits.HeadBytesDefault, Limits.FieldLinesDefault);

    private readonly RequestHead _head = new();
    private ReadOnlySequence<byte> _bytes;

    public static IEnumerable<string> Recorded => RecordedHeads.Requests;

    [ParamsSource(nameof(Recorded))]
    public string Head { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _bytes = new(RecordedHeads.Request(Head));

    [Benchmark, AllocationBudget(0)]
    public bool FindTakeAndParse()
    {
        var scanned = 0L;
        if (HeadParser.FindRequestEnd(_bytes, ref scanned, Bounds, out var length, out _) != HeadSearchStatus.Found)
            throw new InvalidOperationException($"{Head} has no end.");

        _head.Take(_bytes.Slice(0, length));
        return HeadParser.TryParseRequest(_head, Bounds, out var failure)
            ? true
            : throw new InvalidOperationException($"{Head} is refused: {failure}.");
    }
}

/// <summary>What a response head costs from the wire to values: find its end, take it, read it.</summary>
[MemoryDiagnoser]
public class ResponseHeadBenchmarks
{
    private static readonly HeadLimits Bounds = new(Limits.HeadBytesDefault, Limits.FieldLinesDefault);

    private readonly ResponseHead _head = new();
    private ReadOnlySequence<byte> _bytes;

    public static IEnumerable<string> Recorded => RecordedHeads.Responses;

    [ParamsSource(nameof(Recorded))]
    public string Head { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _bytes = new(RecordedHeads.Response(Head));

    [Benchmark, AllocationBudget(0)]
    public bool FindTakeAndParse()
    {
        var scanned = 0L;
        if (HeadParser.FindResponseEnd(_bytes, ref scanned, Bounds, out var length, out _) != HeadSearchStatus.Found)
            throw new InvalidOperationException($"{Head} has no end.");

        _head.Take(_bytes.Slice(0, length));
        return HeadParser.TryParseResponse(_head, Bounds, out var failure)
            ? true
            : throw new InvalidOperationException($"{Head} is refused: {failure}.");
    }
}
