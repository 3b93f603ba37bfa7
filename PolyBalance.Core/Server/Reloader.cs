using Microsoft.Extensions.Logging;
using PolyBalance.Admin;
using PolyBalance.Backends;
using PolyBalance.Configuration;
using PolyBalance.Discovery;
using PolyBalance.Health;
using PolyBalance.Telemetry;
using PolyBalance.Topology;
using PolyBalance.Transport;

namespace PolyBalance.Server;

/// <summary>
/// Takes up the configuration anew while traffic flows: read, validate, bind, publish. What is wrong anywhere on this
/// way changes nothing at all.
/// </summary>
/// <remarks>Any thread; reloads happen one after the other.</remarks>
/// <param name="source">Where the configuration comes from; null: it cannot be read again.</param>
/// <param name="store">Where it is published.</param>
/// <param name="builder">Makes snapshots of it.</param>
/// <param name="names">Looks up what it names.</param>
/// <param name="probes">Ask backends that would be alone, and that nobody knows.</param>
/// <param name="listeners">What follows it.</param>
/// <param name="metrics">Counts reloads.</param>
/// <param name="logger">Hears of them.</param>
internal sealed class Reloader(
    IConfigSource? source, SnapshotStore store, SnapshotBuilder builder, NameMonitor names, FirstProbes probes,
    ListenerSet listeners, GatewayMetrics metrics, ILogger logger)
    : IDisposable
{
    private const string NoSource = "the configuration";

    // As long as the first round of a start.
    private static readonly TimeSpan NamesWaitMax = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _turn = new(1);
    private volatile IExchangeSink? _sink;
    private volatile bool _isRefusing;

    /// <summary>Who hears of exchanges; null: nobody.</summary>
    public IExchangeSink? Sink
    {
        get => _sink;
        init => _sink = value;
    }

    /// <summary>Reads the configuration and puts it in force.</summary>
    /// <param name="stop">The gateway is at its end.</param>
    public async Task<ReloadOutcome> ReloadAsync(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            var outcome = await ApplyAsync(_isRefusing ? Late() : Read(isToApply: true), stop);
            Tell(outcome);
            return outcome;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>What a reload would do now, or with another text; does nothing.</summary>
    /// <param name="text">The text; null: what the source has.</param>
    /// <param name="name">What errors call the text; null: as they call the source.</param>
    /// <param name="stop">The gateway is at its end.</param>
    public async Task<ReloadOutcome> PlanAsync(string? text, string? name, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            return Compare(text is null || source is null
                ? Read(isToApply: false)
                : source.Parse(text, name ?? source.Name));
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>From now on nothing is taken up any more: the gateway has been told to stop. Any thread.</summary>
    public void Refuse() => _isRefusing = true;

    /// <summary>Ends <see cref="Refuse"/>: the gateway goes on after all. Any thread.</summary>
    public void Accept() => _isRefusing = false;

    /// <summary>Returns once no reload is under way that could still open a listener. After <see cref="Refuse"/>.
    /// </summary>
    public async Task SettleAsync()
    {
        await _turn.WaitAsync();
        _turn.Release();
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private ReloadOutcome Compare(ConfigResult read)
    {
        var current = store.Current;
        if (read.Options is not { } file)
            return new() { Generation = current.Config.Generation, Errors = read.Errors, Warnings = read.Warnings };

        var given = current.Config.Found.ApplyTo(file);
        var changes = current.Config.Changes.CarryOver(current.Config.Given, given, out var superseded);
        var next = changes.ApplyTo(given);
        return new()
        {
            Generation = current.Config.Generation,
            Warnings = read.Warnings,
            Difference = ConfigDifference.Between(current.Options, next),
            Leaving = [.. current.Backends().Where(backend => !IsNamed(next, backend)).Select(Describe)],
            Kept = changes.All,
            Superseded = superseded,
        };
    }

    private ConfigResult Late() => new()
    {
        Errors =
        [
            new(source?.Name ?? NoSource, 0, 0, "the gateway is about to stop", "reload the one that follows it"),
        ],
    };

    private ConfigResult Read(bool isToApply) => source?.Read(isToApply) ?? new()
    {
        Errors =
        [
            new(NoSource, 0, 0, "there is no file that could be read again", "start the gateway with a file"),
        ],
    };

    private async Task<ReloadOutcome> ApplyAsync(ConfigResult read, CancellationToken stop)
    {
        ReloadOutcome Refused(params IReadOnlyList<ConfigError> errors) => new()
        {
            Generation = store.Current.Config.Generation,
            Errors = errors,
            Warnings = read.Warnings,
        };

        if (read.Options is not { } file)
            return Refused(read.Errors);

        // What cannot be looked up begins without backends. Who is to take over from everybody else is asked first.
        var anew = await names.PrepareAsync(file, NamesWaitMax, stop);
        var introduced = await IntroduceAsync(file, anew, stop);
        ListenerChange change;
        try
        {
            change = await listeners.PrepareAsync(file, _sink);
        }
        catch (ListenException failure)
        {
            return Refused(new ConfigError(source!.Name, 0, 0, failure.Message.TrimEnd('.'), ""));
        }

        if (source!.Prepare(file) is { } obstacle)
        {
            await listeners.AbandonAsync(change);
            return Refused(obstacle);
        }

        // From here on nothing can fail.
        var outcome = await store.ChangeAsync(found => Publish(found, file, anew, introduced), stop);
        _sink = source.Adopt(file);
        await listeners.CommitAsync(change, file, _sink);
        return outcome with { Warnings = read.Warnings };
    }

    private async Task<IReadOnlySet<(string Cluster, Address Address)>> IntroduceAsync(
        ProxyOptions file, FoundBackends anew, CancellationToken stop)
    {
        var current = store.Current;
        var next = SnapshotBuilder.Foresee(file, anew, current);
        return await probes.AskAsync(Strangers.In(current, next), next.ConcurrentProbesMax, stop);
    }

    // On the store's loop.
    private (Snapshot Next, ReloadOutcome Outcome) Publish(
        Snapshot found, ProxyOptions file, FoundBackends anew,
        IReadOnlySet<(string Cluster, Address Address)> introduced)
    {
        var next = builder.Reload(file, anew, introduced, found, out var superseded);
        var stays = next.Backends().ToHashSet();
        return (next, new()
        {
            Generation = next.Config.Generation,
            Difference = ConfigDifference.Between(found.Options, next.Options),
            Leaving = [.. found.Backends().Where(backend => !stays.Contains(backend)).Select(Describe)],
            Kept = next.Config.Changes.All,
            Superseded = superseded,
        });
    }

    private static bool IsNamed(ProxyOptions options, Backend backend)
        => options.Clusters.Any(cluster => cluster.Name == backend.Key.Cluster
            && cluster.Backends.Any(one => one.Address == backend.Key.Address));

    private static LeavingBackend Describe(Backend backend) => new(backend.Key.Cluster, backend.Name, backend.InFlight);

    private void Tell(ReloadOutcome outcome)
    {
        var name = source?.Name ?? NoSource;
        metrics.Reloads.Add(outcome.Errors.Count == 0 ? 0 : 1);
        foreach (var error in outcome.Errors)
            Log.ReloadError(logger, error.ToString());
        if (outcome.Difference is not { } difference)
        {
            Log.ReloadRefused(logger, outcome.Errors.Count, name);
            return;
        }

        foreach (var warning in outcome.Warnings)
            Log.ReloadWarning(logger, warning.ToString());
        foreach (var change in difference.AtRestart)
            Log.ChangeNeedsRestart(logger, change.ToString());
        foreach (var change in outcome.Superseded)
            Log.ChangeSuperseded(logger, change.ToString());
        Log.Reloaded(
            logger, name, outcome.Generation, difference.Added.Count, difference.Removed.Count,
            difference.Changed.Count, difference.Kept.Count);
    }
}
