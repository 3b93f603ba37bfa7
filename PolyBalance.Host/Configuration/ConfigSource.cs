using PolyBalance.Configuration;
using PolyBalance.Host.Telemetry;
using PolyBalance.Server;
using PolyBalance.Telemetry;

namespace PolyBalance.Host.Configuration;

/// <summary>The configuration of a gateway that runs: its file, with the flags and variables of its start.</summary>
/// <param name="named">What <c>--config</c> says, or <see langword="null"/>.</param>
/// <param name="flags">What the command line sets.</param>
/// <param name="surroundings">Files and variables.</param>
/// <param name="level">The level of the log.</param>
/// <param name="accessLogs">The access log.</param>
/// <param name="traces">Where spans are sent.</param>
internal sealed class ConfigSource(
    string? named, ConfigOverrides flags, Surroundings surroundings, LogLevelSwitch level, AccessLogs accessLogs,
    TraceExports traces)
    : IConfigSource
{
    // Lines that are formatted already when a log is replaced end up in it.
    private static readonly TimeSpan LastLines = TimeSpan.FromSeconds(1);

    private readonly ConfigOverrides _overrides = flags.Over(
        ConfigOverrides.FromEnvironment(surroundings.Variable));

    private volatile string? _text;

    /// <inheritdoc/>
    public string Name { get; private set; } = named ?? "the configuration";

    /// <summary>The text that was taken up last, or tried; null: none yet. Any thread.</summary>
    public string? Text
    {
        get => _text;
        init => _text = value;
    }

    /// <summary>What was adopted last; null: nothing since the start. Any thread.</summary>
    public ProxyOptions? Options { get; private set; }

    /// <inheritdoc/>
    public long SpansDropped => traces.Dropped;

    /// <inheritdoc/>
    public ConfigResult Read(bool isToApply)
    {
        if (named == "-")
            return Failed("standard input cannot be read again", "start the gateway with a file to reload it");

        var code = ConfigFile.TryRead(
            named, _overrides.Backends is null, surroundings, out var config, out var problem);
        if (code != ExitCode.Fine)
            return Failed(problem, "");

        if (config.Name.Length > 0)
            Name = config.Name;
        if (isToApply)
            _text = config.Text;
        return Parse(config.Text, Name);
    }

    /// <inheritdoc/>
    public ConfigResult Parse(string text, string name) => SecretFiles.ReadAll(
        ProxyOptions.Parse(text, name, surroundings.Variable, _overrides), surroundings.Folder);

    /// <inheritdoc/>
    public ConfigError? Prepare(ProxyOptions options)
        => accessLogs.Prepare(options.Logging) is var (problem, remedy)
            ? new(Name, 0, 0, problem, remedy)
            : null;

    /// <inheritdoc/>
    public IExchangeSink? Adopt(ProxyOptions options)
    {
        Options = options;
        level.Set(options.Logging.Level);
        traces.Adopt(options.Tracing);
        if (accessLogs.Adopt(options.Logging) is { } former)
            _ = CloseLaterAsync(former);
        return accessLogs.Current;
    }

    private static async Task CloseLaterAsync(AccessLog former)
    {
        await Task.Delay(LastLines, TimeProvider.System);
        former.Dispose();
    }

    private ConfigResult Failed(string problem, string remedy)
        => new() { Errors = [new(Name, 0, 0, problem, remedy)] };
}
