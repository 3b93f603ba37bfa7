namespace PolyBalance.Configuration;

/// <summary>One value from outside the configuration file.</summary>
/// <param name="Value">As the user wrote it.</param>
/// <param name="Source">What errors call its place, such as <c>-port</c> or <c>POLYBALANCE_PORT</c>.</param>
public sealed record ConfigOverride(string Value, string Source);

/// <summary>
/// What flags or environment variables put in place of the file's values. Nothing is checked before parsing.
/// </summary>
public sealed record ConfigOverrides
{
    /// <summary>
    /// Replaces all listeners by one on this port of every address; 0 lets the operating system choose.
    /// </summary>
    public ConfigOverride? Port { get; init; }

    /// <summary>
    /// A comma-separated list that replaces the backends of the only cluster, or of the one named <c>default</c>.
    /// </summary>
    public ConfigOverride? Backends { get; init; }

    /// <summary>Replaces <c>health.interval</c> of every cluster. Seconds or a duration.</summary>
    public ConfigOverride? HealthInterval { get; init; }

    /// <summary>Replaces <c>health.timeout</c> of every cluster. Seconds or a duration.</summary>
    public ConfigOverride? HealthTimeout { get; init; }

    /// <summary>Replaces <c>timeouts.response</c> of every cluster. Seconds or a duration.</summary>
    public ConfigOverride? BackendTimeout { get; init; }

    /// <summary>Replaces <c>algorithm</c> of every cluster.</summary>
    public ConfigOverride? Strategy { get; init; }

    /// <summary>Reads the <c>POLYBALANCE_*</c> variables; one that is unset or empty overrides nothing.</summary>
    /// <param name="environment">Looks up a variable.</param>
    public static ConfigOverrides FromEnvironment(Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        return new()
        {
            Port = Read("POLYBALANCE_PORT"),
            Backends = Read("POLYBALANCE_BACKENDS"),
            HealthInterval = Read("POLYBALANCE_HEALTH_INTERVAL"),
            HealthTimeout = Read("POLYBALANCE_HEALTH_TIMEOUT"),
            BackendTimeout = Read("POLYBALANCE_BACKEND_TIMEOUT"),
            Strategy = Read("POLYBALANCE_STRATEGY"),
        };

        ConfigOverride? Read(string name)
            => environment(name) is { Length: > 0 } value ? new(value, name) : null;
    }

    /// <summary>Merges two sources; where both have a value, this one's counts.</summary>
    /// <param name="weaker">What counts where this one is silent.</param>
    public ConfigOverrides Over(ConfigOverrides weaker)
    {
        ArgumentNullException.ThrowIfNull(weaker);
        return new()
        {
            Port = Port ?? weaker.Port,
            Backends = Backends ?? weaker.Backends,
            HealthInterval = HealthInterval ?? weaker.HealthInterval,
            HealthTimeout = HealthTimeout ?? weaker.HealthTimeout,
            BackendTimeout = BackendTimeout ?? weaker.BackendTimeout,
            Strategy = Strategy ?? weaker.Strategy,
        };
    }
}
