namespace PolyBalance.Configuration;

/// <summary>What is looked up for a name.</summary>
public enum LookUpKind
{
    /// <summary>Its addresses. Config key <c>dns</c>.</summary>
    Addresses,

    /// <summary>Its places: hosts with ports and shares. Config key <c>srv</c>. RFC 2782.</summary>
    Places,
}

/// <summary>What is looked up: the same in two entries is looked up once.</summary>
/// <param name="Kind">What is wanted.</param>
/// <param name="Name">Of which name, in lower case; a dot at its end says that it is short for nothing.</param>
public readonly record struct LookUpKey(LookUpKind Kind, string Name)
{
    /// <summary>As people call it, and as files do: <c>dns backend.default.svc</c>.</summary>
    public override string ToString() => $"{(Kind == LookUpKind.Places ? "srv" : "dns")} {Name}";
}

/// <summary>An element of <c>backends</c> that stands for every address that is found for a name.</summary>
public sealed record LookUpOptions
{
    /// <summary>What is looked up.</summary>
    public required LookUpKey Key { get; init; }

    /// <summary>Where the addresses listen; 0 where their records say so.</summary>
    public required int Port { get; init; }

    /// <summary>What the names of its backends begin with; null: they are called by their addresses.</summary>
    public string? Prefix { get; init; }

    /// <summary>Share of each of its backends; those that records give are multiplied by it.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether its backends get no new work.</summary>
    public bool IsDrained { get; init; }

    /// <summary>Whether its backends are for when no others can be used.</summary>
    public bool IsBackup { get; init; }

    /// <summary>How its backends are probed; null: not at all.</summary>
    public HealthOptions? Health { get; init; } = HealthOptions.Default;

    /// <summary>As files write it: <c>dns backend.default.svc:8080</c>.</summary>
    public override string ToString() => Port == 0 ? $"{Key}" : $"{Key}:{Quantity.Write(Port)}";
}
