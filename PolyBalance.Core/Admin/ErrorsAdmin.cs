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
            Side = record.Side,
            Phase = record.FailedPhase,
            LatencyMs = Milliseconds(record.Duration),
            QueueMs = Milliseconds(record.Timing.Queue),
            ConnectMs = Milliseconds(record.Timing.Connect),
            TtfbMs = Milliseconds(record.Timing.FirstByte),
            ClientMs = Milliseconds(record.Timing.Client),
            OverheadMs = Milliseconds(record.Timing.Overhead),
            BytesIn = record.BytesIn,
            BytesOut = record.BytesOut,
            RequestId = flight.RequestId,
            TraceId = flight.TraceId,
            Attempts = [.. flight.Attempts.Select(Describe)],
        };
    }

    private static AttemptAnswer Describe(AttemptRecord attempt) => new(
        attempt.BackendAddress, attempt.Status, attempt.Reason, Milliseconds(attempt.Duration),
        Milliseconds(attempt.Connect), Milliseconds(attempt.FirstByte), attempt.IsReused);

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
