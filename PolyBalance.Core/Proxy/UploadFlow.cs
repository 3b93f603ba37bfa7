namespace PolyBalance.Proxy;

/// <summary>The second flow of an attempt, that of the request body, seen from the first.</summary>
/// <remarks>Owned by the exchange's flow.</remarks>
/// <param name="running">What <see cref="BodyPump.RunAsync"/> returned.</param>
internal struct UploadFlow(ValueTask<PumpResult> running)
{
    private ValueTask<PumpResult> _running = running;

    /// <summary>Whether the flow has ended and <see cref="Result"/> says how.</summary>
    public bool IsHarvested { get; private set; }

    /// <summary>How it ended.</summary>
    public PumpResult Result { get; private set; }

    /// <summary>Takes the result if there is one. True when the request went to its end.</summary>
    public bool TryHarvest(Exchange exchange)
    {
        if (!IsHarvested && _running.IsCompleted)
            Take(exchange, _running.GetAwaiter().GetResult());
        return IsHarvested && Result.End == PumpEnd.Complete;
    }

    /// <summary>
    /// Takes the result, or knows before there is one that the client has sent its whole request: an answer may
    /// overtake the news, from another thread, that the last of the request has gone out.
    /// </summary>
    public void LookAhead(Exchange exchange)
    {
        if (!TryHarvest(exchange) && exchange.Upload.IsRead && !exchange.State.IsRequestRead)
            exchange.State.RequestReceived();
    }

    /// <summary>Ends the flow. The backend's connection has been aborted before.</summary>
    public async ValueTask<PumpResult> StopAsync(Exchange exchange)
    {
        exchange.Upload.Stop();
        return await _running;
    }

    /// <summary>Notes how the flow ended.</summary>
    public void Take(Exchange exchange, PumpResult result)
    {
        IsHarvested = true;
        Result = result;
        _running = default;
        if (result.End != PumpEnd.Complete)
            return;

        if (!exchange.State.IsRequestRead)
            exchange.State.RequestReceived();
        exchange.State.RequestSent();
    }
}
