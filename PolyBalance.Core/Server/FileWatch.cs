using Microsoft.Extensions.Logging;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>
/// Makes room when somebody was turned away for want of file descriptors, and tells the operator. See
/// <see cref="FileAllowance"/>.
/// </summary>
/// <remarks>Everything after <see cref="Start"/> happens on the heartbeat's thread.</remarks>
internal sealed class FileWatch(FileAllowance files, SnapshotStore store, Heartbeat heartbeat, ILogger logger)
{
    private static readonly TimeSpan WarningPeriod = TimeSpan.FromSeconds(10);

    private FileRefusals _seen;
    private FileRefusals _told;
    private long _toldAt = long.MinValue;

    /// <summary>
    /// Begins to watch. Warns at once when the limit of this process is too low for what is configured.
    /// </summary>
    /// <param name="connectionsMax"><c>limits.connections</c>; 0: no limit.</param>
    public void Start(int connectionsMax)
    {
        if (files.Limit is not { } limit)
            return;

        // Each client may need a connection to a backend.
        var recommended = connectionsMax == 0
            ? Limits.FilesRecommended
            : (2L * connectionsMax) + Limits.FilesReserved;
        if (limit < recommended)
            Log.FileLimitLow(logger, limit, files.ClientsMax, recommended);
        heartbeat.Every(Heartbeat.Period, Look);
    }

    private void Look()
    {
        var refusals = files.Refusals;
        if (refusals != _seen && files.IsShort)
            MakeRoom();
        _seen = refusals;

        // Not every time: a flood of clients must not become a flood of log lines.
        var now = heartbeat.Now;
        if (refusals == _told || (_toldAt != long.MinValue && heartbeat.Span(now - _toldAt) < WarningPeriod))
            return;

        Log.FilesShort(
            logger, files.Limit ?? 0, refusals.Clients - _told.Clients, refusals.Connects - _told.Connects);
        _told = refusals;
        _toldAt = now;
    }

    private void MakeRoom()
    {
        foreach (var backend in store.Current.Backends())
            backend.Pool.Shed();
    }
}
