using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using PolyBalance.Transport;

namespace PolyBalance.Health;

/// <summary>The connection of one probe: everything on it, connecting included, under one deadline.</summary>
/// <remarks>Owned by its probe, which disposes it. Cancelling aborts it, from any thread.</remarks>
internal sealed class ProbeConnection : IDisposable
{
    private const string Stopped = "stopped";

    private readonly Connection _connection;
    private readonly Heartbeat _heartbeat;
    private readonly ProbeTarget _target;
    private readonly long _deadline;
    private readonly CancellationTokenRegistration _cancelled;
    private long _taken;

    private ProbeConnection(
        Connection connection, Heartbeat heartbeat, ProbeTarget target, long deadline, CancellationToken cancel)
    {
        _connection = connection;
        _heartbeat = heartbeat;
        _target = target;
        _deadline = deadline;
        _cancelled = cancel.Register(
            static state => ((Connection)state!).Abort(CloseReason.Aborted), connection);
    }

    /// <summary>What is sent to the backend.</summary>
    public PipeWriter Output => _connection.Output;

    /// <summary>Whether the exchange came to its end, so that closing is no surprise to the backend.</summary>
    public bool IsOrderly { get; set; }

    /// <summary>Connects within the timeout of the check, or says why not.</summary>
    public static async ValueTask<(ProbeConnection? Connection, ProbeAnswer Failure)> OpenAsync(
        ProbeTarget target, ProbeMeans means, CancellationToken cancel)
    {
        var heartbeat = means.Transport.Heartbeat;
        var deadline = heartbeat.Now + heartbeat.Ticks(target.Check.Timeout);
        try
        {
            var places = await target.Places.ResolveAsync().AsTask()
                .WaitAsync(target.Check.Timeout, means.Clock, cancel);
            var failure = ProbeAnswer.Failed("the name cannot be resolved");
            foreach (var place in places)
            {
                var left = deadline - heartbeat.Now;
                if (left <= 0)
                    return (null, ProbeAnswer.Failed(target.TimedOut));

                var result = await ConnectAsync(means.Transport, place, left, cancel);
                if (result.Connection is { } connection)
                    return (new(connection, heartbeat, target, deadline, cancel), default);
                failure = AnswerFor(result.Failure, target);
            }

            return (null, failure);
        }
        catch (TimeoutException)
        {
            return (null, ProbeAnswer.Failed(target.TimedOut));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return (null, ProbeAnswer.Void(Stopped));
        }
    }

    /// <summary>
    /// Sends what was written. A backend that takes nothing more may have answered before: reading shows it.
    /// </summary>
    public async ValueTask FlushAsync()
    {
        _connection.WriteTimeout = Math.Max(1, _deadline - _heartbeat.Now);
        await Output.FlushAsync();
    }

    /// <summary>Waits for more than what was there before, until the deadline.</summary>
    public ValueTask<ReadResult> ReadAsync()
    {
        _connection.ReadDeadline = _deadline;
        return _connection.Input.ReadAsync();
    }

    /// <summary>So many bytes are dealt with; what follows them has not been looked at.</summary>
    public void Take(in ReadOnlySequence<byte> bytes, long length)
    {
        _taken += length;
        _connection.Input.AdvanceTo(bytes.GetPosition(length));
    }

    /// <summary>So many bytes are dealt with, and the rest is not enough.</summary>
    public void AskForMore(in ReadOnlySequence<byte> bytes, long length = 0)
    {
        _taken += length;
        _connection.Input.AdvanceTo(bytes.GetPosition(length), bytes.End);
    }

    /// <summary>Why nothing more will come that counts; null: go on.</summary>
    /// <param name="read">What the last read brought.</param>
    public string? WhyOver(in ReadResult read)
    {
        if (_heartbeat.Now >= _deadline || _connection.CloseReason == CloseReason.WriteTimedOut)
            return _target.TimedOut;
        if (_taken > Limits.ProbeAnswerBytesMax)
            return "the answer is too long";
        if (!read.IsCompleted)
            return null;

        return _connection.CloseReason switch
        {
            CloseReason.PeerReset => "connection reset",
            CloseReason.Aborted => Stopped,
            _ => "connection closed too early",
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cancelled.Dispose();
        if (IsOrderly)
            _connection.Close();
        else
            _connection.Abort(CloseReason.Aborted);
        _connection.Input.Complete();
        _connection.Output.Complete();
    }

    // Not every transport takes a connect back: a late connection is closed when nobody waits for it any more.
    private static async Task<ConnectResult> ConnectAsync(
        ITransport transport, EndPoint place, long timeout, CancellationToken cancel)
    {
        var connecting = transport.ConnectAsync(place, timeout).AsTask();
        try
        {
            return await connecting.WaitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            _ = ForgetAsync(connecting);
            throw;
        }
    }

    private static async Task ForgetAsync(Task<ConnectResult> connecting)
    {
        if ((await connecting).Connection is not { } connection)
            return;

        connection.Abort(CloseReason.Aborted);
        connection.Input.Complete();
        connection.Output.Complete();
    }

    private static ProbeAnswer AnswerFor(FailureKind failure, ProbeTarget target) => failure switch
    {
        FailureKind.ConnectRefused => ProbeAnswer.Failed("connect refused"),
        FailureKind.ConnectTimedOut => ProbeAnswer.Failed(target.TimedOut),
        _ when Failure.Of(failure).Side == Side.Proxy => ProbeAnswer.Void(Failure.Of(failure).Sentence),
        _ => ProbeAnswer.Failed("connect failed"),
    };
}
