using System.Buffers;
using BenchmarkDotNet.Attributes;
using PolyBalance.Http;

namespace PolyBalance.Benchmarks.Http;

/// <summary>What forwarding costs towards the backend: strip, add, write.</summary>
[MemoryDiagnoser]
public class ForwardRequestBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(Limits.LargeBlockBytes);
    private readonly RequestAdditions _additions =
        new("192.0.2.7"u8, isTls: false, trustClient: false, addForwarded: false);

    private readonly byte[] _id = "0123456789abcdef0123456789abcdef"u8.ToArray();
    private readonly HostRule _host = HostRule.Preserve("10.0.0.11:8080"u8.ToArray());
    private RequestHead _head = new();
    private BodyFraming _framing;

    public static IEnumerable<string> Recorded => RecordedHeads.Requests;

    [ParamsSource(nameof(Recorded))]
    public string Head { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _head = ParsedHeads.Request(Head);
        if (!BodyFraming.TryDecide(_head, out _framing, out var failure))
            throw new InvalidOperationException($"{Head} is refused: {failure}.");
    }

    [Benchmark, AllocationBudget(0)]
    public int Write()
    {
        _output.ResetWrittenCount();
        HeadWriter.WriteRequest(_head, _additions, _host, _id, _framing, upgrade: false, [], _output);
        return _output.WrittenCount;
    }
}

/// <summary>What forwarding costs towards the client: strip, add, write.</summary>
[MemoryDiagnoser]
public class ForwardResponseBenchmarks
{
    private readonly ArrayBufferWriter<byte> _output = new(Limits.LargeBlockBytes);
    private readonly byte[] _id = "0123456789abcdef0123456789abcdef"u8.ToArray();
    private readonly byte[] _date = "Sun, 06 Nov 1994 08:49:37 GMT"u8.ToArray();
    private ResponseHead _head = new();
    private BodyFraming _framing;

    public static IEnumerable<string> Recorded => RecordedHeads.Responses;

    [ParamsSource(nameof(Recorded))]
    public string Head { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _head = ParsedHeads.Response(Head);
        if (!BodyFraming.TryDecide(_head, MethodKind.Get, out var framing, out var failure))
            throw new InvalidOperationException($"{Head} is refused: {failure}.");
        _framing = BodyFraming.ForClient(framing, ProtocolVersion.Http11);
    }

    [Benchmark, AllocationBudget(0)]
    public int Write()
    {
        _output.ResetWrittenCount();
        HeadWriter.WriteResponse(
            _head, _framing, ProtocolVersion.Http11, close: false, _id, _date, upgrade: false, lines: default,
            _output);
        return _output.WrittenCount;
    }
}
