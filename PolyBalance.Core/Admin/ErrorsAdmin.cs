using PolyBalance.Telemetry;

namespace PolyBalance.Admin;

/// <summary>What went wrong lately: <c>GET /admin/errors</c>.</summary>
internal sealed class ErrorsAdmin(GatewayView gateway)
{
    /// <summary>All that is kept, the latest first.</summary>
    public AdminAnswer Show()
    {
        var flights = gateway.Metrics.Flights;
        return AdminAnswer.Of(
            new([.. flights.Latest().Select(Describe)], flights.Missed), AdminJson.Types.ErrorsAnswer);
    }

    private static FlightAnswer Describe(Flight flight)
    {
        var record = flight.Record;
        return new()
        {
            Time = record.Started,
            ClientIp = record.ClientAddress,
            Method = flight.Method,
            Path = flight.Target,
            Host = flight.Host,
            Cluster = record.Cluster,
            Backend = record.BackendAddress,
            Status = record.Status,
            Reason = record.Reason,
            LatencyMs = Milliseconds(record.Duration),
            TtfbMs = record.TimeToFirstByte == TimeSpan.Zero ? null : Milliseconds(record.TimeToFirstByte),
            BytesIn = record.BytesIn,
            BytesOut = record.BytesOut,
            RequestId = flight.RequestId,
            Attempts = [.. flight.Attempts.Select(attempt => new AttemptAnswer(
                attempt.BackendAddress, attempt.Status, attempt.Reason, Milliseconds(attempt.Duration)))],
        };
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
