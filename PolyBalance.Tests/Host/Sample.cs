using PolyBalance.Telemetry;

namespace PolyBalance.Tests.Host;

/// <summary>An exchange to log.</summary>
internal static class Sample
{
    public static readonly ExchangeRecord Exchange = new()
    {
        Started = new DateTimeOffset(2026, 3, 1, 9, 8, 9, 12, TimeSpan.FromHours(2)),
        Duration = TimeSpan.FromMicroseconds(12_345),
        ClientAddress = "192.0.2.7",
        Method = "GET"u8.ToArray(),
        Target = "/a?b=c&d=<e>+f"u8.ToArray(),
        Host = "example.com"u8.ToArray(),
        Cluster = "web",
        Backend = "web-1",
        BackendAddress = "10.0.0.11:8080",
        Status = 200,
        BytesIn = 7,
        BytesOut = 4096,
        RequestId = "4f2a"u8.ToArray(),
        Attempts = 1,
        Timing = new(
            TimeSpan.Zero, TimeSpan.FromMicroseconds(1500), TimeSpan.FromMilliseconds(9),
            TimeSpan.FromMicroseconds(250), TimeSpan.FromMicroseconds(95)),
    };
}
