using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolyBalance.Tests.Support;

/// <summary>A span as a collector gets it.</summary>
internal sealed record CollectedSpan(
    string Gateway, string TraceId, string SpanId, string ParentId, string State, string Name, ulong Kind,
    ulong Status, TimeSpan Duration, IReadOnlyDictionary<string, string> Attributes);

/// <summary>An OTLP collector over HTTP/1.1, on any free port: keeps every span that is sent to it.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private const string Answer = "Content-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<CollectedSpan> _spans = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;

    /// <summary>Listens.</summary>
    public OtlpCollector()
    {
        _listener.Start();
        _loop = AcceptAsync();
    }

    /// <summary>Where.</summary>
    public string Address => $"http://{_listener.LocalEndpoint}";

    /// <summary>What requests are answered with from now on.</summary>
    public string Status { get; set; } = "200 OK";

    /// <summary>Everything so far.</summary>
    public IReadOnlyCollection<CollectedSpan> Spans => _spans;

    /// <summary>The heads of all requests so far.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _loop;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var served = new List<Task>();
        try
        {
            while (true)
                served.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception end) when (end is OperationCanceledException or InvalidOperationException or SocketException)
        {
            // It was stopped, between two clients or while it waited for one.
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        var stream = client.GetStream();
        try
        {
            while (await ReadHeadAsync(stream) is { Length: > 0 } head)
            {
                var length = head.Split("\r\n").Select(line => line.Split(": ", 2))
                    .Where(parts => parts[0].Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                    .Select(parts => int.Parse(parts[1], CultureInfo.InvariantCulture)).Single();
                var content = new byte[length];
                await stream.ReadExactlyAsync(content, _stop.Token);
                if (Status.StartsWith("200", StringComparison.Ordinal))
                    Keep(new(content));
                _requests.Enqueue(head);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {Status}\r\n{Answer}"), _stop.Token);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!(head.Count >= 4 && head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray())))
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return "";
            head.Add(one[0]);
        }

        return Encoding.ASCII.GetString([.. head]);
    }

    // opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest, down to its spans.
    private void Keep(ProtoFields request)
    {
        foreach (var resource in request.Messages(1))
        {
            var name = resource.Messages(1).SelectMany(one => one.Messages(1))
                .Single(pair => pair.Text(1) == "service.name").Messages(2).Single().Text(1);
            foreach (var span in resource.Messages(2).SelectMany(scope => scope.Messages(2)))
            {
                _spans.Enqueue(new(
                    name, span.Hex(1), span.Hex(2), span.Hex(4), span.Text(3), span.Text(5), span.Value(6),
                    span.Messages(15).SingleOrDefault()?.Value(3) ?? 0,
                    TimeSpan.FromTicks((long)(span.Value(8) - span.Value(7)) / TimeSpan.NanosecondsPerTick),
                    span.Messages(9).ToDictionary(pair => pair.Text(1), pair => Show(pair.Messages(2).Single()))));
            }
        }
    }

    private static string Show(ProtoFields value)
        => value.Has(1) ? value.Text(1)
            : value.Has(2) ? value.Value(2) == 0 ? "false" : "true"
            : value.Has(3) ? value.Value(3).ToString(CultureInfo.InvariantCulture)
            : BitConverter.UInt64BitsToDouble(value.Value(4)).ToString(CultureInfo.InvariantCulture);
}
