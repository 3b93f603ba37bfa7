using Microsoft.Extensions.Logging;

namespace PolyBalance.Telemetry;

/// <summary>Every log message of PolyBalance's core. Ids are permanent; a retired one is never reused.</summary>
/// <remarks>
/// Error: a human must act. Warning: capacity or a backend was lost. Information: life cycle, once per change. Debug:
/// per
/// connection. Nothing here is logged per request; that is the access log's business.
/// </remarks>
internal static partial class Log
{
    // 1xxx server   2xxx backends and health   3xxx exchanges   4xxx configuration

    [LoggerMessage(1001, LogLevel.Information, "Listening for {Purpose} on {Address} with the transport {Transport}")]
    public static partial void Listening(ILogger logger, string purpose, string address, string transport);

    [LoggerMessage(1002, LogLevel.Information,
        "Draining: {Connections} client connections are open, at most {Deadline} until they are closed")]
    public static partial void Draining(ILogger logger, int connections, TimeSpan deadline);

    [LoggerMessage(1003, LogLevel.Information, "Drained: every exchange was finished")]
    public static partial void Drained(ILogger logger);

    [LoggerMessage(1004, LogLevel.Warning,
        "Drain ended with {Connections} client connections cut off, which waited: {Waits}")]
    public static partial void DrainCutOff(ILogger logger, int connections, string waits);

    [LoggerMessage(1005, LogLevel.Warning,
        "The limit of {Limit} client connections is reached: new ones are closed until others end")]
    public static partial void ConnectionLimitReached(ILogger logger, int limit);

    [LoggerMessage(1006, LogLevel.Information, "The transport is {Transport}, not io_uring: {Reason}")]
    public static partial void TransportFellBack(ILogger logger, string transport, string reason);

    [LoggerMessage(1007, LogLevel.Warning,
        "This process may have {Limit} files open, which is enough for {Clients} client connections at once: "
        + "raise LimitNOFILE of the unit, or `ulimit -n`, to {Recommended}")]
    public static partial void FileLimitLow(ILogger logger, int limit, int clients, long recommended);

    [LoggerMessage(1008, LogLevel.Warning,
        "File descriptors are short, of which this process may have {Limit}: {Clients} clients were refused or kept "
        + "waiting, {Connections} connections to backends not made; raise LimitNOFILE of the unit, or `ulimit -n`")]
    public static partial void FilesShort(ILogger logger, int limit, long clients, long connections);

    [LoggerMessage(1009, LogLevel.Information,
        "Listening for {Purpose} on {Address} with the transport {Transport}, on sockets that systemd keeps")]
    public static partial void ListeningOnGiven(ILogger logger, string purpose, string address, string transport);

    [LoggerMessage(1011, LogLevel.Information,
        "Listening for {Purpose} on {Address} with the transport {Transport}, on the sockets of the process before")]
    public static partial void ListeningOnHandedOver(ILogger logger, string purpose, string address, string transport);

    [LoggerMessage(1010, LogLevel.Warning,
        "systemd keeps a socket on {Address}, and no listener has this address: clients wait there until `bind` names "
        + "it")]
    public static partial void GivenSocketUnused(ILogger logger, string address);

    [LoggerMessage(2001, LogLevel.Warning, "Backend {Backend} of cluster {Cluster} is unhealthy: {Reason}")]
    public static partial void BackendUnhealthy(ILogger logger, string backend, string cluster, string reason);

    [LoggerMessage(2002, LogLevel.Information, "Backend {Backend} of cluster {Cluster} is healthy: {Reason}")]
    public static partial void BackendHealthy(ILogger logger, string backend, string cluster, string reason);

    [LoggerMessage(2003, LogLevel.Information,
        "Probed before listening: of {Backends} backends {Healthy} are healthy, {Unhealthy} not, {Unknown} unknown")]
    public static partial void ProbedBeforeListening(
        ILogger logger, int backends, int healthy, int unhealthy, int unknown);

    [LoggerMessage(2004, LogLevel.Warning, "No backend is healthy: nothing can be forwarded until a probe passes")]
    public static partial void NoneHealthy(ILogger logger);

    [LoggerMessage(2005, LogLevel.Warning,
        "Every probe of cluster {Cluster} is answered 404: is health.path right?")]
    public static partial void EveryProbeNotFound(ILogger logger, string cluster);

    [LoggerMessage(2006, LogLevel.Error, "A probe failed because of a bug in PolyBalance; please report it")]
    public static partial void ProbeFailed(ILogger logger, Exception exception);

    [LoggerMessage(2101, LogLevel.Warning,
        "Backend {Backend} of cluster {Cluster} is ejected for {Duration}: {Reason}")]
    public static partial void BackendEjected(
        ILogger logger, string backend, string cluster, TimeSpan duration, string reason);

    [LoggerMessage(2102, LogLevel.Information, "Backend {Backend} of cluster {Cluster} is in service again: {Reason}")]
    public static partial void BackendReturned(ILogger logger, string backend, string cluster, string reason);

    [LoggerMessage(2103, LogLevel.Warning,
        "Backend {Backend} of cluster {Cluster} stays in service, or too few would be left, although {Reason}")]
    public static partial void EjectionRefused(ILogger logger, string backend, string cluster, string reason);

    [LoggerMessage(2104, LogLevel.Warning,
        "Cluster {Cluster} has nobody left but backups, which get its requests now; {Backups} can be used")]
    public static partial void LeftToBackups(ILogger logger, string cluster, int backups);

