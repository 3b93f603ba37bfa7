using PolyBalance.Backends;
using PolyBalance.Topology;

namespace PolyBalance.Proxy;

/// <summary>How far an exchange has come, as far as another attempt depends on it.</summary>
/// <param name="CanRefuse">The client has no byte of a response, and has not left.</param>
/// <param name="CanReplay">The request body can be sent again from its start.</param>
/// <param name="IsRepeatable">The request may reach a backend twice.</param>
/// <param name="NothingSent">No byte of the latest attempt has left this process.</param>
/// <param name="TimedOutAttempts">Attempts that failed because the backend did not answer in time.</param>
internal readonly record struct RetryFacts(
    bool CanRefuse, bool CanReplay, bool IsRepeatable, bool NothingSent, int TimedOutAttempts);

/// <summary>May this exchange be tried again? RFC 9110 §9.2.2.</summary>
/// <remarks>Pure, but for what a retry takes of the budget.</remarks>
internal static class RetryPolicy
{
    /// <summary>Decides after an attempt that failed.</summary>
    public static bool Allows(Exchange exchange, FailureKind failure)
        => Allows(
            new RetryFacts(
                exchange.State.CanRefuse, exchange.Upload.CanReplay, exchange.IsRepeatable, exchange.NothingSent,
                exchange.TimedOutAttempts),
            failure);

    /// <summary>The same by the facts alone.</summary>
    public static bool Allows(in RetryFacts facts, FailureKind failure)
    {
        if (!facts.CanRefuse)
            return false;       // the client has bytes of a response already, or has left

        if (!facts.CanReplay)
            return false;       // part of the request body is gone for good

        // A backend that is slow may be slow because of this request: it is shown to one other at most.
        if (failure == FailureKind.ResponseTimedOut && facts.TimedOutAttempts > 1)
            return false;

        return Failure.Of(failure).Retry switch
        {
            RetryRule.Always => true,
            RetryRule.IfIdempotent => facts.IsRepeatable || facts.NothingSent,
            _ => false,
        };
    }

    /// <summary>
    /// Decides while a backend's answer is in hand whether another one is asked instead, and has then a place at that
    /// one: <see cref="Exchange.Next"/>.
    /// </summary>
    /// <remarks>
    /// An answer is given up for nothing less than a place: the client gets it when nobody has one now, when it would
    /// overtake those who wait, or when the budget is spent. A request that may not be sent twice has had its answer.
    /// </remarks>
    /// <param name="exchange">Whose answer; the client has nothing of it yet.</param>
    /// <param name="cluster">Whose backend gave it.</param>
    /// <param name="isUploadOver">The request body is on its way no more.</param>
    public static bool TryReplace(Exchange exchange, Cluster cluster, bool isUploadOver)
    {
        if (!cluster.IsUnwanted(exchange.Response.Status) || !exchange.IsRepeatable || !exchange.State.CanRefuse)
            return false;

        // While the body is under way, another thread may be about to let go of what was held of it.
        var request = exchange.RequestFraming;
        var canReplay = isUploadOver
            ? exchange.Upload.CanReplay
            : request.Kind != Http.BodyKind.Chunked && request.Length <= cluster.ReplayBytesMax;
        if (!canReplay || exchange.Tried.Length >= cluster.AttemptsMax
            || !cluster.Placement.HasOthersThan(exchange.Tried))
        {
            return false;
        }

        // The place counts as an attempt: the budget is to see what there was before.
        var attempts = cluster.CountAttempts();
        if (cluster.FindNow(exchange.DrawContext(), out var admission) is not { } backend)
            return false;

        if (!cluster.RetryBudget.TryTake(exchange.Client.Heartbeat.Now, attempts))
        {
            backend.Withdraw(admission);
            return false;
        }

        exchange.Next = new(backend, admission, FailureKind.None);
        return true;
    }

    /// <summary>Decides before a backend is chosen whether the request may go to one more.</summary>
    /// <remarks>A retry costs some of the budget: only when there is somebody left to try.</remarks>
    /// <param name="cluster">Where it goes.</param>
    /// <param name="tries">How often a backend has been chosen before.</param>
    /// <param name="tried">Backends that it was given to; a session may have begun at one that is not eligible.</param>
    /// <param name="now">In heartbeat time.</param>
    public static bool MayTry(Cluster cluster, int tries, ReadOnlySpan<Backend> tried, long now)
        => tries == 0
            || (tries < cluster.AttemptsMax
                && cluster.Placement.HasOthersThan(tried)
                && cluster.RetryBudget.TryTake(now, cluster.CountAttempts()));
}
