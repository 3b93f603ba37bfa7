namespace PolyBalance.Proxy;

/// <summary>May this exchange be tried again? RFC 9110 §9.2.2.</summary>
internal static class RetryPolicy
{
    /// <summary>Decides after an attempt that failed.</summary>
    public static bool Allows(Exchange exchange, FailureKind failure)
    {
        if (!exchange.State.CanRefuse)
            return false;       // the client has bytes of a response already, or has left

        if (!exchange.Upload.CanReplay)
            return false;       // part of the request body is gone for good

        // A backend that is slow may be slow because of this request: it is shown to one other at most.
        if (failure == FailureKind.ResponseTimedOut && exchange.TimedOutAttempts > 1)
            return false;

        return Failure.Of(failure).Retry switch
        {
            RetryRule.Always => true,
            RetryRule.IfIdempotent => exchange.IsRepeatable || exchange.NothingSent,
            _ => false,
        };
    }
}
