using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using PolyBalance.Backends;
using PolyBalance.Balancing;
using PolyBalance.Http;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Proxy;

/// <summary>One try at one backend: acquire, forward the head, stream both bodies, settle the connection.</summary>
/// <remarks>
/// Has no state of its own. Everything here runs on the exchange's flow, except the upload, which is a second flow
/// between forwarding the head and the end of the request body. It returns a result and never writes to the exchange.
/// What each combination of endings means is laid down in LIFECYCLE.md.
/// </remarks>
internal sealed class Attempt(HttpDate date)
{
    // Backends are trusted further than clients: large cookies and policies come from them.
    private static readonly HeadLimits BackendHeadLimits = new(Limits.HeadBytesMax, Limits.FieldLinesMax);

    /// <summary>What looking at a backend's answer found.</summary>
    private enum Answer : byte
    {
        More,
        Interim,
        Switch,
        Final,
        Failed,
    }

    /// <summary>Tries one backend.</summary>
    /// <param name="exchange">Whose request.</param>
    /// <param name="cluster">Where the backend belongs.</param>
    /// <param name="backend">Whom to try.</param>
    /// <param name="mustBeFresh">Do not reuse a connection: one has just turned out to be stale.</param>
    /// <param name="started">Now, in heartbeat time.</param>
    /// <returns>What failed, or <see cref="FailureKind.None"/> when the client has the whole response.</returns>
    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    public async ValueTask<FailureKind> RunAsync(
        Exchange exchange, Cluster cluster, Backend backend, bool mustBeFresh, long started)
    {
        exchange.PrepareAttempt();

        // :: 9 acquire
        var acquiring = backend.Pool.AcquireAsync(mustBeFresh, mustBeSure: !exchange.IsRepeatable, exchange.Client);
        if (!acquiring.IsCompleted)
            exchange.BeginWait(WaitKind.Connect);
        var acquired = await acquiring;
        exchange.EndWait();
        if (acquired.Connection is not { } lease || !exchange.Client.TryUse(lease))
            return GiveUp(exchange, backend, acquired);

        // :: 10 forward the head
        exchange.NoteConnection(lease);
        var connection = lease.Connection;
        var sentBefore = connection.BytesSent;
        var timeouts = cluster.Options.Timeouts;
        var responseTimeout = exchange.Client.Heartbeat.Ticks(timeouts.Response);
        connection.WriteTimeout = 0;
        HeadWriter.WriteRequest(
            exchange.Request, exchange.Client.Additions, cluster.HostFor(backend), exchange.Id.Span,
            exchange.RequestFraming, exchange.Request.WantsUpgrade, exchange.TraceLine, connection.Output);
        exchange.State.RequestHeadSent();

        // :: 11 stream up
        exchange.RequestPace.Begin(exchange, connection, responseTimeout, started);
        var upload = new UploadFlow(
            exchange.Upload.RunAsync(connection, exchange.RequestFraming, exchange.RequestPace));

        // :: 12 receive
        var failure = FailureKind.None;
        var answer = Answer.More;
        var scanned = 0L;
        while (answer is Answer.More or Answer.Interim)
        {
            exchange.BeginWait(WaitKind.FirstByte);
            var read = await connection.Input.ReadAsync();
            exchange.EndWait();
            answer = Look(exchange, lease, read, ref scanned, out failure);
            if (answer == Answer.Interim && !await ForwardInterimAsync(exchange))
                (answer, failure) = (Answer.Failed, exchange.LoseClient());
        }

        // :: 13 stream down
        if (answer == Answer.Final)
        {
            upload.LookAhead(exchange);
            failure = await ForwardResponseAsync(exchange, connection, cluster, upload.IsHarvested);
        }
        else if (answer == Answer.Switch)
        {
            failure = upload.TryHarvest(exchange)
                ? await SwitchAsync(exchange, connection)
                : FailureKind.MalformedResponse;
        }

        // :: 14 settle the backend
        var mayReuse = upload.TryHarvest(exchange) && failure is FailureKind.None or FailureKind.UnwantedStatus;
        if (!mayReuse)
            connection.Abort(CloseReason.Aborted);
        if (!upload.IsHarvested)
            upload.Take(exchange, await upload.StopAsync(exchange));

        exchange.NothingSent = connection.BytesSent == sentBefore;
        return Settle(exchange, backend, lease, mayReuse, failure, upload.Result);
    }

    // There is no connection, or nobody any more whom it could serve.
    private static FailureKind GiveUp(Exchange exchange, Backend backend, in AcquireResult acquired)
    {
        var failure = acquired.Failure;
        if (acquired.Connection is { } unused)
        {
            backend.Pool.Discard(unused, CloseReason.Aborted);
            failure = FailureKind.ClientClosed;
        }

        if (failure == FailureKind.ClientClosed)
            exchange.State.ClientClosed();
        return failure;
    }

