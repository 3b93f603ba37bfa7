using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using PolyBalance.Http;

namespace PolyBalance.Benchmarks.Http;

/// <summary>What the chunked transfer coding costs per body of 64 KiB: taking it off, and putting it on.</summary>
[MemoryDiagnoser]
public class ChunkedBenchmarks
{
    private const int ContentBytes = 64 * 1024;

    private readonly ArrayBufferWriter<byte> _output = new(2 * ContentBytes);
    private byte[] _body = [];

    /// <summary>From small writes of an event stream to what a server makes of a file.</summary>
    [Params(64, 4096, 16 * 1024)]
    public int ChunkBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var chunk = $"{ChunkBytes:x}\r\n{new string('x', ChunkBytes)}\r\n";
        var chunks = string.Concat(Enumerable.Repeat(chunk, ContentBytes / ChunkBytes));
        _body = Encoding.ASCII.GetBytes(chunks + "0\r\n\r\n");
    }

    [Benchmark, AllocationBudget(0)]
    public int Decode()
    {
        var decoder = new ChunkedDecoder();
        var rest = _body.AsSpan();
        var content = 0;
        while (true)
        {
            var step = decoder.Decode(rest);
            content += step.ContentLength;
            rest = rest[step.Consumed..];
            if (step.Status == BodyStatus.TrailerSection)
                return content;
            if (step.Status == BodyStatus.Malformed)
                throw new InvalidOperationException("The body is malformed.");
        }
    }

    [Benchmark, AllocationBudget(0)]
    public int Encode()
    {
        _output.ResetWrittenCount();
        var encoder = BodyEncoder.For(new(BodyKind.Chunked));
        for (var left = ContentBytes; left > 0; left -= ChunkBytes)
        {
            encoder.WriteChunkStart(ChunkBytes, _output);
            encoder.WriteChunkEnd(_output);
        }

        encoder.WriteEnd(null, _output);
        return _output.WrittenCount;
    }
}
