using PolyBalance.Server;

namespace PolyBalance.Host.Lifecycle;

/// <summary>
/// Tells systemd again and again that the gateway works, as long as every thread that moves bytes comes by, and what it
/// does, whenever that has changed.
/// </summary>
/// <remarks>
/// A thread that is stuck is a gateway that is stuck: nothing is said any more, and the unit's watchdog starts it anew.
/// </remarks>
internal static class SystemdWatch
{
    // How often the status is looked at, where no watchdog asks for more.
    private static readonly TimeSpan StatusPeriod = TimeSpan.FromSeconds(5);

    /// <summary>Begins; disposing what is returned ends it.</summary>
    /// <param name="systemd">Whom to tell.</param>
    /// <param name="server">Of whom.</param>
    /// <param name="time">Says when to tell it again.</param>
    public static IAsyncDisposable Start(SystemdNotify systemd, ProxyServer server, TimeProvider time)
    {
        var period = systemd.WatchdogPeriod is { } wanted && wanted < StatusPeriod ? wanted : StatusPeriod;
        return new Watch(systemd, server, period, time);
    }

    private sealed class Watch : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Watch(SystemdNotify systemd, ProxyServer server, TimeSpan period, TimeProvider time)
            => _running = RunAsync(systemd, server, period, time, _stop.Token);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private static async Task RunAsync(
            SystemdNotify systemd, ProxyServer server, TimeSpan period, TimeProvider time, CancellationToken stop)
        {
            var said = server.Status;
            using var timer = new PeriodicTimer(period, time);
            try
            {
                // At once: the time that systemd waits goes on when another process takes over, and processes that
                // follow one another quickly would never be heard.
                do
                {
                    await server.PassAsync().WaitAsync(stop);
                    if (systemd.WatchdogPeriod is not null)
                        systemd.Alive();
                    if (server.Status is var status && status != said)
                        systemd.Status(said = status);
                }
                while (await timer.WaitForNextTickAsync(stop));
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // That is how it is told to stop.
            }
        }
    }
}