    [LoggerMessage(2105, LogLevel.Information, "Cluster {Cluster} has others than its backups again")]
    public static partial void LeftToBackupsNoMore(ILogger logger, string cluster);

    [LoggerMessage(2201, LogLevel.Information,
        "Backend {Backend} of cluster {Cluster} is draining with {InFlight} exchanges in flight: {Reason}")]
    public static partial void BackendDrains(
        ILogger logger, string backend, string cluster, int inFlight, string reason);

    [LoggerMessage(2202, LogLevel.Information,
        "Backend {Backend} of cluster {Cluster} is not draining any more: {Reason}")]
    public static partial void BackendDrainsNoMore(ILogger logger, string backend, string cluster, string reason);

    [LoggerMessage(2301, LogLevel.Information, "No longer listening for {Purpose} on {Address}")]
    public static partial void ListeningNoMore(ILogger logger, string purpose, string address);

    [LoggerMessage(2302, LogLevel.Information,
        "Reloaded {Source}, generation {Generation}: {Added} added, {Removed} removed, {Changed} values changed, "
        + "{Kept} unchanged")]
    public static partial void Reloaded(
        ILogger logger, string source, long generation, int added, int removed, int changed, int kept);

    [LoggerMessage(2303, LogLevel.Error, "Not reloaded, and nothing has changed: {Errors} errors in {Source}")]
    public static partial void ReloadRefused(ILogger logger, int errors, string source);

    [LoggerMessage(2304, LogLevel.Error, "{Error}")]
    public static partial void ReloadError(ILogger logger, string error);

    [LoggerMessage(2305, LogLevel.Warning, "{Warning}")]
    public static partial void ReloadWarning(ILogger logger, string warning);

    [LoggerMessage(2306, LogLevel.Warning, "{Change} takes effect at the next start")]
    public static partial void ChangeNeedsRestart(ILogger logger, string change);

    [LoggerMessage(2307, LogLevel.Information,
        "A change made at run time is over, because the file says it now: {Change}")]
    public static partial void ChangeSuperseded(ILogger logger, string change);

    [LoggerMessage(2401, LogLevel.Information, "Operator at {Client}: {Method} {Path} {Status} {Outcome}")]
    public static partial void OperatorWrote(
        ILogger logger, string client, string method, string path, int status, string outcome);

    [LoggerMessage(2501, LogLevel.Information,
        "{Name} stands for {Count} places: {Added} added, {Removed} removed ({Change})")]
    public static partial void NameChanged(
        ILogger logger, string name, int added, int removed, int count, string change);

    [LoggerMessage(2502, LogLevel.Warning,
        "{Name} cannot be looked up since now, and the {Count} places that are known stay in use: {Reason}")]
    public static partial void NameFails(ILogger logger, string name, string reason, int count);

    [LoggerMessage(2503, LogLevel.Information, "{Name} can be looked up again")]
    public static partial void NameRecovered(ILogger logger, string name);

    [LoggerMessage(2504, LogLevel.Warning,
        "{Name} has no places any more, and the {Count} that are known stay in use for {Hold}: {Reason}")]
    public static partial void NameIsHeld(ILogger logger, string name, string reason, int count, TimeSpan hold);

    [LoggerMessage(2505, LogLevel.Warning, "{Name} has no places, so no backend comes from it: {Reason}")]
    public static partial void NameIsEmpty(ILogger logger, string name, string reason);

    [LoggerMessage(2506, LogLevel.Warning,
        "{Name} has had no places for {Hold}: the {Count} that were in use finish what they have")]
    public static partial void NameIsGivenUp(ILogger logger, string name, int count, TimeSpan hold);

    [LoggerMessage(2507, LogLevel.Warning,
        "{Name} stands for {Count} places, and {CutOff} of them are not used: {Most} are the most")]
    public static partial void NameIsCutOff(ILogger logger, string name, int count, int cutOff, int most);

    [LoggerMessage(2508, LogLevel.Information,
        "{Name} has lost places that stay in use until one of the new ones works, for {Hold} at most")]
    public static partial void NameLeaving(ILogger logger, string name, TimeSpan hold);

    [LoggerMessage(2509, LogLevel.Information,
        "A change made at run time is over, because its backend is not found any more: {Change}")]
    public static partial void ChangeOfGoneBackend(ILogger logger, string change);

    [LoggerMessage(2510, LogLevel.Warning,
        "{Name} is not looked up yet, so no backend comes from it to begin with")]
    public static partial void NameNotYetKnown(ILogger logger, string name);

    [LoggerMessage(2511, LogLevel.Error,
        "Looking up {Name} failed because of a bug in PolyBalance; please report it")]
    public static partial void NameWatchFailed(ILogger logger, string name, Exception exception);

    [LoggerMessage(3001, LogLevel.Error,
        "A client connection failed because of a bug in PolyBalance; please report it")]
    public static partial void ExchangeFailed(ILogger logger, Exception exception);

    [LoggerMessage(3002, LogLevel.Warning,
        "{Refusals} retries of cluster {Cluster} were not made: its budget is {Percent} % of the requests "
        + "and 10 per second")]
    public static partial void RetriesRefused(ILogger logger, long refusals, string cluster, int percent);

    [LoggerMessage(3003, LogLevel.Warning,
        "{Refusals} requests of cluster {Cluster} found no backend with a place in time, and {Waiting} wait: every "
        + "eligible one has pool.max_connections. Add backends, or raise pool.max_connections")]
    public static partial void QueueRefused(ILogger logger, long refusals, string cluster, int waiting);
}
