using BenchmarkDotNet.Attributes;
using PolyBalance.Http;

namespace PolyBalance.Benchmarks.Http;

/// <summary>What it costs to decide how a body ends, in both directions.</summary>
[MemoryDiagnoser]
public class BodyFramingBenchmarks
{
    private readonly RequestHead _withLength = ParsedHeads.Request("curl-post-json");
    private readonly RequestHead _chunked = ParsedHeads.Request("curl-upload-chunked");
    private readonly RequestHead _without = ParsedHeads.Request("curl");
    private readonly ResponseHead _response = ParsedHeads.Response("nginx-file");
    private readonly ResponseHead _chunkedResponse = ParsedHeads.Response("node-chunked-cookies");

    [Benchmark, AllocationBudget(0)]
    public long RequestWithLength() => Decide(_withLength);

    [Benchmark, AllocationBudget(0)]
    public long RequestInChunks() => Decide(_chunked);

    [Benchmark, AllocationBudget(0)]
    public long RequestWithoutBody() => Decide(_without);

    [Benchmark, AllocationBudget(0)]
    public long ResponseWithLength() => Decide(_response);

    [Benchmark, AllocationBudget(0)]
    public long ResponseInChunks() => Decide(_chunkedResponse);

    private static long Decide(RequestHead head)
        => BodyFraming.TryDecide(head, out var framing, out var failure)
            ? framing.Length
            : throw new InvalidOperationException($"Refused: {failure}.");

    private static long Decide(ResponseHead head)
        => BodyFraming.TryDecide(head, MethodKind.Get, out var framing, out var failure)
            ? BodyFraming.ForClient(framing, ProtocolVersion.Http11).Length
            : throw new InvalidOperationException($"Refused: {failure}.");
}