    // Ends the lease, and decides what the attempt failed with when several things went wrong at once.
    private static FailureKind Settle(
        Exchange exchange, Backend backend, BackendConnection lease, bool mayReuse,
        FailureKind failure, PumpResult upload)
    {
        var isOurs = exchange.Client.TryRelease(lease);
        if (!isOurs && failure != FailureKind.None)
            failure = exchange.LoseClient();

        if (failure == FailureKind.StaleConnection)
            backend.Pool.ReportStale(lease);

        var hasLeftOver = lease.Connection.Input.TryRead(out var read) && (!read.Buffer.IsEmpty || read.IsCompleted);
        if (isOurs && mayReuse && !hasLeftOver && exchange.State.CanReuseBackend)
            backend.Pool.Return(lease);
        else
            backend.Pool.Discard(lease, failure == FailureKind.None ? CloseReason.Closed : CloseReason.Aborted);

        return UploadFailure(exchange, upload) is var cause and not FailureKind.None && failure != FailureKind.None
            ? cause
            : failure;
    }

    // What the client did wrong while it sent its body; the backend's silence is then only a consequence.
    private static FailureKind UploadFailure(Exchange exchange, PumpResult upload)
    {
        switch (upload.End)
        {
            case PumpEnd.SourceEnded:
                exchange.State.ClientClosed();
                return FailureKind.ClientClosed;
            case PumpEnd.SourceTimedOut:
                return FailureKind.ClientBodyTimedOut;
            case PumpEnd.Malformed:
                return upload.Failure;
            case PumpEnd.TooLarge:
                return FailureKind.ContentTooLarge;
            default:
                return FailureKind.None;
        }
    }

    private static Answer Look(
        Exchange exchange, BackendConnection lease, in ReadResult read, ref long scanned, out FailureKind failure)
    {
        var input = lease.Connection.Input;
        var bytes = read.Buffer;
        switch (HeadParser.FindResponseEnd(bytes, ref scanned, BackendHeadLimits, out var length, out failure))
        {
            case HeadSearchStatus.Found:
                exchange.Response.Take(bytes.Slice(0, length));
                input.AdvanceTo(bytes.GetPosition(length));
                scanned = 0;
                return Understand(exchange, out failure);

            case HeadSearchStatus.Refused:
                failure = FailureKind.MalformedResponse;
                return Answer.Failed;
        }

        input.AdvanceTo(bytes.Start, bytes.End);
        failure = FailureKind.None;
        if (read.IsCompleted)
        {
            var isStale = lease.IsReused && bytes.IsEmpty && !exchange.State.HasInterim;
            failure = isStale ? FailureKind.StaleConnection : FailureKind.BackendClosed;
        }
        else if (read.IsCanceled && lease.Connection.IsReadOverdue)
            failure = exchange.Client.Heartbeat.Now >= exchange.Deadline
                ? FailureKind.RequestTimedOut
                : FailureKind.ResponseTimedOut;
        return failure == FailureKind.None ? Answer.More : Answer.Failed;
    }

