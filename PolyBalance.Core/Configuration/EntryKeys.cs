namespace PolyBalance.Configuration;

/// <summary>What an element of <c>backends</c> says beside whom it stands for.</summary>
/// <param name="Name">What logs and metrics call it, or its backends begin with; null: their addresses.</param>
/// <param name="Weight">Share of the traffic.</param>
/// <param name="IsDrained">Whether there is no new work.</param>
/// <param name="IsBackup">Whether there is work only while no others can be used.</param>
/// <param name="Health">How it is probed; null: not at all.</param>
internal readonly record struct EntryKeys(
    string? Name, int Weight, bool IsDrained, bool IsBackup, HealthOptions? Health)
{
    /// <summary>Reads the keys.</summary>
    /// <param name="section">Where they are.</param>
    /// <param name="inherited">The probing of the cluster.</param>
    public static EntryKeys BindFrom(ConfigSection section, HealthOptions? inherited) => new(
        section.Text("name", null, ConfigName.Form, "What logs and metrics call it; by default its address.",
            ConfigName.Parse),
        section.Count("weight", 1, 0, Limits.WeightMax,
            "Share of the traffic relative to the other backends."),
        section.Value("drain", false, ConfigForm.Truth, "false",
            "Whether it gets no new work; what it has is finished.", ProxyOptions.ParseTruth),
        section.Value("backup", false, ConfigForm.Truth, "false",
            "Whether it gets requests only while no backend without this key can be used.", ProxyOptions.ParseTruth),
        section.SectionOrOff("health", inherited, "What this backend overrides of the cluster's probing.",
            health => HealthOptions.BindFrom(health, inherited ?? HealthOptions.Default)));
}
