namespace PolyBalance.Telemetry;

/// <summary>Wants to know of every finished exchange: an access log, a counter, a trace exporter.</summary>
public interface IExchangeSink
{
    /// <summary>Takes note of one finished exchange.</summary>
    /// <remarks>
    /// Called on the thread that ends the exchange, between two requests of a client: an implementation never waits for
    /// anything slow, never throws, and copies what it wants to keep, because the memory of the record is reused as
    /// soon as this returns.
    /// </remarks>
    /// <param name="exchange">What happened.</param>
    void Record(in ExchangeRecord exchange);

    /// <summary>Records that it could not keep, since the start. Any thread.</summary>
    long Dropped => 0;
}
