namespace PolyBalance.Configuration;

/// <summary>One address that requests are forwarded to. An element of <c>backends</c>.</summary>
public sealed record BackendOptions
{
    /// <summary>Whom to connect to.</summary>
    public required Address Address { get; init; }

    /// <summary>What logs, metrics and the admin listener call it; by default its address.</summary>
    public required string Name { get; init; }

    /// <summary>Share of the traffic relative to the other backends; 0 gets none.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>
    /// Whether it gets no new work: what it has is finished, and sessions stay. Config key <c>drain</c>.
    /// </summary>
    public bool IsDrained { get; init; }

    /// <summary>
    /// How this backend is probed: the cluster's section with what the backend overrides; <see langword="null"/> when
    /// off.
    /// </summary>
    public HealthOptions? Health { get; init; } = HealthOptions.Default;

    /// <summary>Reads the section.</summary>
    /// <param name="section">Where the keys are.</param>
    /// <param name="inherited">What holds for keys that are not written.</param>
    internal static BackendOptions? BindFrom(ConfigSection section, HealthOptions? inherited)
    {
        var address = section.Required("address", Address.BackendForm,
            "Whom to connect to: host:port, [v6]:port or unix:/path.",
            "write `address: \"10.0.0.1:8080\"`", Address.ParseBackend);
        var name = section.Text("name", null, ConfigName.Form, "What logs and metrics call it; by default its address.",
            ConfigName.Parse);
        var weight = section.Count("weight", 1, 0, Limits.WeightMax,
            "Share of the traffic relative to the other backends.");
        var isDrained = section.Value("drain", false, ConfigForm.Truth, "false",
            "Whether it gets no new work; what it has is finished.", ProxyOptions.ParseTruth);
        var health = section.SectionOrOff("health", inherited, "What this backend overrides of the cluster's probing.",
            health => HealthOptions.BindFrom(health, inherited ?? HealthOptions.Default));

        return address is null ? null
            : new()
            {
                Address = address,
                Name = name ?? address.ToString(),
                Weight = weight,
                IsDrained = isDrained,
                Health = health,
            };
    }
}
