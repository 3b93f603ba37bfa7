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
    /// Whether it gets requests only while none of the cluster's other backends can be used. Config key <c>backup</c>.
    /// </summary>
    public bool IsBackup { get; init; }

    /// <summary>
    /// Its place among those of the name that it was found by: 0 for the records of the first priority, and one more
    /// for each further priority; those of the lower number are used first. RFC 2782.
    /// </summary>
    public int Rank { get; init; }

    /// <summary>
    /// How this backend is probed: the cluster's section with what the backend overrides; <see langword="null"/> when
    /// off.
    /// </summary>
    public HealthOptions? Health { get; init; } = HealthOptions.Default;

    /// <summary>
    /// What it was found by, such as <c>dns backend.default.svc</c>; <see langword="null"/> when somebody wrote it
    /// down.
    /// </summary>
    public string? Source { get; init; }

    /// <summary>
    /// 0: it is used first. Backends of a higher number are used while nobody of the lower ones can be: all backups
    /// after all others, and among either of them by rank.
    /// </summary>
    internal int Tier => IsBackup ? Limits.RanksMax + Rank : Rank;

    /// <summary>What the key <c>address</c> is for.</summary>
    internal const string AddressPurpose = "Whom to connect to: host:port, [v6]:port or unix:/path.";

    /// <summary>Reads a backend that has an address.</summary>
    /// <param name="section">Where the keys are.</param>
    /// <param name="inherited">What holds for keys of its probing that are not written.</param>
    internal static BackendOptions? BindFrom(ConfigSection section, HealthOptions? inherited)
    {
        var address = section.Required("address", Address.BackendForm, AddressPurpose,
            "write `address: \"10.0.0.1:8080\"`", Address.ParseBackend);
        var keys = EntryKeys.BindFrom(section, inherited);
        return address is null ? null : Of(address, keys);
    }

    /// <summary>A backend at an address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="keys">What else is said of it.</param>
    internal static BackendOptions Of(Address address, EntryKeys keys) => new()
    {
        Address = address,
        Name = keys.Name ?? address.ToString(),
        Weight = keys.Weight,
        IsDrained = keys.IsDrained,
        IsBackup = keys.IsBackup,
        Health = keys.Health,
    };
}
