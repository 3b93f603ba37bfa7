using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using PolyBalance.Backends;
using PolyBalance.Http;
using PolyBalance.Telemetry;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>
/// An exchange's place in a trace: continues what the client began, or begins one. W3C Trace Context.
/// </summary>
/// <remarks>
/// Owned by its exchange, and reused with it. Each attempt has a span id of its own, so that what a backend records
/// hangs under the attempt that reached it. Nothing is allocated for an exchange that is not recorded.
/// </remarks>
internal sealed class ExchangeTrace
{
    private const int ValueStart = 13;
    private const int StateLengthMax = 512;     // §3.3.1.5: more than that nobody has to carry

    private readonly byte[] _line = [.. "traceparent: "u8, .. new byte[TraceParent.Bytes], .. "\r\n"u8];
    private UInt128 _traceId;
    private bool _isSampled;
    private Activity? _exchange;
    private Activity? _attempt;

    /// <summary>The name of the trace: 32 hexadecimal digits.</summary>
    public ReadOnlyMemory<byte> Id => _line.AsMemory(ValueStart + TraceParent.TraceIdStart, TraceParent.TraceIdBytes);

    /// <summary>The field line for the backend of the current attempt, with its CRLF.</summary>
    public ReadOnlySpan<byte> Line => _line;

    /// <summary>Whether the exchange is recorded, and somebody listens.</summary>
    public bool IsRecorded => _exchange is not null;

    /// <summary>
    /// Takes up the client's trace, or begins one when it brings none that counts; what it says of traces is dropped
    /// from the request as far as it does not cross.
    /// </summary>
    /// <param name="exchange">Whose request.</param>
    /// <param name="rules">Which exchanges are recorded.</param>
    public void Begin(Exchange exchange, TraceRules rules)
    {
        var fields = exchange.Request.Fields;
        var parent = ParentOf(fields);
        Drop(fields, KnownField.TraceParent);
        if (parent is null)
            Drop(fields, KnownField.TraceState);

        _traceId = parent?.TraceId ?? 0;
        _isSampled = rules.Samples(parent, exchange.Client.IsTrusted);
        if (_isSampled)
            BeginSpan(exchange, parent);
        while (_traceId == 0)
            _traceId = DrawTraceId();
        Write(spanId: 0);
    }

    /// <summary>An attempt begins.</summary>
    /// <param name="exchange">Whose.</param>
    /// <param name="backend">At whom.</param>
    /// <param name="started">Now, in heartbeat time.</param>
    public void BeginAttempt(Exchange exchange, Backend backend, long started)
    {
        if (_exchange is { } span)
        {
            var address = backend.Key.Address;
            var facts = new AttemptSpanFacts(
                exchange.Request.MethodMemory, exchange.Request.TargetMemory, exchange.Attempts + 1,
                backend.Key.Cluster, backend.Name, backend.Address, address.IsUnix ? address.Path : address.Host,
                address.Port);
            _attempt = Spans.BeginAttempt(span, facts, exchange.Client.Heartbeat.UtcAt(started));
        }

        var spanId = _attempt is { } attempt ? IdOf(attempt.SpanId) : 0;
        while (spanId == 0)
            spanId = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        Write(spanId);
    }

    /// <summary>The attempt has a connection.</summary>
    public void NoteConnection(Connection connection)
    {
        if (_attempt is { } span)
            Spans.AddPeer(span, connection.RemoteEndPoint);
    }

    /// <summary>The attempt is over.</summary>
    /// <param name="attempt">What became of it.</param>
    public void EndAttempt(in AttemptRecord attempt)
    {
        if (_attempt is { } span)
            Spans.EndAttempt(span, attempt);
        _attempt = null;
    }

    /// <summary>The exchange is over.</summary>
    /// <param name="exchange">Whose trace it is.</param>
    /// <param name="record">What became of it.</param>
    public void End(Exchange exchange, in ExchangeRecord record)
    {
        if (_exchange is { } span)
        {
            var facts = new ExchangeSpanFacts(
                exchange.Client.Additions.IsTls, exchange.Connection.RemoteEndPoint, exchange.Route?.Label ?? "",
                exchange.Route?.Pattern ?? "", exchange.Status);
            Spans.EndExchange(span, record, facts);
        }

        _exchange = null;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _traceId = 0;
        _isSampled = false;
        _exchange = _attempt = null;
    }

    // Two are as good as none: nobody can say which one is right.
    private static TraceParent? ParentOf(Fields fields)
        => !fields.IsRepeated(KnownField.TraceParent)
            && TraceParent.TryParse(fields.First(KnownField.TraceParent), out var parent)
            ? parent
            : null;

    private static void Drop(Fields fields, KnownField field)
    {
        for (var line = fields.IndexOf(field); line >= 0; line = fields.IndexOf(field, line + 1))
            fields.Drop(line);
    }

    private void BeginSpan(Exchange exchange, TraceParent? parent)
    {
        Span<byte> id = stackalloc byte[16];
        var context = default(ActivityContext);
        if (parent is { } given)
        {
            TraceParent.WriteId(given.TraceId, id);
            var traceId = ActivityTraceId.CreateFromBytes(id);
            TraceParent.WriteId(given.SpanId, id[..8]);
            context = new(
                traceId, ActivitySpanId.CreateFromBytes(id[..8]), ActivityTraceFlags.Recorded,
                StateOf(exchange.Request.Fields), isRemote: true);
        }

        _exchange = Spans.BeginExchange(
            exchange.Request.MethodToken, context, exchange.Client.Heartbeat.UtcAt(exchange.Started));
        if (_exchange is not { } span)
            return;

        span.TraceId.CopyTo(id);
        _traceId = TraceParent.ReadTraceId(id);
    }

    // §3.3: what several lines say is one list.
    private static string? StateOf(Fields fields)
    {
        if (!fields.Has(KnownField.TraceState))
            return null;

        var state = new StringBuilder();
        for (var line = fields.IndexOf(KnownField.TraceState); line >= 0;
            line = fields.IndexOf(KnownField.TraceState, line + 1))
        {
            state.Append(state.Length > 0 ? "," : "").Append(Encoding.Latin1.GetString(fields.Value(line)));
        }

        return state.Length <= StateLengthMax ? state.ToString() : null;
    }

    private static ulong IdOf(ActivitySpanId id)
    {
        Span<byte> bytes = stackalloc byte[8];
        id.CopyTo(bytes);
        return TraceParent.ReadSpanId(bytes);
    }

    private static UInt128 DrawTraceId()
    {
        var id = default(UInt128);
        Random.Shared.NextBytes(MemoryMarshal.AsBytes(new Span<UInt128>(ref id)));
        return id;
    }

    private void Write(ulong spanId)
        => new TraceParent(_traceId, spanId, _isSampled).Write(_line.AsSpan(ValueStart, TraceParent.Bytes));
}