    private static Answer Understand(Exchange exchange, out FailureKind failure)
    {
        var response = exchange.Response;
        if (!HeadParser.TryParseResponse(response, BackendHeadLimits, out failure))
        {
            failure = FailureKind.MalformedResponse;
            return Answer.Failed;
        }

        if (!response.IsInterim)
            return Answer.Final;

        if (response.Status == 101)
        {
            // RFC 9110 §7.8, §15.2.2: a server switches only to what was asked for, and says to what.
            var switched = response.Fields.First(KnownField.Upgrade);
            if (exchange.Request.WantsUpgrade
                && Http.Ascii.EqualsIgnoreCase(switched, exchange.Request.UpgradeProtocol))
            {
                return Answer.Switch;
            }

            failure = FailureKind.MalformedResponse;
            return Answer.Failed;
        }

        if (exchange.State.InterimReceived())
            return Answer.Interim;
        failure = FailureKind.MalformedResponse;
        return Answer.Failed;
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private static async ValueTask<bool> ForwardInterimAsync(Exchange exchange)
    {
        // RFC 9110 §15.2: a server must not send a 1xx response to an HTTP/1.0 client.
        if (exchange.Request.Version == ProtocolVersion.Http11)
        {
            HeadWriter.WriteInterim(exchange.Response, exchange.Connection.Output);
            exchange.BeginWait(WaitKind.Client);
            var flushed = await exchange.Connection.Output.FlushAsync();
            exchange.EndWait();
            if (flushed.IsCompleted)
                return false;
            exchange.State.InterimSent();
        }

        if (exchange.Response.Status == 100)
            exchange.RequestPace.ContinueSent();
        exchange.Response.Clear();
        return true;
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private async ValueTask<FailureKind> ForwardResponseAsync(
        Exchange exchange, Connection backend, Cluster cluster, bool isUploadOver)
    {
        var response = exchange.Response;
        if (!BodyFraming.TryDecide(response, exchange.Request.Method.Kind, out var framing, out _))
            return FailureKind.MalformedResponse;

        var client = exchange.Client;
        exchange.NoteFirstByte(ExchangePhase.ResponseContent);
        exchange.State.ResponseHeadReceived(response.KeepAlive, framing);
        if (response.Fields.Has(KnownField.KeepAlive))
            exchange.Backend!.Pool.IdleLimit.ObservePromise(response.Fields.First(KnownField.KeepAlive));
        if (BackendSignal.WantsDrain(response.Fields))
            exchange.Backend!.BeginDrainByResponse();
        if (RetryPolicy.TryReplace(exchange, cluster, isUploadOver))
        {
            Discard(exchange, backend, framing);
            return FailureKind.UnwantedStatus;
        }

        var towardsClient = BodyFraming.ForClient(framing, exchange.Request.Version);
        var close = exchange.State.MustCloseClient(towardsClient, client.IsDraining);
        WriteHead(exchange, towardsClient, close, date.Bytes, upgrade: false);
        exchange.State.ResponseHeadSent(close);
        exchange.Status = response.Status;

        // Events may be far apart, as in a tunnel; everything else that pauses so long has stopped.
        var isEventStream = response.Fields.First(KnownField.ContentType).StartsWith("text/event-stream"u8);
        var idleTimeout = isEventStream
            ? client.Rules.TunnelIdleTimeout
            : client.Heartbeat.Ticks(cluster.Options.Timeouts.ResponseIdle);
        exchange.ResponsePace.Begin(exchange, backend, idleTimeout);
        exchange.Download.Begin(backend, response, framing, long.MaxValue, replayBytesMax: 0);
        var result = await exchange.Download.RunAsync(exchange.Connection, towardsClient, exchange.ResponsePace);
        switch (result.End)
        {
            case PumpEnd.Complete:
                exchange.State.ResponseReceived();
                exchange.State.ResponseSent();
                return FailureKind.None;
            case PumpEnd.SinkFailed:
                return exchange.LoseClient();
            case PumpEnd.SourceTimedOut:
                return client.Heartbeat.Now >= exchange.Deadline
                    ? FailureKind.RequestTimedOut
                    : FailureKind.ResponseIdleTimedOut;
            default:
                return FailureKind.ResponseTruncated;
        }
    }

    // A short answer is often there whole, and its connection can go on; otherwise the connection ends.
    private static void Discard(Exchange exchange, Connection backend, BodyFraming framing)
    {
        var isThere = backend.Input.TryRead(out var read);
        if (BodyDecoder.TryMeasure(framing, read.Buffer, out var length))
            exchange.State.ResponseReceived();
        if (isThere)
            backend.Input.AdvanceTo(read.Buffer.GetPosition(length));
    }

    [AsyncMethodBuilder(typeof(PooledMethodBuilder<>))]
    private static async ValueTask<FailureKind> SwitchAsync(Exchange exchange, Connection backend)
    {
        var output = exchange.Connection.Output;
        exchange.NoteFirstByte(ExchangePhase.Tunnel);
        WriteHead(exchange, default, close: false, date: default, upgrade: true);
        exchange.State.Switched();
        exchange.Status = 101;
        exchange.BeginWait(WaitKind.Client);
        if ((await output.FlushAsync()).IsCompleted)
        {
            exchange.EndWait();
            return exchange.LoseClient();
        }

        exchange.Connection.Unwatch();
        var client = exchange.Client;
        var tunnel = new Tunnel(client.Connection, backend, client.Heartbeat, client.Rules.TunnelIdleTimeout);
        await tunnel.RunAsync();
        exchange.EndWait();
        exchange.Upload.CountTunnel(tunnel.BytesUp);
        exchange.Download.CountTunnel(tunnel.BytesDown);
        return FailureKind.None;
    }

    private static void WriteHead(
        Exchange exchange, BodyFraming framing, bool close, ReadOnlySpan<byte> date, bool upgrade)
    {
        Span<byte> lines = stackalloc byte[StickyTable.LineBytesMax + ServerTiming.LineBytesMax];
        var length = Session.WriteCookie(exchange, lines);
        length += ServerTiming.Write(exchange, exchange.FirstByte, exchange.Attempts + 1, lines[length..]);
        HeadWriter.WriteResponse(
            exchange.Response, framing, exchange.Request.Version, close, exchange.Id.Span, date, upgrade,
            lines[..length], exchange.Connection.Output);
    }
}
